import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultModel, LedgerSet, scoringModelSchema } from '@touchstone/engine';
import { DEFAULT_SETTINGS } from '@touchstone/kpis';
import { createHttpApp, createLogger, createMetrics, type Caller, type HttpApp, type Metrics } from '@touchstone/runtime';
import { openStore, type Store } from '@touchstone/store';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { QueryOptions } from '../query.ts';
import { registerRevenueRoutes } from './register-revenue.ts';
import { accountOf, Deals, leadOf, opportunityOf, qualificationOf, stageOf, touchOf } from './test-deals.ts';

const CALLERS: ReadonlyMap<string, Caller> = new Map([['sk_read', { keyId: 'r', kind: 'secret', scopes: new Set(['read']) }]]);
const NOW = Date.parse('2026-04-16T00:00:00Z');
const QUARTER = 'from=2026-01-01T00:00:00Z&to=2026-04-01T00:00:00Z';
const at = (text: string): number => Date.parse(text);

const MODEL = scoringModelSchema.parse({
  ...defaultModel,
  version: 'm2',
  stages: [{ id: 'aware' }, { id: 'engaged', name: 'Engaged', metrics: [{ metric: 'score', atLeast: 50 }] }],
  qualification: { atLeast: 1, of: [{ metric: 'touches.30d', atLeast: 2 }] },
});

let directory = '';
let store: Store;
let app: HttpApp;
let metrics: Metrics;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly json: Record<string, any>;
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { body, statusCode } = await app.inject({ method: 'GET', url, headers: { authorization: 'Bearer sk_read', ...headers } });
  return { status: statusCode, body, json: headers['accept'] === 'text/csv' ? {} : (JSON.parse(body) as Record<string, unknown>) };
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-revenue-'));
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
    readiness: () => ({ ready: true, detail: '' }),
    clock: () => NOW,
    ledgers: new LedgerSet(),
    kpiSettings: { ...DEFAULT_SETTINGS, qualifiedBy: 'mqa' as const },
    modelStatus: () => ({ model: MODEL, takeover: new Map<number, number>(), rescoringTo: null }),
  };
  registerRevenueRoutes(app, options as unknown as QueryOptions);
  await app.ready();
  await new Deals(store).save(
    [
      accountOf('acme', { targetList: true, tier: '1', industry: 'steel' }),
      accountOf('blue', { targetList: false, tier: '2' }),
      // Won with four touches in the 90 days before its close: two of spring, one of autumn, one of none; a meeting is no marketing.
      touchOf('acme', '2025-06-01T00:00:00Z', { campaignId: 'ancient' }),
      touchOf('acme', '2026-01-10T00:00:00Z', { campaignId: 'spring', kind: 'ad_impression', contactId: 'ada' }),
      touchOf('acme', '2026-01-20T00:00:00Z', { campaignId: 'autumn', kind: 'ad_click' }),
      touchOf('acme', '2026-02-01T00:00:00Z', { campaignId: 'spring', contactId: 'ada' }),
      touchOf('acme', '2026-02-20T00:00:00Z'),
      touchOf('acme', '2026-01-05T00:00:00Z', { kind: 'meeting' }),
      leadOf('l1', 'acme', '2026-01-20T00:00:00Z', '2026-01-25T00:00:00Z'),
      opportunityOf('o1', 'acme', '2026-02-05T00:00:00Z', {
        stage: 'won',
        amount: 1000,
        closedAt: at('2026-03-01T00:00:00Z'),
        outcome: 'won',
        source: 'Webinar',
        owner: 'eve',
        updatedAt: at('2026-03-01T00:00:00Z'),
      }),
      opportunityOf('o1', 'acme', '2026-02-05T00:00:00Z', { stage: 'proposal', updatedAt: at('2026-02-10T00:00:00Z') }),
      // Nobody had touched it.
      opportunityOf('o2', 'blue', '2026-02-10T00:00:00Z', {
        stage: 'won',
        amount: 500,
        closedAt: at('2026-03-10T00:00:00Z'),
        outcome: 'won',
        updatedAt: at('2026-03-10T00:00:00Z'),
      }),
      opportunityOf('o3', 'blue', '2026-02-12T00:00:00Z', {
        amount: 70,
        closedAt: at('2026-03-11T00:00:00Z'),
        outcome: 'lost',
        updatedAt: at('2026-03-11T00:00:00Z'),
      }),
      opportunityOf('o4', 'blue', '2026-03-12T00:00:00Z', { stage: 'prospect', amount: 30 }),
    ],
    [
      // March: three accounts, one of them twice, two up to the 16th. April so far: three.
      qualificationOf('acme', 1, '2026-03-02T00:00:00Z', { modelVersion: 'm1' }),
      qualificationOf('acme', 2, '2026-03-05T00:00:00Z', { direction: 'down', type: 'account.mqa.exited' }),
      qualificationOf('acme', 3, '2026-03-09T00:00:00Z', { modelVersion: 'm1' }),
      qualificationOf('blue', 1, '2026-03-15T23:59:59.999Z', { modelVersion: 'm1' }),
      qualificationOf('cyan', 1, '2026-03-16T00:01:00Z', { modelVersion: 'm2' }),
      qualificationOf('dune', 1, '2026-04-01T00:00:00Z', { modelVersion: 'm2' }),
      qualificationOf('echo', 1, '2026-04-02T00:00:00Z', { modelVersion: 'm2' }),
      qualificationOf('acme', 4, '2026-04-10T00:00:00Z', { direction: 'down', type: 'account.mqa.exited' }),
      qualificationOf('acme', 5, '2026-04-11T00:00:00Z', { modelVersion: 'm2' }),
      stageOf('acme', 1, '2025-12-20T00:00:00Z', 'aware'),
      stageOf('acme', 2, '2026-01-30T00:00:00Z', 'engaged'),
      stageOf('blue', 1, '2026-01-05T00:00:00Z', 'aware'),
      stageOf('cyan', 1, '2026-02-01T00:00:00Z', 'former'),
    ],
  );
});

