export { Aggregator, AGGREGATOR_GROUP, EVENTS_TOPIC } from './aggregator.ts';
export type { AggregatorOptions, ModelStatus } from './aggregator.ts';
export { SCORES_TOPIC } from './publish-scores.ts';
