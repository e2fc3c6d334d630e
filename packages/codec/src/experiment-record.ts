import type { Poison } from '@touchstone/engine';
import { problemOfIdentity } from './check-fact.ts';
import { TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import { publishedSchemas } from './schema-set.ts';

export const EXPERIMENT_ACTIONS = ['create', 'start', 'stop', 'swap', 'undo', 'weights'] as const;
export type ExperimentAction = (typeof EXPERIMENT_ACTIONS)[number];

/** One step of an experiment. What each field says stands in the schema; times are epoch milliseconds. */
export interface ExperimentRecord {
  readonly id: string;
  readonly experimentId: string;
  readonly action: ExperimentAction;
  readonly expectedRevision: number;
  readonly by: string;
  readonly at: number;
  readonly definition: string | null;
  readonly creativeId: string | null;
  readonly weights: readonly { readonly creativeId: string; readonly weight: number }[] | null;
  readonly reason: string | null;
  readonly evidence: string | null;
}

export function encodeExperimentRecord(record: ExperimentRecord): Uint8Array {
  return publishedSchemas.newest('experiment-record').encode(record);
}

export function decodeExperimentRecord(bytes: Uint8Array, start: number, end: number): ExperimentRecord | Poison {
  const schema = publishedSchemas.find(bytes, start, end);
  if (isPoison(schema)) return schema;
  if (schema.record !== 'experiment-record') return poison('invalid_value', `the record is no experiment's but of ${schema.file}`);
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const { weights, ...record } = body as unknown as ExperimentRecord;
  // Plain objects instead of avsc's own.
  const plain: ExperimentRecord = { ...record, weights: weights === null ? null : weights.map((weight) => ({ ...weight })) };
  return problemOf(plain) ?? plain;
}

function problemOf({ action, at, expectedRevision, experimentId, id, weights }: ExperimentRecord): Poison | null {
  const problem = problemOfIdentity('experimentId', experimentId) ?? problemOfIdentity('id', id);
  if (problem) return problem;
  if (!EXPERIMENT_ACTIONS.includes(action)) return poison('invalid_value', 'action is not known');
  if (expectedRevision < 0) return poison('invalid_value', 'expectedRevision is negative');
  if (at < 0 || at > TIME_MAX) return poison('invalid_value', 'at is not between 1970 and 9999');
  if (weights?.some(({ weight }) => !(weight >= 0 && weight < Infinity))) return poison('invalid_value', 'a weight is no share');
  return null;
}
