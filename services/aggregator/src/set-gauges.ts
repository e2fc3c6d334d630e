import type { LedgerSet } from '@touchstone/engine';
import type { Metrics } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

interface Gauged {
  readonly ledgers: LedgerSet;
  readonly intakes: ReadonlyMap<number, Intake>;
  /** Ends of the log as last seen, by partition. */
  readonly ends: ReadonlyMap<number, number>;
  readonly checkpointAgeMs: number;
}

/** What stands in an aggregator at the moment of a scrape. */
export function setGauges(metrics: Metrics, { checkpointAgeMs, ends, intakes, ledgers }: Gauged): void {
  metrics.set('ledgers', {}, ledgers.accountCount);
  metrics.set('contacts', {}, ledgers.contactCount);
  metrics.set('partitions_held', {}, intakes.size);
  metrics.set('checkpoint_age_seconds', {}, Math.max(0, checkpointAgeMs) / 1000);
  for (const [partition, end] of ends) {
    const intake = intakes.get(partition);
    // A partition that moved on is its new owner's to tell of.
    metrics.set('log_lag_records', { partition: String(partition) }, intake === undefined ? 0 : Math.max(0, end - intake.ledgers.position));
  }
}
