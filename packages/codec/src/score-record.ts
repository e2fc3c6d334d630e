import type { Poison } from '@touchstone/engine';
import { problemOfIdentity } from './check-fact.ts';
import { TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import { publishedSchemas } from './schema-set.ts';

/** The score of an account as published. Of two, the higher version is the newer, then the later asOf. */
export interface AccountScore {
  readonly accountId: string;
  /** Offset of the last touch or fact that the account's ledger holds. */
  readonly version: number;
  readonly modelVersion: string;
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly points: number;
  /** 0 to 100. */
  readonly score: number;
  readonly engaged: boolean;
  /** Engaged contacts in the reach window. */
  readonly contacts: number;
  /** Epoch milliseconds; null when the account has no touch. */
  readonly lastTouchAt: number | null;
}

export function encodeAccountScore(score: AccountScore): Uint8Array {
  return publishedSchemas.newest('account-score').encode(score);
}

export function decodeAccountScore(bytes: Uint8Array, start: number, end: number): AccountScore | Poison {
  const schema = publishedSchemas.find(bytes, start, end);
  if (isPoison(schema)) return schema;
  if (schema.record !== 'account-score') return poison('invalid_value', `the record is no score but of ${schema.file}`);
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const score = { ...body } as unknown as AccountScore;
  return problemOf(score) ?? score;
}

function problemOf({ accountId, version, asOf, contacts, lastTouchAt }: AccountScore): Poison | null {
  const problem = problemOfIdentity('accountId', accountId);
  if (problem) return problem;
  if (version < 0 || contacts < 0) return poison('invalid_value', 'version or contacts is negative');
  for (const time of [asOf, lastTouchAt ?? 0]) {
    if (time < 0 || time > TIME_MAX) return poison('invalid_value', 'asOf or lastTouchAt is not between 1970 and 9999');
  }
  return null;
}
