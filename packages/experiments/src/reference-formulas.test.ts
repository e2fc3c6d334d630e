import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { shareVarianceOf } from './compare.ts';
import { estimate, type EstimateOptions } from './estimate.ts';
import { addAccount, addMoments, noMoments, varianceOf, type Moments } from './moments.ts';
import { deviationOf, planPower, type PowerQuestion } from './power.ts';
import { checkSampleRatio } from './sample-ratio.ts';
import { shareInterval } from './share-interval.ts';
import { noArm, type ArmSummary } from './summary.ts';
import { clicking, armWith, summaryOf } from './test-summaries.ts';
import { thompsonStep } from './thompson.ts';

/**
 * Figures against the same formulas over lists of accounts, which need no sums that are kept, and against values that other programs computed:
 * mpmath 1.3 (30 digits) and NormalDist of Python's statistics.
 */

interface Account {
  readonly w: number;
  readonly x: number;
  readonly y: number;
}

const BUCKETS = 10_000;
const sumOf = (accounts: readonly Account[], value: (one: Account) => number): number => accounts.reduce((sum, one) => sum + value(one), 0);
const ratio = (accounts: readonly Account[]): number => sumOf(accounts, ({ w, y }) => w * y) / sumOf(accounts, ({ w, x }) => w * x);

/** Variance of a weighted ratio by linearization (Särndal, Swensson, Wretman 1992, 5.6), n / (n - 1) for the mean that was taken out. */
function linearized(accounts: readonly Account[]): number {
  const value = ratio(accounts);
  const residuals = sumOf(accounts, ({ w, x, y }) => (w * (y - value * x)) ** 2);
  return (residuals / sumOf(accounts, ({ w, x }) => w * x) ** 2) * (accounts.length / (accounts.length - 1));
}

/** Of a share: not less than with one success and one failure more (Agresti, Caffo 2000), of Kish's effective number of accounts. */
function ofShare(accounts: readonly Account[]): number {
  const effective = sumOf(accounts, ({ w }) => w) ** 2 / sumOf(accounts, ({ w }) => w * w);
  const share = (ratio(accounts) * effective + 1) / (effective + 2);
  return Math.max(linearized(accounts), (share * (1 - share)) / effective);
}

/** Half the interval in standard errors at a time `r`, and the rate of time at which it is narrowest at `accounts` (Waudby-Smith and others 2024). */
const halfWidth = (r: number, level: number): number => Math.sqrt((1 + 1 / r) * (Math.log(1 + r) - 2 * Math.log(level)));
function rateFor(accounts: number, level: number): number {
  const spread = 2 * Math.log(1 / level);
  return (spread + Math.log(spread) + 1) / accounts;
}

function momentsOf(accounts: readonly Account[]): Moments {
  const moments = noMoments();
  for (const { w, x, y } of accounts) addAccount(moments, w, x, y);
  return moments;
}

function near(found: number, wanted: number): void {
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(wanted)));
}

const weight = fc.integer({ min: 1, max: 40 }).map((n) => n / 4);
const anyAccount = fc.record({ w: weight, x: fc.integer({ min: 1, max: 9 }), y: fc.nat(6) });
const anyShare = fc.record({ w: weight, x: fc.constant(1), y: fc.nat(1) });

describe('moments', () => {
  test.prop([fc.array(anyAccount, { minLength: 2, maxLength: 30 })])('have the variance of the list', (accounts) => {
    near(varianceOf(momentsOf(accounts)), linearized(accounts));
  });

  test.prop([fc.array(anyAccount, { minLength: 2, maxLength: 30 }), weight])('scaled are those of scaled weights', (accounts, scale) => {
    const scaled = noMoments();
    addMoments(scaled, momentsOf(accounts), scale);
    const expected = momentsOf(accounts.map((one) => ({ ...one, w: one.w * scale })));
    for (const key of Object.keys(expected) as (keyof Moments)[]) near(scaled[key], expected[key]);
  });

  it('of a plain mean have its textbook variance, and of one account none', () => {
    const values = [1, 2, 3, 4];
    expect(varianceOf(momentsOf(values.map((y) => ({ w: 1, x: 1, y }))))).toBeCloseTo(5 / 3 / 4, 12);
    for (const accounts of [[], [{ w: 1, x: 1, y: 3 }]]) expect(varianceOf(momentsOf(accounts))).toBe(Infinity);
  });

  test.prop([fc.array(anyShare, { minLength: 2, maxLength: 40 })])('of shares have the variance of the list', (accounts) => {
    near(shareVarianceOf(momentsOf(accounts)), ofShare(accounts));
  });
});

