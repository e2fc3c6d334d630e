import { setImmediate } from 'node:timers/promises';
import type { OutgoingRecord } from '@touchstone/event-log';
import { ProblemError } from '@touchstone/runtime';
import { appendRecords, type AppendTarget } from './append-records.ts';
import { BrokenLine, type Batch } from './read-batch.ts';
import { isRefusal, type Refusal, type Rejection } from './reject-codes.ts';
import { isPlainText } from './text-schemas.ts';
import { ID_MAX } from './limits.ts';

export interface BatchResult {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
}

/**
 * Ten thousand good touches are validated in 20 ms, but to explain what is wrong with as many bad ones takes ten times as long: after this
 * time at one go other requests get their turn.
 */
const TURN_MS = 10;
const ITEMS_PER_LOOK = 64;

/** Turns an item into the record that goes on the log, or says why it can't. */
export type EncodeItem = (item: unknown) => OutgoingRecord | Refusal;

/**
 * Takes what can be taken of a batch: the good items become durable together, with one append, and the others are told with their reasons.
 * @throws ProblemError `all_rejected`, with the reasons; `unavailable` when the log takes nothing now
 */
export async function ingestBatch(target: AppendTarget, endpoint: string, batch: Batch, encode: EncodeItem): Promise<BatchResult> {
  const { metrics } = target;
  const records: OutgoingRecord[] = [];
  const rejected: Rejection[] = [];
  let turnStart = performance.now();
  for (const [index, item] of batch.items.entries()) {
    if (index % ITEMS_PER_LOOK === 0 && performance.now() - turnStart > TURN_MS) {
      await setImmediate();
      turnStart = performance.now();
    }
    const result = item instanceof BrokenLine ? item.refusal : encode(item);
    if (isRefusal(result)) {
      rejected.push({ index, id: idOf(item), code: result.code, message: result.message });
      metrics.count('ingest_rejected_total', { endpoint, code: result.code });
    } else {
      records.push(result);
    }
  }
  if (rejected.length > 0) metrics.count('ingest_items_total', { endpoint, outcome: 'rejected' }, rejected.length);
  if (records.length === 0) throw allRejected(rejected);
  return ingestRecords(target, endpoint, records, rejected);
}

/**
 * Takes records of items that were found good, beside those that were not.
 * @throws ProblemError `unavailable` when the log takes nothing now
 */
export async function ingestRecords(
  target: AppendTarget,
  endpoint: string,
  records: readonly OutgoingRecord[],
  rejected: readonly Rejection[] = [],
): Promise<BatchResult> {
  const { metrics } = target;
  try {
    await appendRecords(target, records);
  } catch (error) {
    metrics.count('ingest_items_total', { endpoint, outcome: 'unavailable' }, records.length);
    throw error;
  }
  metrics.count('ingest_items_total', { endpoint, outcome: 'accepted' }, records.length);
  return { accepted: records.length, rejected };
}

/** The id of a rejected item, so that a client finds it again; null when it is none that could be told. */
function idOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !Object.hasOwn(item, 'id')) return null;
  const { id } = item as { id: unknown };
  return typeof id === 'string' && id.length <= ID_MAX && isPlainText(id) ? id : null;
}

function allRejected(rejected: readonly Rejection[]): ProblemError {
  const first = rejected[0]?.message ?? '';
  const detail = rejected.length === 1 ? first : `none of the ${rejected.length} items was accepted; the first: ${first}`;
  return new ProblemError('all_rejected', detail, { members: { accepted: 0, rejected } });
}
