import { ProblemError, type Metrics } from '@touchstone/runtime';
import { StoreError, type OpportunityStore, type Store } from '@touchstone/store';

/** What of the store the routes use. */
export type QueryStore = Pick<
  Store,
  | 'timeline'
  | 'history'
  | 'accountRecords'
  | 'alertCounts'
  | 'alerts'
  | 'deadLetters'
  | 'deadLettersAt'
  | 'kpiTargets'
  | 'measureKpi'
  | 'models'
  | 'positions'
  | 'saveAlertAction'
  | 'shownScores'
  | 'stageFigures'
  | keyof OpportunityStore
  | 'replay'
  | 'stalledAccounts'
  | 'apiKeys'
  | 'saveApiKey'
  | 'saveKpiTarget'
>;

/** The store as routes use it: what it can not do right now is answered with 503 and counted, and is no fault of ours; what takes too much is the asker's to narrow. */
export function createQueryStore(store: QueryStore, metrics: Metrics): QueryStore {
  function told(cause: unknown): unknown {
    if (!(cause instanceof StoreError)) return cause;
    metrics.count('store_errors_total', { code: cause.code });
    if (cause.code === 'too_large') {
      const detail =
        'the question is about more touches than the store may hold at once: ask for a shorter period, a shorter lookback or fewer kinds, or set a filter';
      return new ProblemError('question_too_large', detail, { cause });
    }
    if (!cause.retriable) return cause;
    return new ProblemError('unavailable', 'the store does not answer right now', { cause, headers: { 'retry-after': '2' } });
  }

  async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (cause) {
      throw told(cause);
    }
  }

  async function* given<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    try {
      yield* items;
    } catch (cause) {
      throw told(cause);
    }
  }

  return {
    timeline: (accountId, limit, before) => answered(store.timeline(accountId, limit, before)),
    history: (accountId, from, to) => answered(store.history(accountId, from, to)),
    accountRecords: (partition, accountId, before, options) => given(store.accountRecords(partition, accountId, before, options)),
    models: () => answered(store.models()),
    positions: () => answered(store.positions()),
    shownScores: (accountId, at) => answered(store.shownScores(accountId, at)),
    deadLetters: (query) => answered(store.deadLetters(query)),
    deadLettersAt: (places) => answered(store.deadLettersAt(places)),
    alerts: (query) => answered(store.alerts(query)),
    alertCounts: (since, until) => answered(store.alertCounts(since, until)),
    stageFigures: (query) => answered(store.stageFigures(query)),
    replay: (partition, before, options) => given(store.replay(partition, before, options)),
    attribution: (query) => answered(store.attribution(query)),
    creditedOpportunities: (query) => answered(store.creditedOpportunities(query)),
    opportunityTouches: (query) => answered(store.opportunityTouches(query)),
    influence: (query) => answered(store.influence(query)),
    unstagedOpportunities: (query) => answered(store.unstagedOpportunities(query)),
    hasTouches: () => answered(store.hasTouches()),
    influencedOpportunities: (query) => answered(store.influencedOpportunities(query)),
    outcomes: (query) => answered(store.outcomes(query)),
    qualifiedLeads: (query) => answered(store.qualifiedLeads(query)),
    stalledStays: (query) => answered(store.stalledStays(query)),
    stalledAccounts: (query, most) => answered(store.stalledAccounts(query, most)),
    measureKpi: (query) => answered(store.measureKpi(query)),
    kpiTargets: () => answered(store.kpiTargets()),
    saveKpiTarget: (target) => answered(store.saveKpiTarget(target)),
    saveAlertAction: (action) => answered(store.saveAlertAction(action)),
    apiKeys: () => answered(store.apiKeys()),
    saveApiKey: (row) => answered(store.saveApiKey(row)),
  };
}
