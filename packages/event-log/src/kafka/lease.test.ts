import { describe, expect, it } from 'vitest';
import { Lease } from './lease.ts';

/** With a session timeout of 900 ms and a rebalance timeout of 3000 ms. */
const lease = (...heard: readonly (readonly ['settled' | 'rebalancing', number])[]) => {
  const it = new Lease(900, 3000);
  for (const [kind, at] of heard) it[kind](at);
  return it;
};

describe('Lease', () => {
  it.each([
    { what: 'is not held before the group was heard of', it: lease(), until: null },
    { what: 'runs out after two thirds of the session timeout', it: lease(['settled', 1000]), until: 1600 },
    { what: 'runs on from the last success', it: lease(['settled', 1000], ['settled', 1500]), until: 2100 },
    { what: 'is not set back by an answer that took longer', it: lease(['settled', 1500], ['settled', 1000]), until: 2100 },
    { what: 'runs on in a rebalance', it: lease(['settled', 1000], ['rebalancing', 1500]), until: 2100 },
    { what: 'ends with two thirds of the rebalance timeout', it: lease(['settled', 1000], ['rebalancing', 2900]), until: 3000 },
    { what: 'runs on when the rebalance has ended', it: lease(['settled', 1000], ['rebalancing', 2900], ['settled', 3000]), until: 3600 },
    { what: 'is not held by a rebalance alone', it: lease(['rebalancing', 1000]), until: null },
  ])('$what', ({ it: given, until }) => {
    if (until === null) {
      expect(given.holds(0)).toBe(false);
      expect(given.holds(1001)).toBe(false);
      return;
    }
    expect(given.holds(until - 1)).toBe(true);
    expect(given.holds(until)).toBe(false);
    expect(given.abandoned(until + 899)).toBe(false);
    expect(given.abandoned(until + 900)).toBe(true);
  });

  it('is over at once when it is ended, and begins anew', () => {
    const given = lease(['settled', 1000]);
    given.end();
    expect(given.holds(1001)).toBe(false);
    given.settled(2000);
    expect(given.holds(2599)).toBe(true);
  });
});
