import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultModel, scoringModelSchema, type Alert, type ScoringModel } from '@touchstone/engine';
import { createHttpApp, createLogger, createMetrics, type Caller, type HttpApp, type Metrics } from '@touchstone/runtime';
import { openStore, type Store } from '@touchstone/store';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { registerAlertActionRoutes } from './alert-action-routes.ts';
import { registerAlertRoutes } from './alert-routes.ts';
import { registerAlertRuleRoutes } from './alert-rule-routes.ts';
import { registerStageRoutes } from './stage-routes.ts';
import { alertOf, transitionOf } from './test-alerts.ts';

const NOW = Date.UTC(2026, 2, 1, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CALLERS: ReadonlyMap<string, Caller> = new Map([
  ['sk_admin', { keyId: 'key_of_admin', kind: 'secret', scopes: new Set(['admin', 'read']) }],
  ['sk_read', { keyId: 'r', kind: 'secret', scopes: new Set(['read']) }],
]);

const REASONS: Alert['reasons'] = [
  { contactId: 'ada', role: 'champion', points: 30.5 },
  { contactId: null, role: null, points: 2 },
];
const ALERTS: readonly Alert[] = [
  alertOf({ id: 'alr_1', accountId: 'a', at: NOW - 5 * HOUR_MS, reasons: REASONS, missingRoles: ['user', 'influencer'], coverage: 0.5 }),
  alertOf({ id: 'alr_2', accountId: 'a', at: NOW - 4 * HOUR_MS, direction: 'down', type: 'account.threshold.recovered', cause: 'decay' }),
  alertOf({ id: 'alr_3', accountId: 'b', at: NOW - 3 * HOUR_MS, owner: null }),
  alertOf({
    id: 'alr_4',
    accountId: '=c/d e',
    at: NOW - 2 * HOUR_MS,
    ruleId: 'qualification',
    type: 'account.mqa.entered',
    metric: null,
    threshold: null,
    previousValue: null,
    currentValue: null,
    met: ['contacts.30d', 'score'],
    touch: { kind: 'meeting', contactId: 'ada', campaignId: null, occurredAt: NOW - 3 * HOUR_MS, ruleIds: ['meeting'] },
  }),
];
/** Just told, and not stored yet. */
const TOLD = alertOf({ id: 'alr_told', accountId: 'a', at: NOW });

const MODEL: ScoringModel = scoringModelSchema.parse({
  ...defaultModel,
  version: 'with-rules',
  thresholds: [
    { id: 'hot', metric: 'score', enter: 50 },
    { id: 'silent', metric: 'touches.7d', enter: 3 },
  ],
  stages: [{ id: 'aware' }, { id: 'sales', name: 'In sales', metrics: [{ metric: 'score', atLeast: 50 }] }],
  qualification: { atLeast: 1, of: [{ metric: 'score', atLeast: 60 }] },
  watches: [],
});

let directory = '';
let store: Store;
let app: HttpApp;
let metrics: Metrics;
let now = NOW;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-alerts-'));
  store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  metrics = createMetrics({ ofProcess: false });
  app = await createHttpApp({
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics,
    keys: { verify: (token) => CALLERS.get(token) ?? null },
    checkAnswers: true,
  });
  const options = {
    store,
    metrics,
    clock: () => now,
    feed: { alertOf: (id: string) => (id === TOLD.id ? TOLD : null) },
    assertReady() {},
    modelStatus: () => ({ model: MODEL, takeover: new Map<number, number>(), rescoringTo: null }),
  };
  registerAlertRoutes(app, options);
  registerAlertActionRoutes(app, options);
  registerAlertRuleRoutes(app, options);
  registerStageRoutes(app, options);
  await app.ready();

  const stay = (accountId: string, step: number, days: number, currentStage: string | null, direction: 'up' | 'down') => {
    const rest = { ruleId: 'stages', type: 'account.stage.changed' as const, at: NOW - days * DAY_MS, currentStage, direction, accountId };
    return transitionOf(alertOf({ id: `alr_${accountId}_${step}`, episode: step, ...rest }), { step });
  };
  const stays = [
    stay('a', 1, 60, 'aware', 'up'),
    stay('a', 2, 50, 'sales', 'up'),
    stay('b', 1, 40, 'aware', 'up'),
    stay('c', 1, 20, 'aware', 'up'),
    stay('c', 2, 16, null, 'down'),
    stay('d', 1, 200, 'former', 'up'),
    stay('d', 2, 80, 'aware', 'up'),
  ];
  const held = transitionOf(alertOf({ id: 'alr_held', accountId: 'b', at: NOW - HOUR_MS, episode: 2 }), { step: 2, isHeld: true });
  await store.checkpoint([
    {
      partition: 0,
      offset: 9,
      generation: 'g',
      touches: store.touchRows(0),
      facts: [],
      deadLetters: [],
      transitions: [...ALERTS.map((alert, index) => transitionOf(alert, { step: index + 1 })), held, ...stays],
    },
  ]);
});
beforeEach(() => {
  now = NOW;
});
afterAll(async () => {
  await app.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

// oxlint-disable-next-line no-unnecessary-type-parameters -- callers say what they expect
async function get<T = Record<string, unknown>>(path: string, headers: Record<string, string> = {}) {
  const answer = await app.inject({ url: path, headers: { authorization: 'Bearer sk_read', ...headers } });
  return { status: answer.statusCode, json: (answer.body.startsWith('{') ? answer.json() : null) as T, answer };
}
async function post(path: string, body: object, key = 'sk_admin') {
  const answer = await app.inject({ method: 'POST', url: path, headers: { authorization: `Bearer ${key}` }, payload: body });
  return { status: answer.statusCode, json: answer.json<Record<string, unknown>>() };
}
interface Page {
  readonly data: readonly { readonly id: string; readonly [field: string]: unknown }[];
  readonly nextCursor: string | null;
}
/** Of a CSV whose cells need no quotes. */
function rowsOf(csv: string): Record<string, string>[] {
  const [head = [], ...rows] = csv
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at] ?? ''])));
}
const NOT_STAGES = `from=${NOW - 6 * HOUR_MS}`;
const ids = async (query: string): Promise<string[]> => (await get<Page>(`/v1/alerts?${query}`)).json.data.map(({ id }) => id);

