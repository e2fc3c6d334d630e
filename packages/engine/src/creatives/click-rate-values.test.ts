import { describe, expect, it } from 'vitest';
import type { CrossMoments } from './click-moments.ts';
import { clickRate, clickRateDifference } from './click-rate.ts';
import { counted, type Account } from './test-accounts.ts';

/** Intervals of click rates against published values, and against values that mpmath 1.3 computed from lists of accounts. */

/** Accounts with one impression each, of which so many clicked. */
const plain = (clicked: number, of: number): Account[] => Array.from({ length: of }, (_, n) => [1, n < clicked ? 1 : 0]);

const apart: CrossMoments = { clicksByClicks: 0, clicksByImpressions: 0, impressionsByClicks: 0, impressionsByImpressions: 0 };

/** The same accounts saw both: the second list in their order. */
function together(first: readonly Account[], second: readonly Account[]): CrossMoments {
  const sum = (of: (one: Account, other: Account) => number): number => first.reduce((total, one, n) => total + of(one, second[n]!), 0);
  return {
    clicksByClicks: sum((one, other) => one[1] * other[1]),
    clicksByImpressions: sum((one, other) => one[1] * other[0]),
    impressionsByClicks: sum((one, other) => one[0] * other[1]),
    impressionsByImpressions: sum((one, other) => one[0] * other[0]),
  };
}

describe('the difference of two rates, an impression an account', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10: score intervals without continuity correction.
  it.each([
    ['56/70 - 48/80', [56, 70, 48, 80], 0.0524, 0.3339],
    ['9/10 - 3/10', [9, 10, 3, 10], 0.1705, 0.809],
    ['6/7 - 2/7', [6, 7, 2, 7], 0.0582, 0.8062],
    ['5/56 - 0/29', [5, 56, 0, 29], -0.0381, 0.1926],
    ['0/10 - 0/20', [0, 10, 0, 20], -0.1611, 0.2775],
    ['0/10 - 0/10', [0, 10, 0, 10], -0.2775, 0.2775],
    ['10/10 - 0/20', [10, 10, 0, 20], 0.6791, 1],
    ['10/10 - 0/10', [10, 10, 0, 10], 0.6075, 1],
  ] as const)('of %s is as published', (_, [a, m, b, n], low, high) => {
    const found = clickRateDifference(counted(plain(a, m)), counted(plain(b, n)), apart);
    expect(found.value).toBeCloseTo(a / m - b / n, 12);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });
});

describe('rates of accounts that are unlike', () => {
  const first: Account[] = [[10, 2], [3, 0], [7, 1], [20, 5], [1, 1], [12, 0], [5, 0], [8, 1], [4, 0], [15, 2], [6, 1], [9, 0]]; // prettier-ignore
  const second: Account[] = [[8, 0], [3, 0], [9, 1], [18, 3], [2, 0], [10, 0], [6, 0], [8, 0], [5, 1], [12, 1], [7, 0], [9, 1]]; // prettier-ignore

  // p (1 - p) / variance impressions, times (z / t with 11 degrees of freedom)², in Wilson's interval; the quantile of t is right to four digits there.
  it.each([
    ['first', first, 0.13, 0.07021843528, 0.2281866648],
    ['second', second, 0.0721649484536, 0.03252346652, 0.1525073018],
  ])('of the %s are those of another program', (_, accounts, value, low, high) => {
    const found = clickRate(counted(accounts));
    expect(found).toMatchObject({ method: 'clustered_wilson', value: expect.closeTo(value, 10) as number });
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it.each([
    ['other accounts', apart, -0.04230849151, 0.1637221057],
    ['the same accounts, correlation 0.496', together(first, second), -0.0146943308, 0.1435554304],
  ])('differ, in %s, by what another program has', (_, cross, low, high) => {
    const found = clickRateDifference(counted(first), counted(second), cross);
    expect(found.value).toBeCloseTo(0.0578350515464, 10);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });
});

describe('a rate of 1', () => {
  it('of accounts that clicked whatever they saw is bounded as their number says', () => {
    // n / (n + z²), Wilson's lower bound of n of n.
    expect(clickRate(counted(plain(10, 10)))).toMatchObject({ value: 1, low: expect.closeTo(10 / 13.841458820694125, 9) as number, high: 1, method: 'wilson' }); // prettier-ignore
    const many = clickRate(counted([[3, 3], [9, 9], [1, 1]])); // prettier-ignore
    expect(many).toMatchObject({ high: 1, method: 'clustered_wilson' });
    expect(many.low).toBeLessThan(0.5);
    expect(clickRate(counted([[1, 1]]))).toMatchObject({ value: 1, low: expect.closeTo(1 / 4.841458820694124, 9) as number, high: 1 });
  });

  it('where clicks came without their impressions is bounded by nothing from above', () => {
    const found = clickRate(counted([[1, 2], [1, 0], [2, 2]])); // prettier-ignore
    expect(found).toMatchObject({ value: 1, method: 'linearized_ratio' });
    expect(found.high).toBeGreaterThan(1);
  });
});
