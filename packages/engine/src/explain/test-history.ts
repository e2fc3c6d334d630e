import { EntryRun, type GeneratedEntry } from '@touchstone/testkit';
import { defaultModel } from '../default-model.ts';
import { accountOf } from '../fact.ts';
import { OUTCOME, PartitionLedgers } from '../ledgers.ts';
import type { ScoringModel } from '../model.ts';
import type { RecordRun } from '../record.ts';
import { RescoredSums } from '../rescored-sums.ts';
import { viewOf, type AccountView } from '../view.ts';

/** A live partition in which models take over, and what of it was stored. */
export interface LiveRun {
  readonly ledgers: PartitionLedgers;
  readonly kept: readonly GeneratedEntry[];
  /** What was served of each account, now and then. */
  readonly served: readonly { readonly at: number; readonly model: ScoringModel; readonly view: AccountView }[];
}

/**
 * Applies entries as the live log would. A published model takes over some records later, as a rescoring does.
 * @param looks whether to note what is served between two records, at an instant from the append of one to right before that of the other
 */
export function runLive(entries: readonly GeneratedEntry[], rescoringRecords: number, looks: () => boolean): LiveRun {
  let ledgers = new PartitionLedgers(0, defaultModel);
  const run = new EntryRun(0, entries);
  const kept: GeneratedEntry[] = [];
  const served: LiveRun['served'][number][] = [];
  let coming: { readonly model: ScoringModel; readonly at: number } | null = null;
  for (let i = 0; run.next(); i++) {
    const entry = entries[i]!;
    const outcome = ledgers.apply(run, false);
    if (outcome !== OUTCOME.duplicate && outcome !== OUTCOME.setAside) kept.push(entry);
    if (outcome === OUTCOME.model) coming = { model: run.model!, at: i + rescoringRecords };
    if (coming !== null && i >= coming.at) {
      takeOver(ledgers, coming.model, kept);
      coming = null;
    }
    const next = entries[i + 1]?.appendedAt ?? entry.appendedAt + 1000;
    if (next <= entry.appendedAt || !looks()) continue;
    // By turns in the millisecond of the append, between the two, and in the last before the next.
    const at = entry.appendedAt + Math.floor(((next - 1 - entry.appendedAt) * (served.length % 3)) / 2);
    for (let account = 0; account < ledgers.accounts.size; account++) {
      served.push({ at, model: ledgers.model, view: viewOf(ledgers, account, at) });
    }
  }
  // Restarted at the end.
  const restarted = new PartitionLedgers(0, ledgers.model);
  const again = new EntryRun(0, kept);
  while (again.next()) restarted.take(again, true);
  restarted.settle();
  restarted.now = ledgers.now;
  ledgers = restarted;
  return { ledgers, kept, served };
}

function takeOver(ledgers: PartitionLedgers, model: ScoringModel, kept: readonly GeneratedEntry[]): void {
  const sums = new RescoredSums(ledgers, model);
  const run = new EntryRun(0, kept);
  while (run.next()) sums.take(run);
  sums.settle();
  sums.position = ledgers.position;
  sums.takeOver();
}

/** The account's records as the store gives them, some at a time. */
export async function* recordsOf(accountId: string, kept: readonly GeneratedEntry[], pageSize = 7): AsyncGenerator<RecordRun> {
  const own = kept.filter(({ record }) => {
    if (!('type' in record)) return record.accountId === accountId;
    return record.type !== 'model' && record.type !== 'tick' && accountOf(record) === accountId;
  });
  for (let at = 0; at < own.length; at += pageSize) {
    await Promise.resolve();
    yield new EntryRun(0, own.slice(at, at + pageSize));
  }
}

export function accountsIn(kept: readonly GeneratedEntry[]): string[] {
  const ids = kept.map(({ record }) =>
    'type' in record ? (record.type === 'model' || record.type === 'tick' ? null : accountOf(record)) : record.accountId,
  );
  return [...new Set(ids.filter((id) => id !== null))];
}
