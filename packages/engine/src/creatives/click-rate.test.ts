import { describe, expect, it } from 'vitest';
import type { CrossMoments } from './click-moments.ts';
import { clickRate, clickRateDifference, studentQuantile } from './click-rate.ts';
import { counted, type Account } from './test-accounts.ts';

const none: CrossMoments = { clicksByClicks: 0, clicksByImpressions: 0, impressionsByClicks: 0, impressionsByImpressions: 0 };
const many = (count: number, account: Account): Account[] => Array.from({ length: count }, () => account);

/** Lehmer's generator: the same accounts in every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Accounts of very different size, of which one in ten clicks a lot and the others hardly ever: rate 0.03 over all. */
function accountsLike(random: () => number, count: number): Account[] {
  return Array.from({ length: count }, () => {
    const impressions = 1 + Math.floor(40 * random() ** 3);
    const rate = random() < 0.1 ? 0.21 : 0.01;
    let clicks = 0;
    for (let i = 0; i < impressions; i++) if (random() < rate) clicks++;
    return [impressions, clicks];
  });
}
const TRUE_RATE = 0.1 * 0.21 + 0.9 * 0.01;

describe('a click rate', () => {
  it('of one impression an account has the interval that Wilson gives', () => {
    // 10 of 100: 0.0552 to 0.1744 (Wilson 1927, as in every table of it).
    const rate = clickRate(counted([...many(10, [1, 1]), ...many(90, [1, 0])]));
    expect(rate).toMatchObject({ value: 0.1, method: 'wilson', confidence: 0.95, reason: null });
    expect(rate.low).toBeCloseTo(0.05523, 4);
    expect(rate.high).toBeCloseTo(0.17437, 4);
  });

  it('says no more for a hundred impressions that one account decides about than for one', () => {
    const single = clickRate(counted([...many(10, [1, 1]), ...many(90, [1, 0])]));
    const hundred = clickRate(counted([...many(10, [100, 100]), ...many(90, [100, 0])]));
    expect(hundred.method).toBe('clustered_wilson');
    expect(hundred.high! - hundred.low!).toBeGreaterThan((single.high! - single.low!) * 0.99);
  });

  it.each([
    ['nobody saw anything', [], { value: null, low: null, high: null, method: null, reason: 'no_impressions' }],
    ['there are clicks without an impression', [[0, 3]] as Account[], { value: null, method: null, reason: 'no_impressions' }],
    ['one account has more clicks than impressions', [[1, 3]] as Account[], { value: 3, low: null, method: null, reason: 'one_account' }],
    ['there are more clicks than impressions', many(5, [1, 3]), { value: 3, low: 3, high: 3, method: 'linearized_ratio', reason: null }],
    ['nobody clicked', many(50, [20, 0]), { value: 0, low: 0, method: 'clustered_wilson', reason: null }],
  ])('is told for what it is when %s', (_when, accounts, expected) => {
    expect(clickRate(counted(accounts))).toMatchObject(expected);
  });

  it('of which nobody clicked is bounded by the number of accounts, not of impressions', () => {
    const { high } = clickRate(counted(many(50, [1000, 0])));
    expect(high).toBeGreaterThan(0.06);
    expect(high).toBeLessThan(0.09);
  });

  it('of a single account may be nearly anything', () => {
    const { high, low } = clickRate(counted([[1000, 100]]));
    expect(high! - low!).toBeGreaterThan(0.7);
  });

  it('has an interval that holds the true rate nearly as often as it says even where accounts are this unlike, where one by impressions does not', () => {
    const random = randomOf(7);
    const runs = 500;
    let held = 0;
    let heldByImpressions = 0;
    for (let run = 0; run < runs; run++) {
      const accounts = accountsLike(random, 200);
      const { high, low } = clickRate(counted(accounts));
      if (low! <= TRUE_RATE && TRUE_RATE <= high!) held++;
      const { clicks, impressions } = counted(accounts);
      const clicksByAccount = {
        accounts: impressions,
        impressionsSquared: impressions,
        clicksSquared: clicks,
        impressionsByClicks: clicks,
      };
      const naive = clickRate({ clicks, impressions, clicksByAccount });
      if (naive.low! <= TRUE_RATE && TRUE_RATE <= naive.high!) heldByImpressions++;
    }
    expect(held / runs).toBeGreaterThan(0.91);
    expect(held / runs).toBeLessThan(0.975);
    expect(heldByImpressions / runs).toBeLessThan(0.8);
  });
});

describe('the difference of two click rates', () => {
  it('of separate accounts holds 0 nearly as often as it says when there is none', () => {
    const random = randomOf(11);
    const runs = 500;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const { high, low } = clickRateDifference(counted(accountsLike(random, 150)), counted(accountsLike(random, 150)), none);
      if (low! <= 0 && high! >= 0) held++;
    }
    expect(held / runs).toBeGreaterThan(0.91);
    expect(held / runs).toBeLessThan(0.975);
  });

  it('is narrower where the same accounts saw both and like them alike', () => {
    const accounts = [...many(20, [10, 5]), ...many(80, [10, 0])] as Account[];
    const one = counted(accounts);
    const { clicksSquared, impressionsByClicks, impressionsSquared } = one.clicksByAccount;
    const same: CrossMoments = {
      clicksByClicks: clicksSquared,
      clicksByImpressions: impressionsByClicks,
      impressionsByClicks,
      impressionsByImpressions: impressionsSquared,
    };
    const apart = clickRateDifference(one, one, none);
    const together = clickRateDifference(one, one, same);
    expect(together.value).toBe(0);
    expect(together.high! - together.low!).toBeLessThan((apart.high! - apart.low!) / 2);
  });

  it('is null with the reason when one of them was never seen', () => {
    expect(clickRateDifference(counted(many(9, [1, 0])), counted([]), none)).toMatchObject({ value: null, reason: 'no_impressions' });
  });
});

describe("the quantile of Student's distribution", () => {
  it.each([
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [5, 2.5706],
    [10, 2.2281],
    [30, 2.0423],
    [1000, 1.9623],
  ])('of %i degrees is %d, as in tables', (degrees, quantile) => {
    expect(Math.abs(studentQuantile(degrees) / quantile - 1)).toBeLessThan(0.006);
  });
});
