import { createHmac, timingSafeEqual } from 'node:crypto';
import type { DeliveryRow } from '@touchstone/store';
import type { Endpoint } from './endpoint.ts';

/**
 * Links by which whoever reads a message says something of its alert, without a key. Who holds one may do that one thing, once, for a month, and
 * nothing else: it names endpoint, alert, action and end, and is signed (HMAC-SHA256) by a secret of the endpoint that no answer shows. So only
 * endpoints of Slack have links: the secrets of webhooks are known to their receivers. Endpoints that are deleted or disabled take theirs along.
 */

export const LINK_ACTIONS = ['ack', 'snooze', 'not-useful'] as const;
export type LinkAction = (typeof LINK_ACTIONS)[number];

const LIFE_MS = 30 * 86_400_000;
/** By how much the clocks of processes may differ. */
const CLOCKS_DIFFER_MS = 60_000;
/** Tells these signatures from those of messages, which are by the same secrets. */
const PURPOSE = 'touchstone alert link v1';
/** Endpoint, alert, action, end in epoch ms to the base 36, signature. */
const TOKEN = /^(ep_[\w-]{1,125})\.([\w-]{1,128})\.(ack|snooze|not-useful)\.([0-9a-z]{1,10})\.([\w-]{43})$/;

export interface AlertLink {
  readonly endpointId: string;
  readonly alertId: string;
  readonly action: LinkAction;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly signature: string;
}

/** The links of a message, the same for all attempts; none for an endpoint that was made without a secret. */
export function alertLinksOf(
  endpoint: Endpoint,
  { id, takenAt }: DeliveryRow,
  publicUrl: string,
): Readonly<Record<LinkAction, string>> | null {
  const [secret] = endpoint.secrets;
  if (secret === undefined) return null;
  const link = (action: LinkAction): string => {
    const unsigned = { endpointId: endpoint.id, alertId: id, action, expiresAt: takenAt + LIFE_MS };
    const { alertId, endpointId, expiresAt } = unsigned;
    return `${publicUrl}/v1/alert-links/${endpointId}.${alertId}.${action}.${expiresAt.toString(36)}.${sign(unsigned, secret)}`;
  };
  return { ack: link('ack'), snooze: link('snooze'), 'not-useful': link('not-useful') };
}

/** What a token says, signed or not; null for what is none. */
export function readAlertLink(token: string): AlertLink | null {
  const [, endpointId = '', alertId = '', action = '', end = '', signature = ''] = TOKEN.exec(token) ?? [];
  if (endpointId === '') return null;
  return { endpointId, alertId, action: action as LinkAction, expiresAt: Number.parseInt(end, 36), signature };
}

/** Nobody is given one that lives longer. */
export function endsTooFarAhead({ expiresAt }: Pick<AlertLink, 'expiresAt'>, now: number): boolean {
  return expiresAt > now + LIFE_MS + CLOCKS_DIFFER_MS;
}

export function isSignedBy(link: AlertLink, { secrets }: Pick<Endpoint, 'secrets'>): boolean {
  const given = Buffer.from(link.signature);
  return secrets.some((secret) => timingSafeEqual(given, Buffer.from(sign(link, secret))));
}

function sign({ action, alertId, endpointId, expiresAt }: Omit<AlertLink, 'signature'>, secret: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([PURPOSE, endpointId, alertId, action, expiresAt]))
    .digest('base64url');
}