interface Era {
  /** Of two arms; the rest belongs to a third. */
  readonly buckets: readonly [number, number];
  readonly accounts: readonly [readonly Omit<Account, 'w'>[], readonly Omit<Account, 'w'>[]];
}

const CREATIVES = ['crA', 'crB'] as const;
const accountsOf = (one: fc.Arbitrary<Omit<Account, 'w'>>): fc.Arbitrary<Omit<Account, 'w'>[]> =>
  fc.array(one, { minLength: 2, maxLength: 25 });
function erasOf(one: fc.Arbitrary<Omit<Account, 'w'>>): fc.Arbitrary<Era[]> {
  const buckets = fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 }));
  return fc.array(fc.record({ buckets, accounts: fc.tuple(accountsOf(one), accountsOf(one)) }), { minLength: 1, maxLength: 3 });
}

function summarised(eras: readonly Era[], outcome: 'clicked' | 'clickRate' | 'pointsGained'): ReturnType<typeof summaryOf> {
  const armOf = (at: 0 | 1, { accounts, buckets }: Era): ArmSummary => {
    const arm = noArm(CREATIVES[at], buckets[at]);
    for (const { x, y } of accounts[at]) addAccount(arm.moments[outcome], BUCKETS / buckets[at], x, y);
    return arm;
  };
  return summaryOf(...eras.map((era) => [armOf(0, era), armOf(1, era), noArm('crC', 500)]));
}

const options: EstimateOptions = { outcome: 'clicked', creatives: CREATIVES, control: 'crB', level: 0.05, tunedForAccounts: 60 };
const CASES = [
  ['clicked', anyShare],
  ['clickRate', anyAccount],
  ['pointsGained', anyAccount.map((one) => ({ ...one, x: 1 }))],
] as const;

describe.each(CASES)('an estimate of %s', (outcome, one) => {
  test.prop([erasOf(one), fc.integer({ min: 1, max: 30 })])('has the differences of the lists', (eras, percent) => {
    const level = percent / 100;
    const [made] = estimate(summarised(eras, outcome), { ...options, outcome, level }).comparisons;
    const of = (at: 0 | 1): Account[] =>
      eras.flatMap(({ accounts, buckets }) =>
        // Each weighs the other arm's share of the two.
        accounts[at].map((account) => ({ ...account, w: buckets[1 - at]! / (buckets[0] + buckets[1]) })),
      );
    const [first, second] = [of(0), of(1)];
    const variance = outcome === 'clicked' ? ofShare : linearized;
    const [va, vb, a, b] = [variance(first), variance(second), ratio(first), ratio(second)];
    if (!(va + vb > 1e-12)) return;
    const r = 4 * sumOf([...first, ...second], ({ w }) => w * w) * rateFor(60, level);
    const half = halfWidth(r, level) * Math.sqrt(va + vb);
    near(made!.difference.value, a - b);
    near(made!.difference.low, a - b - half);
    near(made!.difference.high, a - b + half);
    near(made!.pValue, Math.min(1, Math.sqrt(1 + r) * Math.exp((-r / (1 + r) / 2) * ((a - b) ** 2 / (va + vb)))));
    expect(made!.accounts).toBe(first.length + second.length);
    if (!(a > 0 && b > 0)) {
      expect(made!.ratio).toBeNull();
      return;
    }
    // Variance of the logarithm of each, by the delta method.
    const spread = halfWidth(r, level) * Math.sqrt(va / a ** 2 + vb / b ** 2);
    near(made!.ratio!.value, a / b);
    near(Math.log(made!.ratio!.low), Math.log(a / b) - spread);
    near(Math.log(made!.ratio!.high), Math.log(a / b) + spread);
  });

  test.prop([erasOf(one)])('has the arms of the lists', (eras) => {
    const { arms } = estimate(summarised(eras, outcome), { ...options, outcome });
    for (const at of [0, 1] as const) {
      const accounts = eras.flatMap((era) =>
        era.accounts[at].map((account) => ({ ...account, w: (era.buckets[0] + era.buckets[1] + 500) / era.buckets[at] })),
      );
      near(arms[at]!.value!, ratio(accounts));
      const isOfOneWeight = new Set(accounts.map(({ w }) => w)).size === 1;
      if (outcome === 'clicked' && isOfOneWeight) {
        const clicked = accounts.filter(({ y }) => y === 1).length;
        expect(arms[at]!.interval).toEqual(shareInterval(clicked, accounts.length, 0.05));
        continue;
      }
      const variance = outcome === 'clicked' ? ofShare(accounts) : linearized(accounts);
      // Where all are alike, sums that are kept leave some rounding of it.
      if (variance < 1e-12) continue;
      const half = halfWidth(accounts.length * rateFor(30, 0.05), 0.05) * Math.sqrt(variance);
      const [least, most] = outcome === 'clicked' ? [0, 1] : [-Infinity, Infinity];
      near(arms[at]!.interval!.low, Math.max(least, ratio(accounts) - half));
      near(arms[at]!.interval!.high, Math.min(most, ratio(accounts) + half));
    }
  });
});

