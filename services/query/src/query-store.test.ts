import type { RecordRun } from '@touchstone/engine';
import { createMetrics, ProblemError } from '@touchstone/runtime';
import { StoreError } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { createQueryStore, type QueryStore } from './query-store.ts';

/** A store whose every answer is this failure. */
function failing(cause: Error): QueryStore {
  const fail = (): Promise<never> => Promise.reject(cause);
  async function* failLater(): AsyncGenerator<RecordRun> {
    yield* [];
    await fail();
  }
  return {
    timeline: fail,
    history: fail,
    accountRecords: failLater,
    models: fail,
    positions: fail,
    shownScores: fail,
    deadLetters: fail,
    deadLettersAt: fail,
    alerts: fail,
    alertCounts: fail,
    stageFigures: fail,
    stalledAccounts: fail,
    replay: failLater,
    attribution: fail,
    creditedOpportunities: fail,
    opportunityTouches: fail,
    influence: fail,
    hasTouches: fail,
    unstagedOpportunities: fail,
    influencedOpportunities: fail,
    outcomes: fail,
    qualifiedLeads: fail,
    stalledStays: fail,
    measureKpi: fail,
    kpiTargets: fail,
    saveKpiTarget: fail,
    saveAlertAction: fail,
    apiKeys: fail,
    saveApiKey: fail,
  };
}

const CALLS: readonly (readonly [string, (store: QueryStore) => Promise<unknown>])[] = [
  ['timeline', (store) => store.timeline('a', 1)],
  ['history', (store) => store.history('a', 0, 1)],
  ['accountRecords', (store) => Array.fromAsync(store.accountRecords(0, 'a', 1))],
  ['models', (store) => store.models()],
  ['positions', (store) => store.positions()],
  ['shownScores', (store) => store.shownScores('a', 0)],
  ['kpiTargets', (store) => store.kpiTargets()],
  ['saveKpiTarget', (store) => store.saveKpiTarget({ name: 'cac', value: 1, setAt: 0, setBy: 'me' })],
  ['deadLetters', (store) => store.deadLetters({ limit: 1 })],
  ['deadLettersAt', (store) => store.deadLettersAt([{ partition: 0, offset: 0 }])],
  ['alerts', (store) => store.alerts({ now: 0, limit: 1 })],
  ['alertCounts', (store) => store.alertCounts(0, 1)],
  ['stageFigures', (store) => store.stageFigures({ since: 0, until: 1, stalledSince: 0 })],
  ['stalledAccounts', (store) => store.stalledAccounts({ since: 0, until: 1, stalledSince: 0 }, 1)],
  ['stalledStays', (store) => store.stalledStays({ since: 0, until: 1, stalledSince: 0, limit: 1 })],
  ['unstagedOpportunities', (store) => store.unstagedOpportunities({ from: 0, to: 1, filters: {} })],
  ['hasTouches', (store) => store.hasTouches()],
  ['replay', (store) => Array.fromAsync(store.replay(0, 1))],
  ['outcomes', (store) => store.outcomes({ from: 0, to: 1, filters: {}, by: null })],
  ['opportunityTouches', (store) => store.opportunityTouches({ id: 'o', cut: 'created', lookbackMs: 1, kinds: { but: [] }, now: 0 })],
  ['saveAlertAction', (store) => store.saveAlertAction({ alertId: 'a', action: 'ack', by: 'b', at: 0, until: null, note: '' })],
  ['apiKeys', (store) => store.apiKeys()],
  ['saveApiKey', (store) => store.saveApiKey({ id: 'k', name: 'n', hash: 'h', scopes: [], createdAt: 0, revokedAt: null })],
];

describe('the store as routes use it', () => {
  it.each(CALLS)('%s: what it can not do right now is 503 and counted', async (_name, call) => {
    const metrics = createMetrics({ ofProcess: false });
    const cause = new StoreError('unavailable', 'SELECT something: connection refused');
    const error = await call(createQueryStore(failing(cause), metrics)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProblemError);
    const { code, statusCode, headers, message } = error as ProblemError;
    expect({ code, statusCode, headers }).toEqual({ code: 'unavailable', statusCode: 503, headers: { 'retry-after': '2' } });
    expect(message).not.toContain('SELECT');
    expect(await metrics.text()).toContain('touchstone_store_errors_total{code="unavailable"} 1');
  });

  it.each(CALLS)('%s: what it refuses is a fault, and counted', async (_name, call) => {
    const metrics = createMetrics({ ofProcess: false });
    const cause = new StoreError('rejected', 'unknown column');
    await expect(call(createQueryStore(failing(cause), metrics))).rejects.toBe(cause);
    expect(await metrics.text()).toContain('touchstone_store_errors_total{code="rejected"} 1');
  });

  it.each(CALLS)('%s: what takes too much is for who asks to narrow', async (_name, call) => {
    const metrics = createMetrics({ ofProcess: false });
    const error = await call(createQueryStore(failing(new StoreError('too_large', 'SELECT much')), metrics)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'question_too_large',
      statusCode: 422,
      message: expect.stringContaining('shorter period') as string,
    });
    expect(await metrics.text()).toContain('touchstone_store_errors_total{code="too_large"} 1');
  });

  it.each(CALLS)('%s: any other error stays as it is', async (_name, call) => {
    const cause = new TypeError('a bug');
    await expect(call(createQueryStore(failing(cause), createMetrics({ ofProcess: false })))).rejects.toBe(cause);
  });
});