describe('the list of alerts', () => {
  it('has those that were told, newest first, in pages', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { json }: { json: Page } = await get<Page>(`/v1/alerts?limit=3&${NOT_STAGES}${more}`);
      seen.push(...json.data.map(({ id }) => id));
      cursor = json.nextCursor;
    }
    expect(seen).toEqual(['alr_4', 'alr_3', 'alr_2', 'alr_1']);
  });

  test.each([
    ['accountId=a', ['alr_2', 'alr_1']],
    ['type=account.mqa.entered', ['alr_4']],
    ['ruleId=hot&direction=up', ['alr_3', 'alr_1']],
    ['cause=decay', ['alr_2']],
    ['owner=eve&ruleId=hot', ['alr_2', 'alr_1']],
    ['owner=', ['alr_3']],
    [`to=${NOW - 3 * HOUR_MS}`, ['alr_2', 'alr_1']],
    [`from=${new Date(NOW - 3 * HOUR_MS).toISOString()}`, ['alr_4', 'alr_3']],
    ['state=acked', []],
  ])('is filtered: %s', async (query, expected) => {
    expect(await ids(query.startsWith('from') ? query : `${NOT_STAGES}&${query}`)).toEqual(expected);
  });

  it('shows each as it was told, with what was done about it', async () => {
    const { json } = await get<Page>(`/v1/alerts?${NOT_STAGES}&limit=1`);
    expect(json.data[0]).toEqual({
      id: 'alr_4',
      type: 'account.mqa.entered',
      accountId: '=c/d e',
      ruleId: 'qualification',
      episode: 1,
      direction: 'up',
      at: '2026-03-01T10:00:00.000Z',
      metric: null,
      threshold: null,
      previousValue: null,
      currentValue: null,
      previousStage: null,
      currentStage: null,
      cause: 'touch',
      late: false,
      heldBack: 0,
      owner: 'eve',
      modelVersion: 'm',
      version: 1,
      reach: { engagedContacts: 1, coverage: null, missingRoles: [] },
      reasons: [],
      touch: { kind: 'meeting', contactId: 'ada', campaignId: null, occurredAt: '2026-03-01T09:00:00.000Z', ruleIds: ['meeting'] },
      met: ['contacts.30d', 'score'],
      missing: [],
      links: { account: '/v1/accounts/%3Dc%2Fd%20e', explain: '/v1/accounts/%3Dc%2Fd%20e/explain?at=2026-03-01T10:00:00.000Z&version=1' },
      state: 'open',
      acked: null,
      snoozedUntil: null,
      useful: null,
    });
  });

  it('comes as CSV too, in which no cell is a formula, with the next page in a header', async () => {
    const { answer } = await get(`/v1/alerts?${NOT_STAGES}&limit=2`, { accept: 'text/csv' });
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    const rows = rowsOf(answer.body);
    expect(rows.map((row) => [row['id'], row['accountId'], row['met'], row['touchKind'], row['late'], row['state']])).toEqual([
      ['alr_4', "'=c/d e", 'contacts.30d score', 'meeting', 'false', 'open'],
      ['alr_3', 'b', '', '', 'false', 'open'],
    ]);
    const next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link']))![1]!;
    const more = rowsOf((await get(next, { accept: 'text/csv' })).answer.body);
    expect(more.map((row) => [row['id'], row['missingRoles'], row['reasons']])).toEqual([
      ['alr_2', '', ''],
      ['alr_1', 'user influencer', 'ada (champion): 30.5; nobody known: 2'],
    ]);
  });

  test.each([
    ['?type=account.exploded', '#/type'],
    ['?cause=luck', '#/cause'],
    ['?direction=sideways', '#/direction'],
    ['?state=closed', '#/state'],
    ['?accountId=', '#/accountId'],
    ['?from=yesterday', '#/from'],
    ['?limit=501', '#/limit'],
    ['?cursor=nonsense', '#/cursor'],
    ['?account=a', '#'],
  ])('is not given for %s', async (query, pointer) => {
    expect(await get(`/v1/alerts${query}`)).toMatchObject({ status: 400, json: { code: 'invalid_request', errors: [{ pointer }] } });
  });
});