describe('the interval of a share', () => {
  // The roots of s ln p + (n - s) ln(1 - p) = ln level + ln B(s + 1, n - s + 1), by mpmath.
  it.each([
    [29, 100, 0.05, 0.1613818232821, 0.44669357253095],
    [3, 1000, 0.05, 6.8531231697229e-5, 0.016418305493189],
    [450, 1000, 0.01, 0.38847020837384, 0.51257008541072],
  ])('of %d of %d at level %d', (successes, n, level, low, high) => {
    const found = shareInterval(successes, n, level);
    expect(found.low).toBeCloseTo(low, 8);
    expect(found.high).toBeCloseTo(high, 8);
    // Rounded outwards: it holds at least what it must.
    expect(found.low).toBeLessThanOrEqual(low);
    expect(found.high).toBeGreaterThanOrEqual(high);
  });

  it('is of every number of successes, though shares of them have no exact binary form', () => {
    for (let clicked = 0; clicked <= 100; clicked++) {
      const [arm] = estimate(summaryOf([armWith('crA', 3_333, clicking(clicked, 100)), armWith('crB', 3_333, [])]), options).arms;
      expect(arm!.interval).toEqual(shareInterval(clicked, 100, 0.05));
    }
  });
});

describe('a plan', () => {
  const question: PowerQuestion = { baseline: 0.1, deviation: null, lift: 0.2, level: 0.05, power: 0.8, armCount: 2, hasControl: true };

  // (z(1 - level / 2 / comparisons) + z(0.8))² x variances / difference², by NormalDist; and with the sequence's half width in place of the first.
  it.each<[string, Partial<PowerQuestion>, number, number]>([
    ['two arms', {}, 3_839, 7_351],
    ['three arms against a control: two comparisons', { armCount: 3 }, 4_648, 8_305],
    ['four arms, each with each: six comparisons', { armCount: 4, hasControl: false }, 5_922, 9_764],
    ['a mean with deviation 0.5', { deviation: 0.5 }, 9_812, 18_790],
  ])('for %s', (_, change, fixed, sequential) => {
    const plan = planPower({ ...question, ...change });
    expect([plan.fixedAccountsPerArm, plan.accountsPerArm]).toEqual([fixed, sequential]);
  });

  test.prop([fc.array(anyShare, { minLength: 2, maxLength: 40 })])('takes the deviation of one account from weighted ones', (accounts) => {
    const effective = sumOf(accounts, ({ w }) => w) ** 2 / sumOf(accounts, ({ w }) => w * w);
    near(deviationOf(momentsOf(accounts)), Math.sqrt(linearized(accounts) * effective));
  });
});

