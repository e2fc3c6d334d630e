export { kpiSettingsOf, kpiSettingsSchema } from './kpis/kpi-settings.ts';
export { LedgerReplica } from './ledger-replica.ts';
export type { ReplicaOptions } from './ledger-replica.ts';
export { LiveFeed } from './live-feed.ts';
export type { LiveFeedOptions } from './live-feed.ts';
export { registerQuery } from './query.ts';
export type { QueryDependencies } from './query-options.ts';
export { Experiments } from './experiments/experiments.ts';
