import type { SASLOptions } from 'kafkajs';
import SASLAuthenticator from 'kafkajs/src/broker/saslAuthenticator/index.js';
import type { SaslExchange } from 'kafkajs/src/broker/saslAuthenticator/index.js';
import { EventLogError } from '../event-log.ts';

export type { SaslExchange };

export interface SaslPlace {
  readonly host: string;
  readonly port: number;
  readonly versions: ReadonlyMap<number, { readonly min: number; readonly max: number }>;
  readonly send: (exchange: SaslExchange) => Promise<unknown>;
}

const SASL_AUTHENTICATE = 36;
const silent = { namespace: () => silent, debug: () => {}, error: () => {} };

/**
 * Lets kafkajs' authenticators speak over our connection. Resolves to how long the broker takes it for, in ms, or null.
 * @throws EventLogError `refused`, or what `send` threw
 */
export async function authenticate(sasl: SASLOptions, { host, port, versions, send }: SaslPlace): Promise<number | null> {
  if (!versions.has(SASL_AUTHENTICATE)) throw new EventLogError('refused', `${host}:${port} is no broker that knows SaslAuthenticate`);
  // What could not be sent must not be taken for a refusal, as kafkajs' own errors would have it.
  const unsent: EventLogError[] = [];
  const watched = async (exchange: SaslExchange) => {
    try {
      return await send(exchange);
    } catch (cause) {
      if (cause instanceof EventLogError) unsent.push(cause);
      throw cause;
    }
  };
  const supported = Object.fromEntries([...versions].map(([key, { min, max }]) => [key, { minVersion: min, maxVersion: max }]));
  // A copy, because the authenticator leaves its provider in it.
  const authenticator = new SASLAuthenticator({ host, port, sasl: { ...sasl }, send: watched }, silent, supported, true);
  try {
    await authenticator.authenticate();
  } catch (cause) {
    if (unsent[0] !== undefined) throw unsent[0];
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EventLogError('refused', `${host}:${port} does not take the credentials: ${why}`, { cause });
  }
  const lifetime = Number(authenticator.sessionLifetime);
  return lifetime > 0 ? lifetime : null;
}
