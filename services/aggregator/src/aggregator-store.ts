import type { Store } from '@touchstone/store';

/** What an aggregator does with the store. */
export type AggregatorStore = Pick<
  Store,
  'touchRows' | 'checkpoint' | 'positions' | 'replay' | 'models' | 'saveScores' | 'ruleStates' | 'transitions' | 'touchTotals'
>;
