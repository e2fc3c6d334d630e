import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { at, cursorOf, openRevenueApp, QUARTER, told, type RevenueApp } from './test-revenue-app.ts';

let app: RevenueApp;

beforeAll(async () => {
  app = await openRevenueApp();
});
afterAll(() => app.close());

describe('GET /v1/journey', () => {
  it('tells of accounts, in the order of the model, with the period before', async () => {
    const { json } = await app.get(`/v1/journey?${QUARTER}&by=targetList`);
    expect(json['data']).toMatchObject([
      {
        stage: 'aware',
        name: null,
        balanceAtStart: 1,
        entered: 1,
        left: 1,
        balance: 1,
        conversion: 0,
        meanDays: 41,
        stalled: 1,
        previous: { entered: 1, balance: 1 },
      },
      { stage: 'engaged', name: 'Engaged', balanceAtStart: 0, entered: 1, left: 0, balance: 1, meanDays: null, medianDays: null },
      { stage: 'former', balance: 1 },
    ]);
    expect(told(json['groups'], 'group', 'data.0.balance', 'data.1.balance')).toEqual([
      ['false', 1, 0],
      ['true', 0, 1],
    ]);
    const csv = await app.get(`/v1/journey?${QUARTER}`, { accept: 'text/csv' });
    expect(csv.body.split('\n')[0]).toBe('group,stage,name,balanceAtStart,entered,left,balance,conversion,meanDays,medianDays,stalled');
  });

  it('tells of opportunities', async () => {
    const { json } = await app.get(`/v1/journey?journey=opportunities&${QUARTER}&stalledDays=10`);
    // o1 was in proposal from its creation on 5 February to its close on 1 March.
    expect(told(json['data'], 'stage', 'entered', 'left', 'balance', 'conversion', 'meanDays', 'stalled')).toEqual([
      ['proposal', 1, 1, 0, 1, 24, 0],
      ['prospect', 1, 0, 1, 0, null, 1],
    ]);
    // o2 and o3 were told of once they were closed.
    expect(json['unstaged']).toMatchObject({ opportunities: 2, reason: expect.stringContaining('only once') as string });
    const targets = await app.get(`/v1/journey?journey=opportunities&${QUARTER}&filter.targetList=true`);
    expect(targets.json['unstaged']).toEqual({ opportunities: 0, reason: null });
    expect((await app.get(`/v1/journey?${QUARTER}`)).json['unstaged']).toBeNull();
    const stalled = await app.get(`/v1/journey/stalled?journey=opportunities&${QUARTER}&stalledDays=10`);
    expect(stalled.json).toEqual({
      data: [{ stage: 'prospect', accountId: 'blue', opportunityId: 'o4', since: '2026-03-12T00:00:00.000Z', days: 20 }],
      nextCursor: null,
    });
    const accounts = await app.get(`/v1/journey/stalled?${QUARTER}&limit=1`);
    expect(accounts.json['data']).toMatchObject([{ stage: 'aware', accountId: 'blue', opportunityId: null }]);
    expect((await app.get(`/v1/journey/stalled?${QUARTER}&limit=1&cursor=${cursorOf(accounts)}`)).json['data']).toMatchObject([
      { accountId: 'acme' },
    ]);
  });
});

describe('GET /v1/win-rates', () => {
  it('holds the target list against the rest, with intervals', async () => {
    const { json } = await app.get(`/v1/win-rates?${QUARTER}`);
    expect(json).toMatchObject({
      won: 2,
      lost: 1,
      open: 1,
      created: 4,
      winRate: 2 / 3,
      meanCycleDays: 26,
      medianCycleDays: 26,
      revenue: 1500,
      meanValue: 750,
      reason: null,
    });
    // 4 in work x 2/3 x 750 / 26 days.
    expect(json['velocity']).toBeCloseTo((4 * (2 / 3) * 750) / 26, 10);
    expect(json['groups']).toMatchObject([
      { group: 'false', won: 1, lost: 1, winRate: 0.5, winRateDifference: -0.5 },
      { group: 'true', won: 1, lost: 0, winRate: 1, winRateInterval: { low: expect.closeTo(0.2065, 4) as number, high: 1 } },
    ]);
    const empty = await app.get('/v1/win-rates?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z');
    expect(empty.json).toMatchObject({
      won: 0,
      winRate: null,
      winRateInterval: null,
      velocity: null,
      reason: 'no opportunity was closed in the period',
      groups: [],
    });
    expect((await app.get(`/v1/win-rates?${QUARTER}&by=owner`, { accept: 'text/csv' })).body.split('\n')[0]).toMatch(/^group,won,lost/);
  });
});

describe('GET /v1/lvr', () => {
  it('tells the month to date, paced and projected', async () => {
    const { json } = await app.get('/v1/lvr?segmentBy=targetList&months=3');
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
    expect(told(json['segments'], 'segment', 'thisMonth', 'lastMonth')).toEqual([
      ['false', 2, 2],
      ['true', 1, 1],
    ]);
  });

  it('tells a month that is over, by the CRM, and why there is none', async () => {
    const march = await app.get('/v1/lvr?month=2026-03');
    expect(march.json).toMatchObject({
      thisMonth: 3,
      lastMonth: 0,
      value: null,
      elapsed: 1,
      projectedLeads: 3,
      reasons: { value: expect.stringContaining('no qualified leads') as string },
    });
    const crm = await app.get('/v1/lvr?month=2026-01&qualifiedBy=crm');
    expect(crm.json).toMatchObject({ thisMonth: 1, models: [] });
    const both = await app.get('/v1/lvr?month=2026-03&qualifiedBy=both');
    expect(both.json).toMatchObject({ thisMonth: 1 });
    const either = await app.get('/v1/lvr?month=2026-01&qualifiedBy=either');
    // The CRM was earlier than the engine, which said so in March.
    expect(either.json).toMatchObject({ thisMonth: 1 });
    const csv = await app.get('/v1/lvr?segmentBy=tier', { accept: 'text/csv' });
    expect(csv.body.split('\n')[0]).toBe('month,segment,thisMonth,lastMonth,lastMonthToPoint,value,paced,projectedLeads,projected');
  });

  it('tells what had been under one constant model, once it is computed', async () => {
    const first = await app.get('/v1/lvr?month=2026-01&constantModel=true');
    expect(first.json['constantModel']).toMatchObject({ figures: null, reason: expect.stringContaining('being computed') as string });
    for (let tries = 0; tries < 100; tries++) {
      const { json } = await app.get('/v1/lvr?month=2026-01&constantModel=true');
      if (at(json['constantModel'], 'figures') === null) {
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
    await app.metrics.text();
    await vi.waitFor(async () => {
      const text = await app.metrics.text();
      expect(text).toContain('touchstone_lead_velocity_percent{figure="value"} 0');
      expect(text).toContain('touchstone_lead_velocity_percent{figure="paced"} 50');
      expect(text).toContain('touchstone_opportunities_by_stage{stage="prospect"} 1');
      expect(text).toContain('touchstone_opportunities_by_stage{stage="proposal"} 0');
    }, 20_000);
  });
});
