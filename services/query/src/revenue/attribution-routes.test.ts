import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, cursorOf, openRevenueApp, QUARTER, told, type RevenueApp } from './test-revenue-app.ts';

let app: RevenueApp;

beforeAll(async () => {
  app = await openRevenueApp();
});
afterAll(() => app.close());

describe('GET /v1/attribution', () => {
  it('shares revenue by campaign under all models, and tells what nobody touched', async () => {
    const { json } = await app.get(`/v1/attribution?${QUARTER}&halfLifeDays=7`);
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
    const data = json['data'] as readonly { readonly isAttributed: boolean; readonly key: string | null }[];
    const lines = new Map(data.map((line) => [line.isAttributed ? (line.key ?? 'none') : 'nobody', line]));
    expect(lines.get('spring')).toMatchObject({
      touches: 2,
      opportunities: 1,
      credit: { first: 1, last: 0, linear: 0.5, u_shaped: 0.5, w_shaped: 0.6 },
    });
    expect(lines.get('autumn')).toMatchObject({ touches: 1, credit: { first: 0, last: 0, linear: 0.25, u_shaped: 0.1, w_shaped: 0.3 } });
    expect(lines.get('none')).toMatchObject({ touches: 1, credit: { first: 0, last: 1, linear: 0.25, u_shaped: 0.4, w_shaped: 0.1 } });
    expect(lines.get('nobody')).toMatchObject({
      touches: 0,
      opportunities: 1,
      credit: { first: 1, linear: 1 },
      amount: { first: 500, w_shaped: 500 },
    });
    expect(at(lines.get('spring'), 'amount')).toMatchObject({ first: 1000, linear: 500, w_shaped: 600 });
    // 41, 31, 19 and 0 days before the last.
    const weights = [41, 31, 19, 0].map((days) => 2 ** (-days / 7));
    const sum = weights.reduce((all, one) => all + one, 0);
    expect(at(lines.get('spring'), 'credit.time_decay')).toBeCloseTo((weights[0]! + weights[2]!) / sum, 8);
    expect([...lines.keys()]).toEqual(['nobody', 'spring', 'none', 'autumn']);
  });

  it('pages, filters and comes as CSV', async () => {
    const first = await app.get(`/v1/attribution?${QUARTER}&limit=3&model=last`);
    expect(first.json['data']).toHaveLength(3);
    const rest = await app.get(`/v1/attribution?${QUARTER}&limit=3&model=last&cursor=${cursorOf(first)}`);
    expect(rest.json).toMatchObject({ data: [{ key: 'spring' }], nextCursor: null });
    const filtered = await app.get(`/v1/attribution?${QUARTER}&filter.targetList=true&by=kind&kinds=ad_click,meeting`);
    expect(told(filtered.json['data'], 'key', 'credit.linear')).toEqual([
      ['ad_click', 0.5],
      ['meeting', 0.5],
    ]);
    const csv = await app.get(`/v1/attribution?${QUARTER}`, { accept: 'text/csv' });
    expect(csv.body.split('\n')[0]).toBe(
      'key,isAttributed,touches,opportunities,credit.first,credit.last,credit.linear,credit.u_shaped,credit.w_shaped,credit.time_decay,amount.first,amount.last,amount.linear,amount.u_shaped,amount.w_shaped,amount.time_decay',
    );
    expect(csv.body.split('\n').length).toBe(6);
  });

  it('drills down to opportunities and their touches', async () => {
    const list = await app.get(`/v1/attribution/opportunities?${QUARTER}&key=spring`);
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
    expect((await app.get(`/v1/attribution/opportunities?${QUARTER}&unattributed=true`)).json['data']).toMatchObject([
      { opportunityId: 'o2', touches: 0 },
    ]);
    const page = await app.get(`/v1/attribution/opportunities?${QUARTER}&basis=pipeline&limit=3`);
    expect(told(page.json['data'], 'opportunityId').flat()).toEqual(['o4', 'o3', 'o2']);
    const next = await app.get(`/v1/attribution/opportunities?${QUARTER}&basis=pipeline&limit=3&cursor=${cursorOf(page)}`);
    expect(next.json).toMatchObject({ data: [{ opportunityId: 'o1', touches: 3 }], nextCursor: null });
    const path = await app.get('/v1/attribution/opportunities/o1');
    expect(path.json).toMatchObject({ opportunityId: 'o1', leadCreatedAt: '2026-01-20T00:00:00.000Z', isCutOff: false });
    expect(told(path.json['touches'], 'kind', 'campaignId', 'credit.w_shaped')).toEqual([
      ['ad_impression', 'spring', 0.3],
      ['ad_click', 'autumn', 0.3],
      ['web_visit', 'spring', 0.3],
      ['web_visit', null, 0.1],
    ]);
    expect((await app.get('/v1/attribution/opportunities/nobody')).status).toBe(404);
  });
});

