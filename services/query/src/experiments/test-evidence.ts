import { encodeFact, LogRun, TouchWriter } from '@touchstone/codec';
import type { PartitionLedgers, ScoringModel } from '@touchstone/engine';
import { RecordBlockBuilder, RecordReader, type RecordBlock } from '@touchstone/event-log';
import { ExperimentBook, startEvidence, type ExperimentState } from '@touchstone/experiments';
import type { Gap } from './partition-evidence.ts';
import { RoleBook } from './role-book.ts';

/** Touches on a log, and an experiment that takes them as evidence, for tests. */

export const NOW = Date.UTC(2026, 2, 1);

export interface MadeTouch {
  readonly account: number;
  readonly kind: string;
  readonly creativeId: string | null;
  readonly contactId?: string | null;
  readonly minutes?: number;
  /** So long before it was taken. */
  readonly lateMs?: number;
  /** Instead of a touch: a fact says that the contact has this role. */
  readonly role?: string | null;
  /** Of the fact, in seconds after the first record. */
  readonly saidSeconds?: number;
}

/** The touches as blocks of one record, taken at these instants, by default a second apart. */
export function blocksOf(
  touches: readonly MadeTouch[],
  instants: readonly number[] = touches.map((_, n) => NOW + 1000 * n),
): RecordBlock[] {
  const writer = new TouchWriter();
  return touches.map(({ account, contactId = null, creativeId, kind, lateMs = 0, minutes = 0, role, saidSeconds = 0 }, offset) => {
    const none = { channel: null, url: null, source: null, properties: {} };
    const appendedAt = instants[offset]!;
    const accountId = `a${account}`;
    writer.write({
      id: `t${offset}`,
      accountId,
      contactId,
      kind,
      occurredAt: appendedAt - lateMs,
      minutes,
      campaignId: 'spring',
      creativeId,
      ...none,
    });
    const unknown = { email: null, title: null, seniority: null, consent: null };
    const builder = new RecordBlockBuilder();
    if (role === undefined) builder.append(writer.key(), writer.value());
    else {
      const updatedAt = NOW + 1000 * saidSeconds;
      builder.append(writer.key(), encodeFact({ type: 'contact', id: contactId ?? 'c0', updatedAt, accountId, role, ...unknown }));
    }
    return { partition: 0, baseOffset: offset, nextOffset: offset + 1, count: 1, appendedAt, bytes: builder.bytes().slice() };
  });
}

/** A running experiment with creatives a and b, `hero` where no other id is given. */
export function experimentSince(
  startedAt: number,
  given: Readonly<Record<string, unknown>> = {},
  model: ScoringModel | null = null,
): ExperimentState {
  const book = new ExperimentBook();
  const id = (given['id'] as string | undefined) ?? 'hero';
  const none = { experimentId: id, by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };
  const arms = [{ creativeId: 'a' }, { creativeId: 'b' }];
  const definition = JSON.stringify({ id, campaignId: 'spring', arms, outcomeWindow: 5, grace: 0, ...given });
  book.apply({ ...none, action: 'create', expectedRevision: 0, definition }, startedAt);
  const evidence = model === null ? null : startEvidence(model);
  book.apply({ ...none, action: 'start', expectedRevision: 1, evidence }, startedAt);
  return book.get(id)!;
}

export function applyBlock(ledgers: PartitionLedgers, block: RecordBlock, isStored: boolean): void {
  const run = new LogRun<RecordBlock>(0, new RecordReader());
  run.open(block);
  while (run.next()) ledgers.apply(run, isStored);
}

/** Reads what a gap asks for, as the store would give it; the read may break off. */
export function closeGap(gap: Gap, blocks: readonly RecordBlock[], breaksOffAfter = Infinity): void {
  const from = gap.experiments[0]!.upTo ?? 0;
  const roles = new RoleBook();
  for (const [index, block] of blocks.slice(0, gap.before).entries()) {
    if (index - from === breaksOffAfter) return;
    const run = new LogRun<RecordBlock>(0, new RecordReader());
    run.open(block);
    while (run.next()) {
      if (run.fact?.type === 'contact') roles.note({ ...run.fact, contactId: run.fact.id });
      else if (index >= from && !gap.take(run.touch, run.offset, run.appendedAt, roles)) return;
    }
  }
  gap.close();
}