describe('one alert', () => {
  it('is given by its id, also when it was just told and is not stored yet', async () => {
    expect(await get('/v1/alerts/alr_1')).toMatchObject({ status: 200, json: { id: 'alr_1', state: 'open' } });
    expect(await get('/v1/alerts/alr_told')).toMatchObject({ status: 200, json: { id: 'alr_told', state: 'open' } });
    expect(await get('/v1/alerts/alr_held')).toMatchObject({ status: 404, json: { code: 'not_found' } });
  });
});

describe('what people do about alerts', () => {
  it('is kept, and shown at once', async () => {
    const acked = await post('/v1/alerts/alr_1/ack', { by: 'Bo', note: 'called\nthem' });
    expect(acked).toMatchObject({
      status: 200,
      json: { state: 'acked', acked: { by: 'Bo', at: '2026-03-01T12:00:00.000Z', note: 'called\nthem' } },
    });
    now = NOW + 1;
    expect((await post('/v1/alerts/alr_1/ack', {})).json).toEqual(acked.json);
    expect((await get('/v1/alerts/alr_1')).json).toEqual(acked.json);
    expect(await ids(`${NOT_STAGES}&state=acked`)).toEqual(['alr_1']);

    expect((await post('/v1/alerts/alr_2/snooze', { for: '7d' })).json).toMatchObject({
      state: 'snoozed',
      snoozedUntil: '2026-03-08T12:00:00.001Z',
      acked: null,
    });
    expect(await ids(`${NOT_STAGES}&state=snoozed`)).toEqual(['alr_2']);
    expect(await ids(`${NOT_STAGES}&state=open`)).toEqual(['alr_4', 'alr_3']);
    now = NOW + 8 * DAY_MS;
    expect(await ids(`${NOT_STAGES}&state=snoozed`)).toEqual([]);
    expect((await get('/v1/alerts/alr_2')).json).toMatchObject({ state: 'open', snoozedUntil: '2026-03-08T12:00:00.001Z' });
    expect((await post('/v1/alerts/alr_2/snooze', { until: new Date(now + HOUR_MS).toISOString() })).json).toMatchObject({
      state: 'snoozed',
    });
    now += 1;
    expect((await post('/v1/alerts/alr_2/snooze', { until: null })).json).toMatchObject({ state: 'open' });

    expect((await post('/v1/alerts/alr_1/useful', {})).json).toMatchObject({ useful: true });
    expect((await post('/v1/alerts/alr_2/useful', {})).json).toMatchObject({ useful: true });
    now += 1;
    expect((await post('/v1/alerts/alr_2/not-useful', {})).json).toMatchObject({ useful: false });
    expect((await get('/v1/alerts/alr_2')).json).toMatchObject({ useful: false });
    expect(await metrics.text()).toContain('touchstone_alert_actions_total{action="not_useful"} 1');
  });

  it('may be done about what is not stored yet, and says who did it by the key if nobody is named', async () => {
    expect(await post('/v1/alerts/alr_told/ack', {})).toMatchObject({
      status: 200,
      json: { state: 'acked', acked: { by: 'key_of_admin', note: '' } },
    });
  });

  test.each([
    ['alr_1/snooze', {}, '#'],
    ['alr_1/snooze', { for: '1d', until: 5 }, '#'],
    ['alr_1/snooze', { for: '1d', until: null }, '#'],
    ['alr_1/snooze', { until: NOW - DAY_MS }, '#/until'],
    ['alr_1/snooze', { until: '1970-01-01T00:00:00Z' }, '#/until'],
    ['alr_1/snooze', { for: '367d' }, '#/for'],
    ['alr_1/snooze', { until: NOW + 400 * DAY_MS }, '#/until'],
    ['alr_1/snooze', { for: 'a while' }, '#/for'],
    ['alr_1/ack', { by: '' }, '#/by'],
    ['alr_1/ack', { by: 'x'.repeat(129) }, '#/by'],
    ['alr_1/ack', { note: '\u0007' }, '#/note'],
    ['alr_1/useful', { useful: true }, '#'],
  ])('is refused: %s %o', async (path, body, pointer) => {
    const answer = await post(`/v1/alerts/${path}`, body);
    expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_request', errors: [{ pointer }] } });
  });

  it('needs an alert that was told, and a key with the scope admin', async () => {
    expect(await post('/v1/alerts/alr_9/ack', {})).toMatchObject({ status: 404, json: { code: 'not_found' } });
    for (const path of ['ack', 'snooze', 'useful', 'not-useful']) {
      expect(await post(`/v1/alerts/alr_1/${path}`, {}, 'sk_read')).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    }
  });
});

