import type { Fact } from '@touchstone/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowTransport } from '../row-transport.ts';
import { accountFact, dealFact } from './test-facts.ts';
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
  });
}
