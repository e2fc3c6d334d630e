import type { Fact } from '@touchstone/engine';
import { planSpans, type KpiAnswer } from '@touchstone/kpis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowTransport } from '../row-transport.ts';
import { accountFact, contactFact, dealFact, leadFact, spendFact, subscriptionFact } from './test-facts.ts';
import { KpiWorld, type Question } from './test-kpi-world.ts';

const FEBRUARY = '2026-02-01T00:00:00Z';
const MARCH = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };
const APRIL = { from: '2026-04-01T00:00:00Z', to: '2026-05-01T00:00:00Z' };
const LONG_AGO = { from: '1999-03-01T00:00:00Z', to: '1999-04-01T00:00:00Z' };

/** What happened in March 2026, and a little before. */
const FACTS = [
  accountFact('a1', { tier: '1', industry: 'software', targetList: true }),
  accountFact('a2', { tier: '2', targetList: true }),
  accountFact('a3', { tier: '2' }),
  leadFact('l1', '2026-03-01T00:00:00Z', { qualifiedAt: '2026-03-05T00:00:00Z', source: 'Ads', accountId: 'a1' }),
  leadFact('l2', '2026-03-31T23:59:59.999Z', { source: 'web' }),
  leadFact('l3', '2026-03-15T00:00:00Z', { status: 'MQL', source: 'web' }),
  leadFact('l4', '2026-03-15T00:00:00Z', { campaignId: 'spring', accountId: 'a3' }),
  leadFact('l5', '2026-04-01T00:00:00Z'),
  leadFact('l6', '2026-02-01T00:00:00Z', { qualifiedAt: '2026-03-05T00:00:00Z' }),
  spendFact('s1', '2026-03-01', 100, { channel: 'cpc', campaignId: 'spring' }),
  spendFact('s2', '2026-03-31', 300, { category: 'events' }),
  spendFact('s3', '2026-02-28', 50, { category: 'Ads' }),
  spendFact('s4', '2026-03-10', 40, { category: 'COGS' }),
  spendFact('s5', '2026-03-10', 200, { category: 'sales' }),
  dealFact('o1', 'a1', '2026-02-10T00:00:00Z', { closedAt: '2026-03-05T00:00:00Z', outcome: 'won', amount: 1000, source: 'Web' }),
  dealFact('o2', 'a2', '2026-03-02T00:00:00Z', { closedAt: '2026-03-31T23:59:59Z', outcome: 'won', amount: 500, source: 'partner' }),
  dealFact('o3', 'a1', '2026-01-02T00:00:00Z', { closedAt: '2026-02-01T00:00:00Z', outcome: 'won', amount: 250 }),
  dealFact('o4', 'a3', '2026-03-20T00:00:00Z', { amount: 9000 }),
  dealFact('o5', 'nobody-knows', '2026-03-20T00:00:00Z', { closedAt: '2026-03-21T00:00:00Z', outcome: 'lost', amount: 70 }),
  subscriptionFact('u1', 'a1', 100, '2026-01-01T00:00:00Z'),
  subscriptionFact('u2', 'a1', 50, '2026-03-15T00:00:00Z'),
  subscriptionFact('u3', 'a2', 200, '2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'),
  subscriptionFact('u4', 'a3', 80, '2026-03-10T00:00:00Z'),
  subscriptionFact('u5', 'a4', 300, '2025-12-01T00:00:00Z', '2026-03-20T00:00:00Z'),
  subscriptionFact('u6', 'a4', 120, '2026-03-20T00:00:00Z'),
];

