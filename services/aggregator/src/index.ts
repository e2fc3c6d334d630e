export { Aggregator } from './aggregator.ts';
export type { AggregatorOptions } from './aggregator-options.ts';
export type { BlockRun, Publication, ScoringJob } from './scoring-job.ts';
export type { AggregatorStore } from './aggregator-store.ts';
