import type { OpportunityFact } from '@touchstone/engine';
import type { GeneratedTouch } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouseStore } from '../click-house-store.ts';
import type { RowTransport } from '../row-transport.ts';
import { makeDeals, newestOf, storeDeals, type Deals } from './attribution.contract.ts';
import type { InfluenceQuery } from './influence.ts';

const DAY_MS = 86_400_000;
const AT = Date.UTC(2026, 1, 28, 12);

const QUERY: InfluenceQuery = {
  basis: 'created',
  from: AT + 30 * DAY_MS,
  to: AT + 160 * DAY_MS,
  filters: {},
  by: null,
  lookbackMs: 60 * DAY_MS,
  kinds: { but: ['meeting'] },
  passiveKinds: ['ad_impression'],
  marketingSources: [],
};

interface Found {
  readonly fact: OpportunityFact;
  readonly touches: number;
  readonly influenced: boolean;
  readonly responded: boolean;
  readonly sourced: boolean;
}

/** By definition, one opportunity after another. */
function influencesOf({ facts, touches }: Deals, query: InfluenceQuery): Found[] {
  const isIn = ({ closedAt, createdAt, outcome }: OpportunityFact): boolean => {
    const at = query.basis === 'created' ? createdAt! : outcome === 'won' ? closedAt! : -1;
    return at >= query.from && at < query.to;
  };
  const but = 'but' in query.kinds ? query.kinds.but : [];
  return newestOf(facts, 'opportunity')
    .filter(isIn)
    .map((fact) => {
      const isBefore = ({ accountId, occurredAt }: GeneratedTouch): boolean =>
        accountId === fact.accountId && occurredAt < fact.createdAt! && occurredAt >= fact.createdAt! - query.lookbackMs;
      const before = touches.filter(isBefore).toSorted((one, other) => one.occurredAt - other.occurredAt);
      const marketing = before.filter(({ kind }) => !but.includes(kind));
      const isFirst = before.length > 0 && !but.includes(before[0]!.kind);
      return {
        fact,
        touches: marketing.length,
        influenced: marketing.length > 0,
        responded: marketing.some(({ kind }) => !query.passiveKinds.includes(kind)),
        sourced:
          query.marketingSources.length === 0 || fact.source === null
            ? isFirst
            : query.marketingSources.includes(fact.source.toLowerCase()),
      };
    });
}

