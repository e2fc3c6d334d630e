import type { Fact } from '@touchstone/engine';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowTransport } from '../row-transport.ts';
import { KpiWorld } from './test-kpi-world.ts';

type Subscription = Extract<Fact, { type: 'subscription' }>;

const DAY_MS = 86_400_000;
const AT = Date.UTC(2025, 0, 1);
const DAYS = 120;
const RATES: Readonly<Record<string, number>> = { EUR: 1, USD: 0.5 };

/** Accounts come and go, come back, change what they pay and in which currency; some pay for several things at once, some since ever, some for nothing. */
const subscriptions = fc.array(
  fc.record({
    accountId: fc.constantFrom('a', 'b', 'c', 'd'),
    currency: fc.constantFrom('EUR', 'USD'),
    mrr: fc.nat(9).map((hundreds) => hundreds * 100),
    begin: fc.option(fc.nat(DAYS - 1), { freq: 8 }),
    days: fc.option(fc.nat(DAYS)),
  }),
  { maxLength: 12 },
);
const period = fc.tuple(fc.nat(DAYS), fc.integer({ min: 1, max: DAYS }));

/** By definition, one account and currency after the other; amounts in euros. An account that has any subscription before and after stays. */
function bridgeOf(all: readonly Subscription[], from: number, to: number) {
  const sum = (instant: number, accountId: string, currency?: string): number =>
    all
      .filter((one) => one.accountId === accountId && (currency === undefined || one.currency === currency))
      .filter((one) => (one.from ?? 0) < instant && (one.to === null || one.to >= instant))
      .reduce((paid, { mrr, currency: own }) => paid + mrr * RATES[own!]!, 0);
  const bridge = { start: 0, new: 0, expansion: 0, contraction: 0, churn: 0, end: 0 };
  for (const accountId of new Set(all.map((one) => one.accountId))) {
    const isNew = sum(from, accountId) === 0;
    const hasLeft = sum(to, accountId) === 0;
    for (const currency of Object.keys(RATES)) {
      const [begun, ended] = [sum(from, accountId, currency), sum(to, accountId, currency)];
      bridge.start += begun;
      bridge.end += ended;
      if (isNew) bridge.new += ended;
      else if (hasLeft) bridge.churn += begun;
      else bridge[ended > begun ? 'expansion' : 'contraction'] += Math.abs(ended - begun);
    }
  }
  return bridge;
}

/** The part of the store's contract about recurring revenue, from one instant to another. */
export function describeMrrBridge(name: string, open: () => Promise<RowTransport>): void {
  describe(`the bridge of recurring revenue on ${name}`, () => {
    const told: Subscription[] = [];
    let world: KpiWorld;

    beforeAll(async () => {
      world = new KpiWorld(await open());
      await world.store.migrate();
    });

    afterAll(() => world.store.close());

    it('closes whatever accounts do, and its parts are as by definition', async () => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(subscriptions, period, async (made, [first, days]) => {
          const run = ++runs;
          const facts = made.map(({ accountId, begin, currency, days: lasts, mrr }, index): Subscription => ({
            type: 'subscription',
            id: `${run} ${index}`,
            // Of its own in every run, as earlier ones stay in the store.
            accountId: `${accountId}${run}`,
            updatedAt: AT,
            mrr,
            currency,
            from: begin === null ? null : AT + begin * DAY_MS,
            to: lasts === null ? null : AT + ((begin ?? 0) + lasts) * DAY_MS,
          }));
          told.push(...facts);
          await world.tell(facts);
          const [from, to] = [AT + first * DAY_MS, AT + (first + days) * DAY_MS];
          const instants = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
          const { figures } = await world.ask('gross_mrr_churn', { ...instants, settings: { rates: RATES } });
          const { churn, contraction, end, expansion, new: gained, start } = figures as Record<string, number>;
          const found = { start, new: gained, expansion, contraction, churn, end };
          if (told.some(({ mrr }) => mrr > 0)) {
            expect(found).toEqual(bridgeOf(told, from, to));
            expect(start! + gained! + expansion! - contraction! - churn!).toBe(end);
          } else expect(Object.values(found)).toEqual([null, null, null, null, null, null]);
        }),
        { numRuns: 15 },
      );
    });
  });
}