const visit = (occurredAt: string, accountId: string | null, contactId: string | null, more: object = {}) => ({
  kind: 'web_visit',
  occurredAt: Date.parse(occurredAt),
  accountId,
  contactId,
  ...more,
});
const TOUCHES = [
  visit('2026-02-10T00:00:00Z', 'a1', 'ann', { campaignId: 'winter' }),
  visit('2026-03-01T04:59:00Z', 'a1', 'ann', { campaignId: 'spring' }),
  visit('2026-03-20T00:00:00Z', 'a1', 'ann'),
  visit('2026-03-20T00:00:00Z', 'a4', 'cid'),
  visit('2026-03-21T00:00:00Z', null, null),
  visit('2026-04-01T03:59:00Z', 'a1', 'dan', { campaignId: 'summer' }),
  { ...visit('2026-03-05T00:00:00Z', 'a2', 'eve', { campaignId: 'autumn' }), kind: 'ad_impression' },
  { ...visit('2026-03-06T00:00:00Z', 'a1', 'bob', { campaignId: 'spring' }), kind: 'ad_click' },
];

const MARGIN = { settings: { grossMargin: 0.8 } };
const near = (value: number): unknown => expect.closeTo(value, 9);

/** Worked by hand from the facts above. */
const CASES: readonly (readonly [says: string, kpi: string, question: Question, answer: object])[] = [
  ['2 of 4 leads of March qualified', 'qualified_lead_rate', MARCH, { value: 50, numerator: 2, denominator: 4, previous: { value: 100 } }],
  ['a last day belongs to its month, midnight to the next', 'qualified_lead_rate', APRIL, { value: 0, numerator: 0, denominator: 1 }],
  [
    'hours of a day hold no day, and spend is known by day',
    'cac',
    { from: '2026-03-03T09:00:00Z', to: '2026-03-03T17:00:00Z' },
    { value: null, numerator: null, reason: expect.stringMatching(/^nothing is known of/) },
  ],
  ['no lead, no rate', 'qualified_lead_rate', LONG_AGO, { value: null, denominator: 0, reason: 'no lead was created in the period' }],
  ['100 of ads by a lead of ads and one of its campaign', 'cpl', MARCH, { value: 50, numerator: 100, denominator: 2, currency: 'EUR' }],
  ['ad spend without a lead', 'cpl', { ...MARCH, from: FEBRUARY, to: MARCH.from }, { value: null, numerator: 50, denominator: 0 }],
  [
    'no day begins in some hours of one',
    'cpl',
    { from: '2026-03-10T09:00:00Z', to: '2026-03-10T17:00:00Z' },
    { value: null, denominator: 0, reason: 'nothing is known of spend in the period' },
  ],
  ['no ad spend is not free', 'cpl', APRIL, { value: null, numerator: null, reason: 'nothing is known of spend in the period' }],
  ['600 without cogs by a3; a1 and a2 had bought before', 'cac', MARCH, { value: 600, numerator: 600, denominator: 1 }],
  [
    'no new customer',
    'cac',
    { from: '2026-02-02T00:00:00Z', to: MARCH.from },
    { value: null, reason: 'no customer was won in the period' },
  ],
  ['(1000 - 200 - 400) / 400', 'romi', { ...MARCH, ...MARGIN }, { value: near(100), numerator: near(400), denominator: 400 }],
  ['cogs by share of revenue: 1000 - 40/1500 of it - 400', 'romi', MARCH, { value: near(((1000 - 1000 * (40 / 1500) - 400) / 400) * 100) }],
  [
    'no margin known',
    'romi',
    { ...MARCH, from: FEBRUARY, to: MARCH.from },
    { value: null, reason: expect.stringContaining('KPI_GROSS_MARGIN') },
  ],
  ['deals by the day they closed', 'revenue', MARCH, { value: 1500, figures: { deals: 2, meanValue: 750 }, previous: { value: 250 } }],
  ['nothing won is 0', 'revenue', LONG_AGO, { value: 0, figures: { deals: 0, meanValue: null } }],
  ['350 by 3', 'arpa', MARCH, { value: near(350 / 3), figures: { new: 80, existing: 135, newAccounts: 1 } }],
  ['nobody paid', 'arpa', LONG_AGO, { value: null, reason: 'no account has a subscription as the period ends' }],
  ['600 / (350/3 x 0.8)', 'cac_payback_months', { ...MARCH, ...MARGIN }, { value: near(600 / ((350 / 3) * 0.8)) }],
  ['cogs of 40 of 350', 'cac_payback_months', MARCH, { value: near(600 / ((350 / 3) * (1 - 40 / 350))) }],
  [
    '200 of 600, and the bridge closes',
    'gross_mrr_churn',
    MARCH,
    {
      value: near((200 / 600) * 100),
      figures: { start: 600, new: 80, expansion: 50, contraction: 180, churn: 200, end: 350, withContraction: near((380 / 600) * 100) },
    },
  ],
  ['no revenue to lose', 'gross_mrr_churn', LONG_AGO, { value: null, reason: 'there was no recurring revenue as the period began' }],
  ['350/3 by 1 of 3 a month', 'cltv', MARCH, { value: near(350), figures: { lost: 1, churnRate: near(1 / 3) } }],
  ['nobody left', 'cltv', APRIL, { value: null, reason: expect.stringContaining('no customer was lost') }],
  [
    '2 of 3; who nobody knows is no account of the CRM',
    'accounts_with_opportunity',
    MARCH,
    { value: near(200 / 3), figures: { targetList: 50, rest: 100, targetAccounts: 2, targetAccountsWith: 1 } },
  ],
];