/** The part of the store's contract about what marketing had a part in. */
export function describeInfluence(name: string, open: () => Promise<RowTransport>): void {
  describe(`influence on ${name}`, () => {
    const plain = makeDeals();
    // Every other opportunity says where it is from.
    const facts = plain.facts.map((fact, index) =>
      fact.type === 'opportunity' && index % 2 === 0 ? { ...fact, source: index % 4 === 0 ? 'Webinar' : 'Outbound' } : fact,
    );
    const deals = { ...plain, facts };
    let store: ClickHouseStore;

    beforeAll(async () => {
      const transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
      expect(await store.hasTouches()).toBe(false);
      await storeDeals(transport, store, deals);
      expect(await store.hasTouches()).toBe(true);
    });

    afterAll(() => store.close());

    it.each([
      ['pipeline', QUERY],
      ['revenue', { ...QUERY, basis: 'won' as const }],
      ['pipeline by source', { ...QUERY, by: 'source' as const }],
      ['where sources say whose it is', { ...QUERY, marketingSources: ['webinar', 'event'] }],
      ['of one source', { ...QUERY, filters: { source: ['Webinar', ''] } }],
    ])('is as by definition: %s', async (_title, query) => {
      const { filters } = query;
      const sources = 'source' in filters ? filters.source : null;
      const found = influencesOf(deals, query).filter(({ fact }) => sources === null || sources.includes(fact.source ?? ''));
      expect(found.length).toBeGreaterThan(5);
      const keyOf = ({ fact }: Found): string => JSON.stringify([query.by === null ? '' : (fact.source ?? ''), fact.currency]);
      const sum = (some: readonly Found[]) => ({
        opportunities: some.length,
        hundredths: some.reduce((all, { fact }) => all + Math.round((fact.amount ?? 0) * 100), 0),
      });
      const expected = [...Map.groupBy(found, keyOf)].map(([key, some]) => ({
        key,
        ...sum(some),
        withoutAmount: some.filter(({ fact }) => fact.amount === null).length,
        withSource: some.filter(({ fact }) => fact.source !== null).length,
        influences: {
          influenced: sum(some.filter(({ influenced }) => influenced)),
          responded: sum(some.filter(({ responded }) => responded)),
          sourced: sum(some.filter(({ sourced }) => sourced)),
        },
      }));
      const rows = await store.influence(query);
      const told = rows.map(({ currency, group, ...rest }) => ({ key: JSON.stringify([group, currency]), ...rest }));
      expect(told).toEqual(expected.toSorted((one, other) => (one.key < other.key ? -1 : 1)));
    });

    it('drills down to the opportunities, page by page', async () => {
      const found = influencesOf(deals, QUERY).toSorted(
        (one, other) => other.fact.createdAt! - one.fact.createdAt! || (one.fact.id < other.fact.id ? -1 : 1),
      );
      for (const influence of [undefined, 'influenced', 'responded', 'sourced', 'none'] as const) {
        const expected = found.filter((one) => {
          if (influence === undefined) return true;
          return influence === 'none' ? !one.influenced && !one.responded && !one.sourced : one[influence];
        });
        const told = [];
        for (let after: { at: number; id: string } | undefined; ;) {
          const page = await store.influencedOpportunities({
            ...QUERY,
            limit: 7,
            ...(influence && { influence }),
            ...(after && { after }),
          });
          told.push(...page.map(({ id, influenced, responded, sourced, touches }) => ({ id, influenced, responded, sourced, touches })));
          if (page.length < 7) break;
          after = page.at(-1);
        }
        expect(told).toEqual(expected.map(({ fact, ...rest }) => ({ id: fact.id, ...rest })));
      }
    });

    it('counts outcomes of opportunities as by definition', async () => {
      const [from, to] = [AT + 40 * DAY_MS, AT + 120 * DAY_MS];
      const all = newestOf(deals.facts, 'opportunity');
      for (const row of await store.outcomes({ from, to, filters: {}, by: 'source' })) {
        const of = all.filter(
          ({ createdAt, currency, source }) => (source ?? '') === row.group && currency === row.currency && createdAt! < to,
        );
        const isClosed = ({ closedAt }: OpportunityFact): boolean => closedAt !== null && closedAt >= from && closedAt < to;
        const won = of.filter((one) => one.outcome === 'won' && isClosed(one));
        const lengths = won.map(({ closedAt, createdAt }) => closedAt! - createdAt!).toSorted((one, other) => one - other);
        const hours = Map.groupBy(lengths, (length) => Math.floor(length / 3_600_000));
        expect(row).toEqual({
          group: row.group,
          currency: row.currency,
          won: won.length,
          lost: of.filter((one) => one.outcome === 'lost' && isClosed(one)).length,
          open: of.filter(({ closedAt }) => closedAt === null || closedAt >= to).length,
          created: of.filter(({ createdAt }) => createdAt! >= from).length,
          wonWithAmount: won.filter(({ amount }) => amount !== null).length,
          wonAmount: expect.closeTo(
            won.reduce((sum, { amount }) => sum + (amount ?? 0), 0),
            6,
          ),
          wonTimed: won.length,
          wonMs: lengths.reduce((sum, length) => sum + length, 0),
          wonHours: [...hours].map(([hour, some]) => [hour, some.length]),
        });
      }
    });

    it('gives the touches of one opportunity as its credit has them', async () => {
      const { limit, ...scope } = { basis: 'created' as const, from: 0, to: AT + 400 * DAY_MS, filters: {}, limit: 500 };
      const query = {
        ...scope,
        cut: 'created' as const,
        lookbackMs: 60 * DAY_MS,
        halfLifeMs: DAY_MS,
        kinds: { but: [] },
        by: 'campaign' as const,
      };
      const listed = await store.creditedOpportunities({ ...query, limit });
      expect(listed.length).toBe(newestOf(deals.facts, 'opportunity').length);
      for (const { id, touches } of listed.slice(0, 12)) {
        const path = await store.opportunityTouches({ ...query, id, now: AT });
        expect(path!.touches.length).toBe(touches);
        expect(path!.touches.map(({ occurredAt }) => occurredAt)).toEqual(
          path!.touches.map(({ occurredAt }) => occurredAt).toSorted((a, b) => a - b),
        );
      }
      expect(await store.opportunityTouches({ ...query, id: 'nobody', now: AT })).toBeNull();
      const ofCampaign = await store.creditedOpportunities({ ...query, limit, key: 'camp1' });
      expect(ofCampaign.length).toBeGreaterThan(3);
      const [row] = (await store.attribution(query)).filter(({ key }) => key === 'camp1');
      expect(row).toBeDefined();
      const linear = (await store.attribution(query))
        .filter(({ key }) => key === 'camp1')
        .reduce((sum, { units }) => sum + units.linear, 0);
      expect(ofCampaign.reduce((sum, { units }) => sum + units.linear, 0)).toBe(linear);
      const without = await store.creditedOpportunities({ ...query, limit, key: null });
      expect(without.every(({ touches }) => touches === 0)).toBe(true);
      expect(without.length).toBe(listed.filter(({ touches }) => touches === 0).length);
    });
  });
}
