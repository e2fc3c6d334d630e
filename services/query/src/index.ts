export { LedgerReplica } from './ledger-replica.ts';
export type { ReplicaOptions } from './ledger-replica.ts';
export { registerQuery } from './query.ts';
export type { QueryDependencies } from './query.ts';
export { ScoreFeed } from './score-feed.ts';
export type { ScoreFeedOptions } from './score-feed.ts';