describe('rules', () => {
  it('come with what became of their alerts, those in force first', async () => {
    const { json } = await get<{ modelVersion: string; data: Record<string, unknown>[] }>(`/v1/alert-rules?${NOT_STAGES}`);
    const none = { told: 0, heldBack: 0, acked: 0, useful: 0, notUseful: 0, precision: null };
    expect(json.modelVersion).toBe('with-rules');
    expect(json.data.map(({ rule: _, ...one }) => one)).toEqual([
      { ...none, ruleId: 'hot', kind: 'threshold', told: 3, heldBack: 1, acked: 1, useful: 1, notUseful: 1, precision: 0.5 },
      { ...none, ruleId: 'silent', kind: 'threshold' },
      { ...none, ruleId: 'qualification', kind: 'qualification', told: 1 },
      { ...none, ruleId: 'stages', kind: 'stages' },
    ]);
    expect(json.data[0]!['rule']).toMatchObject({ metric: 'score', enter: 50 });
    const { answer } = await get(`/v1/alert-rules?${NOT_STAGES}`, { accept: 'text/csv' });
    const [head, hot] = answer.body.split('\n');
    expect(head).toBe('ruleId,kind,rule,told,heldBack,acked,useful,notUseful,precision');
    expect(hot).toMatch(/^hot,threshold,"{""id"":""hot"",.*}",3,1,1,1,1,0.5$/);
  });

  it('are counted by when their alerts happened', async () => {
    const { json } = await get<{ data: { ruleId: string; told: number }[] }>(`/v1/alert-rules?from=0&to=${NOW - 4 * HOUR_MS}`);
    expect(json.data.filter(({ told }) => told > 0).map(({ ruleId, told }) => [ruleId, told])).toEqual([
      ['hot', 1],
      ['stages', 7],
    ]);
    expect((await get('/v1/alert-rules?from=5&to=5')).status).toBe(400);
  });

  it('are not those of another kind that had their id', async () => {
    const at = NOW - 1000 * DAY_MS;
    const watched = alertOf({ id: 'alr_watched', accountId: 'w', ruleId: 'hot', type: 'account.coverage.changed', at });
    await store.checkpoint([
      {
        partition: 1,
        offset: 9,
        generation: 'g',
        touches: store.touchRows(1),
        facts: [],
        deadLetters: [],
        transitions: [transitionOf({ ...watched, partition: 1 })],
      },
    ]);
    const { json } = await get<{ data: { ruleId: string; kind: string | null; told: number }[] }>(
      `/v1/alert-rules?from=${at}&to=${at + 1}`,
    );
    expect(json.data.filter(({ ruleId }) => ruleId === 'hot').map(({ kind, told }) => [kind, told])).toEqual([
      ['threshold', 0],
      [null, 1],
    ]);
  });
});

