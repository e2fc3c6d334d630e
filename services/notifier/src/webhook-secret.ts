import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

/** Secrets and signatures of Standard Webhooks 1.0, symmetric: https://github.com/standard-webhooks/standard-webhooks */

const PREFIX = 'whsec_';
const BYTES_MIN = 24;
const BYTES_MAX = 64;
const BYTES_MADE = 32;

export function createSecret(): string {
  return PREFIX + randomBytes(BYTES_MADE).toString('base64');
}

/** Why a text is no secret; null when it is one. Says nothing of the text itself. */
export function secretProblem(text: string): string | null {
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Buffer skips what is no base64: only what comes out the same was.
  const isBase64 = text.startsWith(PREFIX) && bytes.toString('base64') === encoded;
  if (isBase64 && bytes.length >= BYTES_MIN && bytes.length <= BYTES_MAX) return null;
  return `must be ${PREFIX} and ${BYTES_MIN} to ${BYTES_MAX} bytes in base64`;
}

export interface SignedMessage {
  /** The same for all attempts. */
  readonly id: string;
  /** Of the attempt, epoch seconds. */
  readonly timestamp: number;
  readonly body: string;
}

/** Making a key takes several times as long as signing with it; the list of an endpoint's secrets is the same until it is changed. */
const keysOf = new WeakMap<readonly string[], readonly KeyObject[]>();

function readyKeys(secrets: readonly string[]): readonly KeyObject[] {
  let keys = keysOf.get(secrets);
  if (keys === undefined) {
    keys = secrets.map((secret) => createSecretKey(Buffer.from(secret.slice(PREFIX.length), 'base64')));
    keysOf.set(secrets, keys);
  }
  return keys;
}

/** The header `webhook-signature`: one signature for each secret, so that receivers can change theirs at their own time. @param secrets never changed */
export function signatureHeader({ body, id, timestamp }: SignedMessage, secrets: readonly string[]): string {
  const signed = `${id}.${timestamp}.${body}`;
  return readyKeys(secrets)
    .map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
    .join(' ');
}
