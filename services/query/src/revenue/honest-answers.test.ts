import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MODEL, openRevenueApp, type RevenueApp } from './test-revenue-app.ts';
import { opportunityOf } from './test-deals.ts';

/** Answers where part of what they need is not told: each says so, and why. */

let app: RevenueApp;

const monthOf = (month: string): string => `from=2024-${month}-01T00:00:00Z&to=2024-${month}-28T00:00:00Z`;
const containing = (text: string): unknown => expect.stringContaining(text);

const wonOf = (id: string, month: string, amount: number | null, currency = 'EUR') => {
  const closedAt = Date.parse(`2024-${month}-20T00:00:00Z`);
  return opportunityOf(id, 'blue', `2024-${month}-10T00:00:00Z`, { amount, currency, closedAt, outcome: 'won', updatedAt: closedAt });
};

beforeAll(async () => {
  app = await openRevenueApp();
  await app.save([
    // January in two currencies, February without amounts, March with one of two, April of none.
    wonOf('jan eur', '01', 100),
    wonOf('jan usd', '01', 50, 'USD'),
    wonOf('feb', '02', null),
    wonOf('mar 1', '03', 300),
    wonOf('mar 2', '03', null),
  ]);
});
afterAll(() => app.close());

describe('GET /v1/win-rates', () => {
  it.each([
    [
      'several currencies',
      '01',
      '',
      { revenue: null, meanValue: null, velocity: null, reason: containing('several currencies (EUR, USD)') },
    ],
    [
      'a currency without a rate',
      '01',
      '&currency=EUR',
      { revenue: null, reason: 'amounts in USD can not be told in EUR: no rate is set' },
    ],
    ['no amounts', '02', '', { revenue: null, reason: 'no opportunity that was won in the period has an amount' }],
    ['one amount of two deals', '03', '', { revenue: 300, meanValue: 300, reason: null }],
    ['nothing', '04', '', { revenue: null, reason: 'no opportunity was closed in the period' }],
  ])('says why there is none of %s', async (_, month, more, figures) => {
    const { json } = await app.get(`/v1/win-rates?${monthOf(month)}${more}`);
    expect(json).toMatchObject(figures);
    if (month !== '04') expect(json['groups']).toMatchObject([{ group: 'false', ...figures }]);
  });
});

describe('deals without an amount', () => {
  it('are counted beside the amounts that they add nothing to', async () => {
    const influence = await app.get(`/v1/influence?${monthOf('03')}&by=targetList`);
    const figures = { opportunities: 2, amount: 300, withoutAmount: 1 };
    expect(influence.json).toMatchObject({ revenue: { ...figures, groups: [figures] }, pipeline: figures });
    const attribution = await app.get(`/v1/attribution?${monthOf('03')}`);
    expect(attribution.json).toMatchObject({
      ...figures,
      attributed: { opportunities: 0, withoutAmount: 0 },
      unattributed: { opportunities: 2, amount: 300, withoutAmount: 1 },
    });
  });
});

describe('GET /v1/lvr', () => {
  it.each([
    ['mqa', 'no qualification'],
    ['both', 'no qualification'],
    ['either', null],
    ['crm', null],
  ])('by %s has no counts where the model qualifies nobody', async (qualifiedBy, reason) => {
    const { qualification: _, ...model } = MODEL;
    app.useModel(model);
    const { json } = await app.get(`/v1/lvr?month=2026-04&segmentBy=tier&qualifiedBy=${qualifiedBy}&months=2`);
    app.useModel(MODEL);
    if (reason === null) {
      expect(json['thisMonth']).toEqual(expect.any(Number));
      return;
    }
    const why = containing(reason);
    const none = {
      thisMonth: null,
      lastMonth: null,
      lastMonthToPoint: null,
      value: null,
      paced: null,
      projectedLeads: null,
      projected: null,
    };
    expect(json).toMatchObject({ ...none, reasons: { value: why, paced: why, projected: why }, models: [], segments: [] });
    expect(json['series']).toMatchObject([
      { month: '2026-04', qualifiedLeads: null, value: null, reason: why },
      { month: '2026-03', qualifiedLeads: null, value: null, reason: why },
    ]);
    const known = await app.get(`/v1/lvr?month=2026-04&segmentBy=tier&qualifiedBy=mqa&months=2`);
    expect(known.json).toMatchObject({ thisMonth: 3 });
  });

  it('has no gauges either', async () => {
    const { qualification: _, ...model } = MODEL;
    app.useModel(model);
    await app.metrics.text();
    await vi.waitFor(async () => {
      expect(await app.metrics.text()).toContain('touchstone_lead_velocity_percent{figure="paced"} Nan');
    }, 20_000);
    app.useModel(MODEL);
  });
});
