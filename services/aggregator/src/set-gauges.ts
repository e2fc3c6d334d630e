import type { LedgerSet } from '@touchstone/engine';
import type { Metrics } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

interface Gauged {
  readonly ledgers: LedgerSet;
  readonly intakes: ReadonlyMap<number, Intake>;
  /** Ends of the log as last seen, by partition. */
  readonly ends: ReadonlyMap<number, number>;
  /** Of the model in force. */
  readonly stages: readonly string[];
  readonly checkpointAgeMs: number;
}

/** What stands in an aggregator at the moment of a scrape. */
export function setGauges(metrics: Metrics, { checkpointAgeMs, ends, intakes, ledgers, stages }: Gauged): void {
  metrics.set('ledgers', {}, ledgers.accountCount);
  metrics.set('contacts', {}, ledgers.contactCount);
  metrics.set('partitions_held', {}, intakes.size);
  metrics.set('checkpoint_age_seconds', {}, Math.max(0, checkpointAgeMs) / 1000);
  for (const stage of stages) {
    let accounts = 0;
    for (const { standings } of intakes.values()) accounts += standings.inStage(stage);
    metrics.set('accounts_by_stage', { stage }, accounts);
  }
  let qualified = 0;
  for (const { standings } of intakes.values()) qualified += standings.qualified;
  metrics.set('qualified_accounts', {}, qualified);
  for (const [partition, end] of ends) {
    const intake = intakes.get(partition);
    // A partition that moved on is its new owner's to tell of.
    metrics.set('log_lag_records', { partition: String(partition) }, intake === undefined ? 0 : Math.max(0, end - intake.ledgers.position));
  }
}