afterAll(async () => {
  await app.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

describe('GET /v1/attribution', () => {
  it('shares revenue by campaign under all models, and tells what nobody touched', async () => {
    const { json } = await get(`/v1/attribution?${QUARTER}&halfLifeDays=7`);
    expect(json).toMatchObject({
      basis: 'revenue',
      by: 'campaign',
      currency: 'EUR',
      reason: null,
      opportunities: 2,
      amount: 1500,
      attributed: { opportunities: 1, amount: 1000 },
      unattributed: { opportunities: 1, amount: 500 },
      nextCursor: null,
    });
    // By hand, of the touches spring, autumn, spring, none. The lead was made by the second, the opportunity by the third.
    const lines = new Map((json['data'] as any[]).map((line) => [line.isAttributed ? (line.key ?? 'none') : 'nobody', line]));
    expect(lines.get('spring')).toMatchObject({ touches: 2, opportunities: 1, credit: { first: 1, last: 0, linear: 0.5, u_shaped: 0.5, w_shaped: 0.6 } });
    expect(lines.get('autumn')).toMatchObject({ touches: 1, credit: { first: 0, last: 0, linear: 0.25, u_shaped: 0.1, w_shaped: 0.3 } });
    expect(lines.get('none')).toMatchObject({ touches: 1, credit: { first: 0, last: 1, linear: 0.25, u_shaped: 0.4, w_shaped: 0.1 } });
    expect(lines.get('nobody')).toMatchObject({ touches: 0, opportunities: 1, credit: { first: 1, linear: 1 }, amount: { first: 500, w_shaped: 500 } });
    expect(lines.get('spring').amount).toMatchObject({ first: 1000, linear: 500, w_shaped: 600 });
    // 41, 31, 19 and 0 days before the last.
    const weights = [41, 31, 19, 0].map((days) => 2 ** (-days / 7));
    const sum = weights.reduce((all, one) => all + one, 0);
    expect(lines.get('spring').credit.time_decay).toBeCloseTo((weights[0]! + weights[2]!) / sum, 8);
    expect([...lines.keys()]).toEqual(['nobody', 'spring', 'none', 'autumn']);
  });

  it('pages, filters and comes as CSV', async () => {
    const first = await get(`/v1/attribution?${QUARTER}&limit=3&model=last`);
    expect(first.json['data'].length).toBe(3);
    const rest = await get(`/v1/attribution?${QUARTER}&limit=3&model=last&cursor=${first.json['nextCursor']}`);
    expect(rest.json).toMatchObject({ data: [{ key: 'spring' }], nextCursor: null });
    const filtered = await get(`/v1/attribution?${QUARTER}&filter.targetList=true&by=kind&kinds=ad_click,meeting`);
    expect(filtered.json['data'].map((line: any) => [line.key, line.credit.linear])).toEqual([
      ['ad_click', 0.5],
      ['meeting', 0.5],
    ]);
    const csv = await get(`/v1/attribution?${QUARTER}`, { accept: 'text/csv' });
    expect(csv.body.split('\n')[0]).toBe(
      'key,isAttributed,touches,opportunities,credit.first,credit.last,credit.linear,credit.u_shaped,credit.w_shaped,credit.time_decay,amount.first,amount.last,amount.linear,amount.u_shaped,amount.w_shaped,amount.time_decay',
    );
    expect(csv.body.split('\n').length).toBe(6);
  });

  it('drills down to opportunities and their touches', async () => {
    const list = await get(`/v1/attribution/opportunities?${QUARTER}&key=spring`);
    expect(list.json['data']).toEqual([
      {
        opportunityId: 'o1',
        accountId: 'acme',
        stage: 'won',
        source: 'Webinar',
        amount: 1000,
        currency: 'EUR',
        outcome: 'won',
        createdAt: '2026-02-05T00:00:00.000Z',
        closedAt: '2026-03-01T00:00:00.000Z',
        touches: 4,
        touchesOfKey: 2,
        credit: { first: 1, last: 0, linear: 0.5, u_shaped: 0.5, w_shaped: 0.6, time_decay: expect.any(Number) as number },
      },
    ]);
    expect((await get(`/v1/attribution/opportunities?${QUARTER}&unattributed=true`)).json['data']).toMatchObject([{ opportunityId: 'o2', touches: 0 }]);
    const page = await get(`/v1/attribution/opportunities?${QUARTER}&basis=pipeline&limit=3`);
    expect(page.json['data'].map((one: any) => one.opportunityId)).toEqual(['o4', 'o3', 'o2']);
    const next = await get(`/v1/attribution/opportunities?${QUARTER}&basis=pipeline&limit=3&cursor=${page.json['nextCursor']}`);
    expect(next.json).toMatchObject({ data: [{ opportunityId: 'o1', touches: 3 }], nextCursor: null });
    const path = await get('/v1/attribution/opportunities/o1');
    expect(path.json).toMatchObject({ opportunityId: 'o1', leadCreatedAt: '2026-01-20T00:00:00.000Z', isCutOff: false });
    expect(path.json['touches'].map((one: any) => [one.kind, one.campaignId, one.credit.w_shaped])).toEqual([
      ['ad_impression', 'spring', 0.3],
      ['ad_click', 'autumn', 0.3],
      ['web_visit', 'spring', 0.3],
      ['web_visit', null, 0.1],
    ]);
    expect((await get('/v1/attribution/opportunities/nobody')).status).toBe(404);
  });
});

describe('GET /v1/influence', () => {
  it('tells pipeline and revenue apart, with what marketing sourced and influenced', async () => {
    const { json } = await get(`/v1/influence?${QUARTER}&by=targetList`);
    // Of o1 the first touch in the time before is the meeting, so that marketing influenced and did not source it.
    expect(json['revenue']).toMatchObject({
      opportunities: 2,
      amount: 1500,
      influenced: { opportunities: 1, amount: 1000, percentOfOpportunities: 50, percentOfAmount: (1000 / 1500) * 100 },
      responded: { opportunities: 1 },
      sourced: { opportunities: 0, amount: 0, percentOfAmount: 0 },
      groups: [
        { group: 'false', opportunities: 1, influenced: { opportunities: 0 } },
        { group: 'true', opportunities: 1, influenced: { opportunities: 1 } },
      ],
    });
    expect(json['pipeline']).toMatchObject({ opportunities: 4, amount: 1600, influenced: { opportunities: 1, percentOfOpportunities: 25 } });
    const bySource = await get(`/v1/influence?${QUARTER}&marketingSources=webinar,%20Event`);
    expect(bySource.json['revenue']).toMatchObject({ sourced: { opportunities: 1, amount: 1000 } });
    const csv = await get(`/v1/influence?${QUARTER}`, { accept: 'text/csv' });
    expect(csv.body.split('\n')[2]).toBe('pipeline,,influenced,1,1000,25,62.5');
    const none = await get('/v1/influence?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z');
    expect(none.json['revenue']).toMatchObject({ opportunities: 0, influenced: { percentOfOpportunities: null, percentOfAmount: null } });
  });

  it('drills down', async () => {
    const { json } = await get(`/v1/influence/opportunities?${QUARTER}&influence=influenced`);
    expect(json['data']).toMatchObject([
      {
        opportunityId: 'o1',
        influenced: true,
        responded: true,
        sourced: false,
        touches: 3,
        firstTouchAt: '2026-01-10T00:00:00.000Z',
        lastTouchAt: '2026-02-01T00:00:00.000Z',
      },
    ]);
    const none = await get(`/v1/influence/opportunities?${QUARTER}&basis=pipeline&influence=none&limit=2`);
    expect(none.json['data'].map((one: any) => one.opportunityId)).toEqual(['o4', 'o3']);
    expect((await get(`/v1/influence/opportunities?${QUARTER}&basis=pipeline&influence=none&limit=2&cursor=${none.json['nextCursor']}`)).json['data']).toMatchObject([
      { opportunityId: 'o2' },
    ]);
  });
});

describe('GET /v1/journey', () => {
  it('tells of accounts, in the order of the model, with the period before', async () => {
    const { json } = await get(`/v1/journey?${QUARTER}&by=targetList`);
    expect(json['data']).toMatchObject([
      { stage: 'aware', name: null, balanceAtStart: 1, entered: 1, left: 1, balance: 1, conversion: 0, meanDays: 41, stalled: 1, previous: { entered: 1, balance: 1 } },
      { stage: 'engaged', name: 'Engaged', balanceAtStart: 0, entered: 1, left: 0, balance: 1, meanDays: null, medianDays: null },
      { stage: 'former', balance: 1 },
    ]);
    expect(json['groups'].map(({ data, group }: any) => [group, data[0].balance, data[1].balance])).toEqual([
      ['false', 1, 0],
      ['true', 0, 1],
    ]);
    const csv = await get(`/v1/journey?${QUARTER}`, { accept: 'text/csv' });
    expect(csv.body.split('\n')[0]).toBe('group,stage,name,balanceAtStart,entered,left,balance,conversion,meanDays,medianDays,stalled');
  });

  it('tells of opportunities', async () => {
    const { json } = await get(`/v1/journey?journey=opportunities&${QUARTER}&stalledDays=10`);
    // o1 was in proposal from its creation on 5 February to its close on 1 March.
    expect(json['data'].map((one: any) => [one.stage, one.entered, one.left, one.balance, one.conversion, one.meanDays, one.stalled])).toEqual([
      ['proposal', 1, 1, 0, 1, 24, 0],
      ['prospect', 1, 0, 1, 0, null, 1],
    ]);
    const stalled = await get(`/v1/journey/stalled?journey=opportunities&${QUARTER}&stalledDays=10`);
    expect(stalled.json).toEqual({
      data: [{ stage: 'prospect', accountId: 'blue', opportunityId: 'o4', since: '2026-03-12T00:00:00.000Z', days: 20 }],
      nextCursor: null,
    });
    const accounts = await get(`/v1/journey/stalled?${QUARTER}&limit=1`);
    expect(accounts.json['data']).toMatchObject([{ stage: 'aware', accountId: 'blue', opportunityId: null }]);
    expect((await get(`/v1/journey/stalled?${QUARTER}&limit=1&cursor=${accounts.json['nextCursor']}`)).json['data']).toMatchObject([{ accountId: 'acme' }]);
  });
});

describe('GET /v1/win-rates', () => {
  it('holds the target list against the rest, with intervals', async () => {
    const { json } = await get(`/v1/win-rates?${QUARTER}`);
    expect(json).toMatchObject({ won: 2, lost: 1, open: 1, created: 4, winRate: 2 / 3, meanCycleDays: 26, medianCycleDays: 26, revenue: 1500, meanValue: 750, reason: null });
    // 4 in work x 2/3 x 750 / 26 days.
    expect(json['velocity']).toBeCloseTo((4 * (2 / 3) * 750) / 26, 10);
    expect(json['groups']).toMatchObject([
      { group: 'false', won: 1, lost: 1, winRate: 0.5, winRateDifference: -0.5 },
      { group: 'true', won: 1, lost: 0, winRate: 1, winRateInterval: { low: expect.closeTo(0.2065, 4) as number, high: 1 } },
    ]);
    const empty = await get('/v1/win-rates?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z');
    expect(empty.json).toMatchObject({ won: 0, winRate: null, winRateInterval: null, velocity: null, reason: 'no opportunity was closed in the period', groups: [] });
    expect((await get(`/v1/win-rates?${QUARTER}&by=owner`, { accept: 'text/csv' })).body.split('\n')[0]).toMatch(/^group,won,lost/);
  });
});

describe('GET /v1/lvr', () => {
  it('tells the month to date, paced and projected', async () => {
    const { json } = await get('/v1/lvr?segmentBy=targetList&months=3');
    expect(json).toMatchObject({
      month: '2026-04',
      from: '2026-04-01T00:00:00.000Z',
      to: '2026-04-16T00:01:00.000Z',
      qualifiedBy: 'mqa',
      thisMonth: 3,
      lastMonth: 3,
      lastMonthToPoint: 2,
      value: 0,
      paced: 50,
      constantModel: { figures: null, reason: 'not asked for' },
      models: [
        { modelVersion: 'm2', thisMonth: 3, lastMonth: 1 },
        { modelVersion: 'm1', thisMonth: 0, lastMonth: 2 },
      ],
      series: [
        { month: '2026-04', qualifiedLeads: 3, value: 0 },
        { month: '2026-03', qualifiedLeads: 3, value: null, reason: 'the month before has no qualified leads to compare with' },
        { month: '2026-02', qualifiedLeads: 0, value: null },
      ],
    });
    const elapsed = (15 * 1440 + 1) / (30 * 1440);
    expect(json['elapsed']).toBeCloseTo(elapsed, 12);
    expect(json['projected']).toBeCloseTo(((3 / elapsed - 3) / 3) * 100, 9);
    expect(json['segments'].map((one: any) => [one.segment, one.thisMonth, one.lastMonth])).toEqual([
      ['false', 2, 2],
      ['true', 1, 1],
    ]);
  });

  it('tells a month that is over, by the CRM, and why there is none', async () => {
    const march = await get('/v1/lvr?month=2026-03');
    expect(march.json).toMatchObject({ thisMonth: 3, lastMonth: 0, value: null, elapsed: 1, projectedLeads: 3, reasons: { value: expect.stringContaining('no qualified leads') as string } });
    const crm = await get('/v1/lvr?month=2026-01&qualifiedBy=crm');
    expect(crm.json).toMatchObject({ thisMonth: 1, models: [] });
    const both = await get('/v1/lvr?month=2026-03&qualifiedBy=both');
    expect(both.json).toMatchObject({ thisMonth: 1 });
    const either = await get('/v1/lvr?month=2026-01&qualifiedBy=either');
    expect(either.json).toMatchObject({ thisMonth: 0 });
    const csv = await get('/v1/lvr?segmentBy=tier', { accept: 'text/csv' });
    expect(csv.body.split('\n')[0]).toBe('month,segment,thisMonth,lastMonth,lastMonthToPoint,value,paced,projectedLeads,projected');
  });

  it('tells what had been under one constant model, once it is computed', async () => {
    const first = await get('/v1/lvr?month=2026-01&constantModel=true');
    expect(first.json['constantModel']).toMatchObject({ figures: null, reason: expect.stringContaining('being computed') as string });
    for (let tries = 0; tries < 100; tries++) {
      const { json } = await get('/v1/lvr?month=2026-01&constantModel=true');
      if (json['constantModel'].figures === null) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      expect(json['constantModel']).toMatchObject({ modelVersion: 'm2', reason: null });
      return;
    }
    expect.unreachable('it was not computed');
  });
});

describe('gauges', () => {
  it('tell lead velocity and balances of the CRM’s stages', async () => {
    await metrics.text();
    await vi.waitFor(async () => {
      const text = await metrics.text();
      expect(text).toContain('touchstone_lead_velocity_percent{figure="value"} 0');
      expect(text).toContain('touchstone_lead_velocity_percent{figure="paced"} 50');
      expect(text).toContain('touchstone_opportunities_by_stage{stage="prospect"} 1');
      expect(text).toContain('touchstone_opportunities_by_stage{stage="proposal"} 0');
    }, 20_000);
  });
});

describe('bad parameters', () => {
  it.each([
    ['/v1/attribution?lookbackDays=-1', '#/lookbackDays'],
    ['/v1/attribution?halfLifeDays=0', '#/halfLifeDays'],
    ['/v1/attribution?kinds=Ad%20Click', '#/kinds'],
    ['/v1/attribution?by=weather', '#/by'],
    ['/v1/attribution?currency=euro', '#/currency'],
    ['/v1/attribution?cursor=nonsense', '#/cursor'],
    ['/v1/attribution?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', '#/to'],
    ['/v1/attribution/opportunities?limit=100000', '#/limit'],
    ['/v1/influence?by=campaign', '#/by'],
    ['/v1/influence/opportunities?influence=some', '#/influence'],
    ['/v1/journey?journey=contacts', '#/journey'],
    ['/v1/journey?by=source', '#/by'],
    ['/v1/journey?filter.source=web', '#/filter.source'],
    ['/v1/journey?stalledDays=x', '#/stalledDays'],
    ['/v1/win-rates?by=month', '#/by'],
    ['/v1/lvr?month=2026-13', '#/month'],
    ['/v1/lvr?month=2026-05', '#/month'],
    ['/v1/lvr?timeZone=Mars', '#/timeZone'],
    ['/v1/lvr?qualifiedBy=me', '#/qualifiedBy'],
  ])('are named: %s', async (url, pointer) => {
    const { json, status } = await get(url);
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 'invalid_request', errors: [{ in: 'query', pointer, detail: expect.stringContaining(pointer.slice(2)) as string }] });
  });
});
