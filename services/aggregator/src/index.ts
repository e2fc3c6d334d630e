export { Aggregator } from './aggregator.ts';
export type { AggregatorOptions, ModelStatus } from './aggregator.ts';