describe('the sample ratio', () => {
  const arm = (creativeId: string, buckets: number, accounts: number): ArmSummary => ({
    ...noArm(creativeId, buckets),
    exposed: accounts,
    settled: accounts,
  });
  const off = [arm('crA', 5_000, 640), arm('crB', 5_000, 460)];
  const even = [arm('crA', 8_000, 800), arm('crB', 2_000, 200)];

  // 2 x the stated multinomial likelihood over the mixture of Dirichlet(400 x shares), eras multiplied, by mpmath.
  it.each([
    ['an era', [[arm('crA', 5_000, 1_120), arm('crB', 5_000, 1_000)]], 0.287822525594],
    ['two eras', [off, even], 0.000143141073067],
    ['two eras, the other way round', [even, off], 0.000143141073067],
  ])('of %s is the value of another program', (_, eras, pValue) => {
    expect(checkSampleRatio(summaryOf(...eras), 0.05).pValue / pValue).toBeCloseTo(1, 8);
  });

  it('is an alarm from the level on', () => {
    const { pValue } = checkSampleRatio(summaryOf(off), 0.001);
    expect(checkSampleRatio(summaryOf(off), pValue).isAlarm).toBe(true);
    expect(checkSampleRatio(summaryOf(off), pValue * 0.999).isAlarm).toBe(false);
  });
});

describe('the probability that an arm is the best', () => {
  const SEEDS = Array.from({ length: 40 }, (_, n) => `seed-${n}`);
  const given = { creatives: CREATIVES, floor: 0.05, warmUpAccounts: 2 };
  /** Of 80,000 draws, so that four standard errors are below 0.006. */
  function drawn(outcome: 'clicked' | 'pointsGained', first: readonly number[], second: readonly number[]): number {
    const summary = summaryOf([armWith('crA', 5_000, first), armWith('crB', 5_000, second)]);
    const steps = SEEDS.map((seed) => thompsonStep(summary, { ...given, outcome, seed }));
    return steps.reduce((sum, { bestProbability }) => sum + bestProbability['crB']!, 0) / SEEDS.length;
  }

  // Integral of the density of Beta(1 + s, 1 + n - s) of one times the distribution of the other, by mpmath. n is how many accounts the variance says, not more
  // than there are: of 1 in 20 the second term of `ofShare` leaves 11.5.
  it.each([
    [1, 3, 20, 0.73727],
    [10, 12, 20, 0.726577],
    [2, 7, 20, 0.948404],
    [19, 16, 20, 0.170382],
    [50, 65, 500, 0.929622],
  ])('of %d against %d of %d', (first, second, accounts, exact) => {
    expect(Math.abs(drawn('clicked', clicking(first, accounts), clicking(second, accounts)) - exact)).toBeLessThan(0.006);
  });

  it('of means is that of normal variables with their standard errors', () => {
    // NormalDist().cdf(0.03 / sqrt(0.1 x 0.9 / 499 + 0.13 x 0.87 / 499))
    expect(Math.abs(drawn('pointsGained', clicking(50, 500), clicking(65, 500)) - 0.9314951)).toBeLessThan(0.006);
  });

  it('becomes shares by largest remainder, after the floors', () => {
    const arms = [40, 45, 48].map((clicked, at) => armWith(['crA', 'crB', 'crC'][at]!, 3_333, clicking(clicked, 100)));
    for (const seed of SEEDS) {
      const step = thompsonStep(summaryOf(arms), { ...given, creatives: ['crA', 'crB', 'crC'], outcome: 'clicked', seed });
      const hundredths = step.arms.map(({ creativeId, weight }) => {
        const exact = 100 * (0.05 + (1 - 3 * 0.05) * step.bestProbability[creativeId]!);
        return { isUp: Math.round(100 * weight) > Math.floor(exact), remainder: exact - Math.floor(exact) };
      });
      const up = hundredths.filter(({ isUp }) => isUp).map(({ remainder }) => remainder);
      const down = hundredths.filter(({ isUp }) => !isUp).map(({ remainder }) => remainder);
      expect(up).toHaveLength(Math.round(hundredths.reduce((sum, { remainder }) => sum + remainder, 0)));
      expect(Math.min(...up, 1)).toBeGreaterThanOrEqual(Math.max(...down, 0));
    }
  });
});
