import type { LedgerSet } from '@touchstone/engine';
import type { KpiSettings } from '@touchstone/kpis';
import type { ModelStatus } from '@touchstone/recovery';
import type { Clock, HttpApp, KeyRing, Metrics, Readiness } from '@touchstone/runtime';
import type { AccountPasts } from './account-pasts.ts';
import type { Experiments } from './experiments/experiments.ts';
import type { LiveFeed } from './live-feed.ts';
import type { QueryStore } from './query-store.ts';

export type QueryApp = HttpApp;

export interface QueryDependencies {
  /** The ledgers that answers are computed from. */
  readonly ledgers: LedgerSet;
  readonly feed: LiveFeed;
  readonly experiments: Experiments;
  readonly store: QueryStore;
  readonly keys: Pick<KeyRing, 'refresh' | 'verify'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly modelStatus: () => ModelStatus;
  /** Whether the ledgers are restored: before that, answers would show versions older than readers have seen. */
  readonly readiness: () => Readiness;
  readonly kpiSettings: KpiSettings;
}

export interface QueryOptions extends QueryDependencies {
  readonly pasts: AccountPasts;
  /** @throws ProblemError `not_ready` */
  readonly assertReady: () => void;
}
