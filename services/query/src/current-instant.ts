import type { LedgerSet } from '@touchstone/engine';
import type { Clock } from '@touchstone/runtime';

/** The instant for which an answer about all accounts is computed: never before anything that was applied. */
export function currentInstant({ ledgers, clock }: { readonly ledgers: LedgerSet; readonly clock: Clock }): number {
  let now = clock();
  for (const partition of ledgers.partitions) now = Math.max(now, partition.now);
  return now;
}
