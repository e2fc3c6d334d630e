import type { Fact } from '@touchstone/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowTransport } from '../row-transport.ts';
import { accountFact, dealFact, leadFact } from './test-facts.ts';
import { KpiWorld } from './test-kpi-world.ts';

const near = (value: number): unknown => expect.closeTo(value, 9);
const monthOf = (year: number, month: number) => ({
  from: new Date(Date.UTC(year, month - 1)).toISOString(),
  to: new Date(Date.UTC(year, month)).toISOString(),
});
const ownedBy = (fact: Fact, owner: string): Fact => ({ ...fact, owner }) as Fact;

/** KPIs whose parts must be of the same things, and which must not take what is not told for something else. */
export function describeHonestKpis(name: string, open: () => Promise<RowTransport>): void {
  describe(`KPIs that are told part of what they need on ${name}`, () => {
    let world: KpiWorld;

    beforeAll(async () => {
      world = new KpiWorld(await open());
      await world.store.migrate();
    });

    afterAll(() => world.store.close());

    it('have accounts with an opportunity by the owner of the account, whoever owns the opportunity', async () => {
      const day = '2020-01-10T00:00:00Z';
      await world.tell([
        ...['p1', 'p2', 'p3'].map((id) => ownedBy(accountFact(id), 'ann')),
        ownedBy(accountFact('p4'), 'bob'),
        ...['p1', 'p2', 'p4'].map((id) => ownedBy(dealFact(`owned ${id}`, id, day), 'bob')),
      ]);
      const month = monthOf(2020, 1);
      const byOwner = await world.ask('accounts_with_opportunity', { ...month, segmentBy: 'owner' });
      expect(byOwner.segments.map(({ denominator, numerator, segment, value }) => [segment, numerator, denominator, value])).toEqual([
        ['ann', 2, 3, near(200 / 3)],
        ['bob', 1, 1, 100],
      ]);
      const ofBob = await world.ask('accounts_with_opportunity', { ...month, filters: { owner: ['bob'] } });
      expect(ofBob).toMatchObject({ value: 100, numerator: 1, denominator: 1 });
    });

    it('have the mean of deals that have an amount, and no revenue where none has one', async () => {
      const won = (id: string, month: number, amount?: number): Fact => {
        const closedAt = `2020-0${month}-15T00:00:00Z`;
        return dealFact(id, 'p1', `2020-0${month}-05T00:00:00Z`, { closedAt, outcome: 'won', ...(amount !== undefined && { amount }) });
      };
      await world.tell([won('v1', 2, 300), won('v2', 2, 100), won('v3', 2), won('v4', 3), won('v5', 3), won('v6', 4, 0)]);
      const revenueOf = (month: number) => world.ask('revenue', monthOf(2020, month));
      expect(await revenueOf(2)).toMatchObject({ value: 400, figures: { deals: 3, withoutAmount: 1, meanValue: 200 } });
      const { meanValue } = (await world.ask('sales_velocity', monthOf(2020, 2))).figures;
      expect(meanValue).toBe(200);
      expect(await revenueOf(3)).toMatchObject({
        value: null,
        reason: 'no opportunity that was won in the period has an amount',
        figures: { deals: 2, withoutAmount: 2, meanValue: null },
      });
      // An amount of 0 is one.
      expect(await revenueOf(4)).toMatchObject({ value: 0, reason: null, figures: { deals: 1, withoutAmount: 0, meanValue: 0 } });
      expect(await world.ask('marketing_influence', monthOf(2020, 2))).toMatchObject({ figures: { withoutAmount: 1 } });
    });

    it.each([
      ['mqa', false, 'no qualification'],
      ['both', false, 'no qualification'],
      ['either', false, null],
      ['crm', false, null],
      ['mqa', true, 'no qualified leads'],
    ])(
      'have no lead velocity by %s where the model qualifies nobody (has a qualification: %s)',
      async (qualifiedBy, hasQualification, reason) => {
        await world.tell([
          leadFact('w1', '2020-02-01T00:00:00Z', { qualifiedAt: '2020-02-10T00:00:00Z' }),
          leadFact('w2', '2020-03-01T00:00:00Z', { qualifiedAt: '2020-03-10T00:00:00Z' }),
        ]);
        const answer = await world.ask('lvr', { ...monthOf(2020, 3), parameters: { qualifiedBy }, settings: { hasQualification } });
        if (reason === null) expect(answer).toMatchObject({ value: 0, reason: null, figures: { qualified: 1, before: 1 } });
        else expect(answer).toMatchObject({ value: null, reason: expect.stringContaining(reason) });
        if (reason === 'no qualification') expect(answer.figures).toEqual({ qualified: null, before: null });
      },
    );

    it('have a currency where they are of money alone, whatever rates are set', async () => {
      const settings = { rates: { EUR: 1, USD: 0.8 } };
      expect((await world.ask('win_rate', { ...monthOf(2020, 2), settings })).currency).toBeNull();
      expect((await world.ask('win_rate', { ...monthOf(2020, 2), currency: 'USD' })).currency).toBeNull();
      expect((await world.ask('revenue', { ...monthOf(2020, 9), settings })).currency).toBe('EUR');
    });
  });
}