describe('stages', () => {
  it('come in the order of the model, with their figures of a period', async () => {
    const { json } = await get<{ data: Record<string, unknown>[] }>('/v1/stages');
    expect(json).toEqual({
      from: new Date(NOW + 1 - 90 * DAY_MS).toISOString(),
      to: new Date(NOW + 1).toISOString(),
      stalledDays: 30,
      data: [
        {
          stage: 'aware',
          name: null,
          inModel: true,
          balanceAtStart: 0,
          balance: 2,
          entered: 4,
          left: 2,
          conversion: 0.25,
          meanDays: 7,
          medianDays: 10,
          stalled: 2,
          stalledAccounts: [
            { accountId: 'd', since: new Date(NOW - 80 * DAY_MS).toISOString(), days: 80 + 1 / DAY_MS },
            { accountId: 'b', since: new Date(NOW - 40 * DAY_MS).toISOString(), days: 40 + 1 / DAY_MS },
          ],
        },
        {
          stage: 'sales',
          name: 'In sales',
          inModel: true,
          balanceAtStart: 0,
          balance: 1,
          entered: 1,
          left: 0,
          conversion: 0,
          meanDays: null,
          medianDays: null,
          stalled: 1,
          stalledAccounts: [{ accountId: 'a', since: new Date(NOW - 50 * DAY_MS).toISOString(), days: 50 + 1 / DAY_MS }],
        },
        {
          stage: 'former',
          name: null,
          inModel: false,
          balanceAtStart: 1,
          balance: 0,
          entered: 0,
          left: 1,
          conversion: null,
          meanDays: 120,
          medianDays: null,
          stalled: 0,
          stalledAccounts: [],
        },
      ],
    });
  });

  it('may be of another period, with another patience, and come as CSV', async () => {
    const { answer } = await get(`/v1/stages?from=${NOW - 100 * DAY_MS}&to=${NOW - 55 * DAY_MS}&stalledDays=10`, { accept: 'text/csv' });
    const rows = rowsOf(answer.body);
    expect(rows.map((row) => [row['stage'], row['balance'], row['entered'], row['left'], row['stalled']])).toEqual([
      ['aware', '2', '2', '0', '1'],
      ['sales', '0', '0', '0', '0'],
      ['former', '0', '0', '1', '0'],
    ]);
  });

  test.each(['?from=5&to=5', '?stalledDays=-1', '?stalled=3', '?from=x'])('are not given for %s', async (query) => {
    expect(await get(`/v1/stages${query}`)).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
  });
});
