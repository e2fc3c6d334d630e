export { Aggregator } from './aggregator.ts';
export type { AggregatorOptions } from './aggregator.ts';
export type { ModelStatus } from './model-status.ts';
