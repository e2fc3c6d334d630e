/** Touches, facts and models, keyed by account. */
export const EVENTS_TOPIC = 'events';
/** The latest score of each account: compacted, with as many partitions as `events`, each account in the partition of its events. */
export const SCORES_TOPIC = 'account-scores';
/** Alerts, each in the partition of its account's events, keyed by account. */
export const ALERTS_TOPIC = 'alerts';
/** Records of `events` that could not be read or applied, with their place and the reason. */
export const DEAD_LETTERS_TOPIC = 'dead-letters';
/** Steps of experiments with creatives: one partition, so that all processes see them in one order; kept for good. */
export const EXPERIMENTS_TOPIC = 'experiments';
/** The consumer group of the aggregators. */
export const AGGREGATOR_GROUP = 'aggregator';
/** The consumer group of the notifiers. */
export const NOTIFIER_GROUP = 'notifier';