describe('GET /v1/influence', () => {
  it('tells pipeline and revenue apart, with what marketing sourced and influenced', async () => {
    const { json } = await app.get(`/v1/influence?${QUARTER}&by=targetList`);
    // Webinars are marketing's by the settings.
    expect(json['revenue']).toMatchObject({
      opportunities: 2,
      amount: 1500,
      influenced: { opportunities: 1, amount: 1000, percentOfOpportunities: 50, percentOfAmount: (1000 / 1500) * 100 },
      responded: { opportunities: 1 },
      sourced: { opportunities: 1, amount: 1000 },
      groups: [
        { group: 'false', opportunities: 1, influenced: { opportunities: 0 } },
        { group: 'true', opportunities: 1, influenced: { opportunities: 1 } },
      ],
    });
    expect(json['pipeline']).toMatchObject({
      opportunities: 4,
      amount: 1600,
      influenced: { opportunities: 1, percentOfOpportunities: 25 },
    });
    const bySource = await app.get(`/v1/influence?${QUARTER}&marketingSources=webinar,%20Event`);
    expect(bySource.json['revenue']).toMatchObject({ sourced: { opportunities: 1, amount: 1000 } });
    // By touches alone: of o1 the first in the time before is the meeting, so that marketing influenced and did not source it.
    const byTouches = await app.get(`/v1/influence?${QUARTER}&marketingSources=`);
    expect(byTouches.json['revenue']).toMatchObject({ sourced: { opportunities: 0, amount: 0, percentOfAmount: 0 } });
    const csv = await app.get(`/v1/influence?${QUARTER}`, { accept: 'text/csv' });
    expect(csv.body.split('\n')[2]).toBe('pipeline,,influenced,1,1000,25,62.5,');
    const none = await app.get('/v1/influence?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z');
    expect(none.json['revenue']).toMatchObject({ opportunities: 0, influenced: { percentOfOpportunities: null, percentOfAmount: null } });
  });

  it('drills down', async () => {
    const { json } = await app.get(`/v1/influence/opportunities?${QUARTER}&influence=influenced`);
    expect(json['data']).toMatchObject([
      {
        opportunityId: 'o1',
        influenced: true,
        responded: true,
        sourced: true,
        touches: 3,
        firstTouchAt: '2026-01-10T00:00:00.000Z',
        lastTouchAt: '2026-02-01T00:00:00.000Z',
      },
    ]);
    const none = await app.get(`/v1/influence/opportunities?${QUARTER}&basis=pipeline&influence=none&limit=2`);
    expect(told(none.json['data'], 'opportunityId').flat()).toEqual(['o4', 'o3']);
    expect(
      (await app.get(`/v1/influence/opportunities?${QUARTER}&basis=pipeline&influence=none&limit=2&cursor=${cursorOf(none)}`)).json['data'],
    ).toMatchObject([{ opportunityId: 'o2' }]);
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
    const { json, status } = await app.get(url);
    expect(status).toBe(400);
    expect(json).toMatchObject({
      code: 'invalid_request',
      errors: [{ in: 'query', pointer, detail: expect.stringContaining(pointer.slice(2)) as string }],
    });
  });
});