/** The part of the store's contract about KPIs. */
export function describeKpis(name: string, open: () => Promise<RowTransport>): void {
  describe(`KPIs on ${name}`, () => {
    let world: KpiWorld;

    beforeAll(async () => {
      world = new KpiWorld(await open());
      await world.store.migrate();
    });

    afterAll(() => world.store.close());

    it.each([
      'qualified_lead_rate',
      'cpl',
      'cac',
      'romi',
      'revenue',
      'arpa',
      'cac_payback_months',
      'gross_mrr_churn',
      'cltv',
      'accounts_with_opportunity',
    ])('have no %s while nothing is known', async (kpi) => {
      expect(await world.ask(kpi, MARCH)).toMatchObject({ value: null, reason: expect.stringMatching(/^nothing is known of/) });
    });

    it('have no share of marketing while no opportunity says its source and nobody was touched, nor of a qualification that no model has', async () => {
      const deal = dealFact('silent', 'a1', '2018-03-02T00:00:00Z', { closedAt: '2018-03-05T00:00:00Z', outcome: 'won', amount: 1000 });
      await world.tell([deal, spendFact('s0', '2018-03-01', 100), leadFact('l0', '2018-03-01T00:00:00Z')]);
      const march = { from: '2018-03-01T00:00:00Z', to: '2018-04-01T00:00:00Z' };
      const unknown = (what: string) => ({ value: null, reason: `nothing is known of ${what}` });
      expect(await world.ask('romi', { ...march, ...MARGIN })).toMatchObject(unknown('sources of opportunities'));
      expect(await world.ask('marketing_influence', march)).toMatchObject({ ...unknown('touches'), figures: { revenue: null } });
      const byEngine = { ...march, parameters: { qualifiedBy: 'mqa' }, settings: { hasQualification: false } };
      expect(await world.ask('qualified_lead_rate', byEngine)).toMatchObject({
        value: null,
        reason: expect.stringContaining('no qualification'),
      });
    });

    describe('of facts', () => {
      beforeAll(() => world.tell(FACTS));

      it.each(CASES)('%s: %s', async (_, kpi, question, answer) => {
        expect(await world.ask(kpi, question)).toMatchObject(answer);
      });

      it('count visits, contacts and accounts exactly, however often they are stored', async () => {
        await world.touch(TOUCHES);
        await world.tell([contactFact('ann', 'a1', 'champion'), contactFact('bob', 'a1', 'user')]);
        expect(await world.ask('website_traffic', MARCH)).toMatchObject({
          value: 4,
          figures: { contacts: 2, accounts: 2 },
          previous: { value: 1 },
        });
        const byCampaign = await world.ask('website_traffic', { ...MARCH, segmentBy: 'campaignId' });
        expect(byCampaign.segments.map(({ segment, value }) => [segment, value])).toEqual([
          [null, 3],
          ['spring', 1],
        ]);
        // a1 by ann's visit; a2's only touch was an impression.
        expect(await world.ask('engagement_rate', MARCH)).toMatchObject({ value: 50, numerator: 1, denominator: 2 });
        const settings = { rolesWanted: ['champion', 'decision_maker'] };
        expect(await world.ask('reach', { ...MARCH, settings })).toMatchObject({
          value: 3,
          figures: { newContacts: 3, accounts: 2, coverage: 25 },
        });
        const firsts = await world.ask('reach', { ...MARCH, segmentBy: 'campaignId' });
        expect(Object.fromEntries(firsts.segments.map(({ figures, segment }) => [segment, figures['newContacts']]))).toEqual({
          null: 1,
          autumn: 1,
          spring: 1,
        });
        // In New York the visit of 1 April, 3:59 is March's and that of 1 March, 4:59 is not.
        const there = { from: '2026-03-01T05:00:00Z', to: '2026-04-01T04:00:00Z', timeZone: 'America/New_York' };
        expect(await world.ask('website_traffic', there)).toMatchObject({ value: 4, previous: { value: 2 } });
      });

      it('come by segment and by interval, and by what is filtered', async () => {
        const answer = await world.ask('qualified_lead_rate', { ...MARCH, interval: 'week', segmentBy: 'source' });
        const segments = answer.segments.map(({ denominator, segment, value }) => [segment, denominator, value]);
        expect(segments).toEqual([
          ['web', 2, 50],
          [null, 1, 0],
          ['Ads', 1, 100],
        ]);
        expect(answer.benchmark.segmentMean.value).toBe(50);
        const series = answer.series.map(({ denominator, value }) => [denominator, value]);
        expect(series).toEqual([
          [1, 100],
          [0, null],
          [2, 50],
          [0, null],
          [0, null],
          [1, 0],
        ]);
        expect(await world.ask('revenue', { ...MARCH, filters: { tier: ['2'] } })).toMatchObject({ value: 500 });
        expect(await world.ask('revenue', { ...MARCH, filters: { tier: ['1', '2'], targetList: ['true'] } })).toMatchObject({
          value: 1500,
        });
        const byTier = await world.ask('revenue', { ...MARCH, segmentBy: 'tier' });
        expect(byTier.segments.map(({ previous, segment, value }) => [segment, value, previous.value])).toEqual([
          ['1', 1000, 250],
          ['2', 500, 0],
        ]);
        const unknown = await world.ask('cac', { ...MARCH, filters: { tier: ['2'] } });
        expect(unknown).toMatchObject({ value: null, denominator: 1, reason: 'spend can not be told by tier' });
      });

      it('take days and months as they are in a time zone', async () => {
        const lead = (id: string, createdAt: string) => leadFact(id, createdAt);
        // In New York March 2025 has 31 days less an hour, on Lord Howe April 2025 has 30 days and half an hour.
        await world.tell([
          lead('n1', '2025-03-01T04:59:59Z'),
          lead('n2', '2025-03-01T05:00:00Z'),
          lead('n3', '2025-04-01T03:59:59Z'),
          lead('n4', '2025-04-01T04:00:00Z'),
          lead('h1', '2025-04-30T13:29:59Z'),
          lead('h2', '2025-04-30T13:30:00Z'),
          lead('h3', '2025-03-31T12:59:59Z'),
          lead('h4', '2025-03-31T13:00:00Z'),
        ]);
        const leads = async (from: string, to: string, timeZone: string) => {
          const { series } = await world.ask('qualified_lead_rate', { from, to, timeZone, interval: 'month' });
          return series.map(({ denominator }) => denominator);
        };
        expect(await leads('2025-02-01T05:00:00Z', '2025-05-01T04:00:00Z', 'America/New_York')).toEqual([1, 4, 3]);
        expect(await leads('2025-02-28T13:00:00Z', '2025-05-31T13:30:00Z', 'Australia/Lord_Howe')).toEqual([3, 4, 1]);
      });

      it('have spend by calendar day in any time zone, leap days too', async () => {
        await world.tell([
          spendFact('leap', '2024-02-29', 10),
          spendFact('after', '2024-03-01', 5),
          dealFact('d', 'leaper', '2024-02-28T00:00:00Z', { closedAt: '2024-03-01T01:00:00Z', outcome: 'won' }),
        ]);
        const inZone = async (from: string, to: string, timeZone: string) => (await world.ask('cac', { from, to, timeZone })).numerator;
        expect(await inZone('2024-02-01T05:00:00Z', '2024-03-01T05:00:00Z', 'America/New_York')).toBe(10);
        expect(await inZone('2024-02-29T13:00:00Z', '2024-03-31T13:00:00Z', 'Australia/Lord_Howe')).toBe(5);
        const march = await world.ask('cac', { from: '2024-03-01T00:00:00Z', to: '2024-04-01T00:00:00Z' });
        expect(march).toMatchObject({ value: 5, previous: { numerator: 10, denominator: 0 } });
      });

      it('follow corrections, whatever comes late', async () => {
        const june = { from: '2023-06-01T00:00:00Z', to: '2023-07-01T00:00:00Z' };
        const deal = (amount: number, updatedAt: string, day = '15') =>
          dealFact('fixed', 'a1', '2023-06-01T00:00:00Z', { closedAt: `2023-06-${day}T00:00:00Z`, outcome: 'won', amount, updatedAt });
        await world.tell([deal(100, '2023-07-02T00:00:00Z')]);
        expect(await world.ask('revenue', june)).toMatchObject({ value: 100 });
        await world.tell([deal(70, '2023-07-01T00:00:00Z')]);
        expect(await world.ask('revenue', june), 'an older version that came late').toMatchObject({ value: 100 });
        await world.tell([deal(80, '2023-07-02T00:00:00Z'), deal(90, '2023-07-02T00:00:00Z', '16')]);
        expect(await world.ask('revenue', june), 'of equals the later on the log').toMatchObject({ value: 90, figures: { deals: 1 } });
        await world.tell([deal(60, '2023-08-02T00:00:00Z')]);
        expect(await world.ask('revenue', june)).toMatchObject({ value: 60 });
      });

      it('stay in their month where facts do not say when, whatever comes later', async () => {
        const at = (month: number) => `2019-${String(month).padStart(2, '0')}-10T00:00:00Z`;
        const deal = (month: number, more: object = {}) => ({
          ...dealFact('undated', 'a1', at(1), { amount: 1000, updatedAt: at(month), ...more }),
          createdAt: null,
        });
        const lead = (month: number, status: string) => ({
          ...leadFact('undated', at(1), { status, updatedAt: at(month) }),
          createdAt: null,
        });
        await world.tell([deal(1), deal(4, { outcome: 'won' }), lead(1, 'new'), lead(3, 'MQL')]);
        await world.tell([deal(7, { outcome: 'won', source: 'web' }), lead(6, 'SQL'), lead(8, 'customer')]);
        const inMonth = (kpi: string, month: number) =>
          world.ask(kpi, { from: at(month).replace('-10T', '-01T'), to: at(month + 1).replace('-10T', '-01T') });
        expect((await inMonth('revenue', 4)).value).toBe(1000);
        expect((await inMonth('revenue', 7)).value).toBe(0);
        expect(await inMonth('sales_velocity', 4)).toMatchObject({ figures: { cycleDays: 90 } });
        const leads = await Promise.all([1, 3, 6, 8].map((month) => inMonth('qualified_lead_rate', month)));
        expect(leads.map(({ denominator }) => denominator)).toEqual([1, 0, 0, 0]);
        // Opened again, lost, and won: closed once, when it was lost.
        await world.tell([deal(9), deal(10, { outcome: 'lost' }), deal(11, { outcome: 'won' })]);
        expect((await inMonth('revenue', 4)).value).toBe(0);
        expect((await inMonth('revenue', 10)).value).toBe(1000);
        expect((await inMonth('revenue', 11)).value).toBe(0);
      });

      it('of wins are the same as beside their intervals, and without lengths that nobody knows', async () => {
        const told = { outcome: 'won', amount: 100, closedAt: '2020-02-10T00:00:00Z', updatedAt: '2026-05-01T00:00:00Z' } as const;
        const [owned, other] = ['eve', null];
        await world.tell([
          { ...accountFact('a9'), owner: 'bob' } as Fact,
          { ...dealFact('told late', 'a9', told.closedAt, told), createdAt: null, owner: owned } as Fact,
          { ...dealFact('of the account', 'a9', '2020-02-01T00:00:00Z', told), owner: other } as Fact,
        ]);
        const year = { from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' };
        expect(await world.ask('win_rate', year)).toMatchObject({ value: 100, numerator: 2 });
        const period = { from: Date.parse(year.from), to: Date.parse(year.to) };
        const day = 86_400_000;
        expect(await world.store.outcomes({ ...period, filters: {}, by: null })).toMatchObject([
          { won: 2, wonTimed: 1, wonMs: 9 * day, created: 1 },
        ]);
        expect(await world.ask('sales_velocity', year)).toMatchObject({ figures: { cycleDays: 9, withoutCycle: 1 } });
        const byOwner = await world.ask('win_rate', { ...year, segmentBy: 'owner' });
        expect(byOwner.segments.map(({ numerator, segment }) => [segment, numerator])).toEqual([
          ['bob', 1],
          ['eve', 1],
        ]);
      });

      it('have an account that pays in another currency as one that stays', async () => {
        await world.tell([
          subscriptionFact('c1', 'changed', 100, '2021-01-01T00:00:00Z', '2021-02-15T00:00:00Z', 'EUR'),
          subscriptionFact('c2', 'changed', 125, '2021-02-15T00:00:00Z', '2021-06-01T00:00:00Z', 'USD'),
        ]);
        const question = { from: '2021-02-01T00:00:00Z', to: '2021-03-01T00:00:00Z', settings: { rates: { EUR: 1, USD: 0.8 } } };
        expect(await world.ask('gross_mrr_churn', question)).toMatchObject({
          value: 0,
          figures: { start: 100, new: 0, churn: 0, end: near(100) },
        });
      });

      it('are told in one currency', async () => {
        const june = { from: '2022-06-01T00:00:00Z', to: '2022-07-01T00:00:00Z' };
        const deal = (id: string, amount: number, currency: string) =>
          dealFact(id, 'a1', '2022-06-01T00:00:00Z', { closedAt: '2022-06-15T00:00:00Z', outcome: 'won', amount, currency });
        await world.tell([deal('e', 100, 'EUR'), deal('u', 50, 'USD')]);
        const ask = (more: Partial<Question>): Promise<KpiAnswer> => world.ask('revenue', { ...june, ...more });
        expect(await ask({})).toMatchObject({
          value: null,
          currency: null,
          reason: expect.stringContaining('EUR, USD'),
          figures: { deals: 2 },
        });
        expect(await ask({ currency: 'USD' })).toMatchObject({ value: null, reason: expect.stringContaining('no rate is set') });
        const rates = { EUR: 1, USD: 0.8 };
        expect(await ask({ settings: { rates } })).toMatchObject({ value: 140, currency: 'EUR' });
        expect(await ask({ settings: { rates }, currency: 'USD' })).toMatchObject({ value: near(175), currency: 'USD' });
      });
    });

    it('keep the latest target of each', async () => {
      const target = { name: 'cac', value: 250, setAt: 1000, setBy: 'ann' };
      await world.store.saveKpiTarget(target);
      await world.store.saveKpiTarget({ ...target, value: null, setAt: 2000 });
      await world.store.saveKpiTarget({ ...target, name: 'cpl' });
      expect(await world.store.kpiTargets()).toEqual([
        { ...target, value: null, setAt: 2000 },
        { ...target, name: 'cpl' },
      ]);
    });

    it('plan no more spans than a series may have', () => {
      expect(planSpans({ from: 0, to: 400 * 86_400_000 }, 'day', 'UTC')?.spans).toHaveLength(403);
      expect(planSpans({ from: 0, to: 401 * 86_400_000 }, 'day', 'UTC')).toBeNull();
    });
  });
}
