import { LogRun, TouchWriter } from '@touchstone/codec';
import type { PartitionLedgers } from '@touchstone/engine';
import { RecordBlockBuilder, RecordReader, type RecordBlock } from '@touchstone/event-log';
import { ExperimentBook, type ExperimentState } from '@touchstone/experiments';
import type { Gap } from './partition-evidence.ts';

/** Touches on a log, and an experiment that takes them as evidence, for tests. */

export const NOW = Date.UTC(2026, 2, 1);

export interface MadeTouch {
  readonly account: number;
  readonly kind: string;
  readonly creativeId: string | null;
  /** So long before it was taken. */
  readonly lateMs?: number;
}

/** The touches as blocks of one record, taken at these instants, by default a second apart. */
export function blocksOf(
  touches: readonly MadeTouch[],
  instants: readonly number[] = touches.map((_, n) => NOW + 1000 * n),
): RecordBlock[] {
  const writer = new TouchWriter();
  return touches.map(({ account, creativeId, kind, lateMs = 0 }, offset) => {
    const none = { contactId: null, channel: null, url: null, source: null, properties: {}, minutes: 0 };
    const appendedAt = instants[offset]!;
    writer.write({
      id: `t${offset}`,
      accountId: `a${account}`,
      kind,
      occurredAt: appendedAt - lateMs,
      campaignId: 'spring',
      creativeId,
      ...none,
    });
    const builder = new RecordBlockBuilder();
    builder.append(writer.key(), writer.value());
    return { partition: 0, baseOffset: offset, nextOffset: offset + 1, count: 1, appendedAt, bytes: builder.bytes().slice() };
  });
}

/** A running experiment `hero` with creatives a and b. */
export function experimentSince(startedAt: number, given: Readonly<Record<string, unknown>> = {}): ExperimentState {
  const book = new ExperimentBook();
  const none = { experimentId: 'hero', by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };
  const arms = [{ creativeId: 'a' }, { creativeId: 'b' }];
  const definition = JSON.stringify({ id: 'hero', campaignId: 'spring', arms, outcomeWindow: 5, grace: 0, ...given });
  book.apply({ ...none, action: 'create', expectedRevision: 0, definition }, startedAt);
  book.apply({ ...none, action: 'start', expectedRevision: 1 }, startedAt);
  return book.get('hero')!;
}

export function applyBlock(ledgers: PartitionLedgers, block: RecordBlock, isStored: boolean): void {
  const run = new LogRun<RecordBlock>(0, new RecordReader());
  run.open(block);
  while (run.next()) ledgers.apply(run, isStored);
}

/** Reads what a gap asks for, as the store would give it; the read may break off. */
export function closeGap(gap: Gap, blocks: readonly RecordBlock[], breaksOffAfter = Infinity): void {
  for (const [index, block] of blocks.slice(gap.experiments[0]!.upTo ?? 0, gap.before).entries()) {
    if (index === breaksOffAfter) return;
    const run = new LogRun<RecordBlock>(0, new RecordReader());
    run.open(block);
    while (run.next()) if (!gap.take(run.touch, run.offset, run.appendedAt)) return;
  }
  gap.close();
}
