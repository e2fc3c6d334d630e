import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { estimate, type EstimateOptions } from './estimate.ts';
import { armWith, clicking, summaryOf } from './test-summaries.ts';

const options: EstimateOptions = { outcome: 'clicked', creatives: ['crA', 'crB'], control: 'crA', level: 0.05, tunedForAccounts: 2_000 };

describe('estimate', () => {
  it('of two shares is what the formulas say', () => {
    const summary = summaryOf([armWith('crA', 5_000, clicking(100, 1_000)), armWith('crB', 5_000, clicking(150, 1_000))]);
    const { arms, comparisons } = estimate(summary, options);
    expect(arms.map(({ value }) => value)).toEqual([0.1, 0.15]);
    const variance = (p: number): number => ((p * 1_000 + 1) / 1_002) * (1 - (p * 1_000 + 1) / 1_002) / 1_000; // prettier-ignore
    const se = Math.sqrt(variance(0.1) + variance(0.15));
    // ρ² = (-2 ln 0.05 + ln(-2 ln 0.05) + 1) / 2,000, so r = 8.78; sqrt(9.78 / 8.78 * ln(9.78 / 0.0025)) = 3.035.
    const [made] = comparisons;
    expect(made!.difference.value).toBeCloseTo(0.05, 12);
    expect((made!.difference.high - made!.difference.low) / (2 * se)).toBeCloseTo(3.0355, 3);
    expect(made!.ratio!.value).toBeCloseTo(1.5, 12);
    const z = 0.05 / se;
    expect(made!.pValue).toBeCloseTo(Math.sqrt(9.782) * Math.exp((-8.782 * z * z) / (2 * 9.782)), 4);
    expect(made!.pCorrected).toBe(made!.pValue);
  });

  const clicks = fc.array(fc.nat(3), { minLength: 20, maxLength: 200 });

  test.prop([clicks, clicks, fc.constantFrom('clickRate' as const, 'pointsGained' as const), fc.integer({ min: 1, max: 9 })])(
    'has p-value and interval agree: one is at the level where the other begins at 0',
    (first, second, outcome, percent) => {
      const level = percent / 100;
      const summary = summaryOf([armWith('crA', 5_000, first), armWith('crB', 5_000, second)]);
      const [made] = estimate(summary, { ...options, outcome, level }).comparisons;
      if (made === undefined) return;
      expect(made.pValue <= level).toBe(made.difference.low >= 0 || made.difference.high <= 0);
    },
  );

  test.prop([clicks])('of a rate takes accounts as they are: two clicks inside one are no two accounts', (first) => {
    const twice = first.flatMap((count) => [count, count]);
    const width = (list: readonly number[]): number => {
      const summary = summaryOf([armWith('crA', 5_000, list), armWith('crB', 5_000, list)]);
      const made = estimate(summary, { ...options, outcome: 'clickRate', tunedForAccounts: 1 }).comparisons[0];
      return made === undefined ? 0 : made.difference.high - made.difference.low;
    };
    // As many accounts again narrow it by at most the root of two; the same clicks in as many accounts would be no reason to.
    expect(width(twice)).toBeGreaterThanOrEqual(width(first) * 0.7);
  });

  it('weighs accounts so that shares that changed while clicks became more frequent confound nothing', () => {
    const summary = summaryOf(
      [armWith('crA', 8_000, clicking(80, 800)), armWith('crB', 2_000, clicking(20, 200))],
      [armWith('crA', 2_000, clicking(60, 200)), armWith('crB', 8_000, clicking(240, 800))],
    );
    const { arms, comparisons } = estimate(summary, options);
    // Of all accounts together, crA has 14% and crB 26%.
    expect(arms[0]!.value).toBeCloseTo(0.2, 12);
    expect(arms[1]!.value).toBeCloseTo(0.2, 12);
    expect(comparisons[0]!.pValue).toBeGreaterThan(0.9);
  });

  it('compares one that joined later over the time that it was there', () => {
    const summary = summaryOf(
      [armWith('crA', 10_000, clicking(500, 1_000))],
      [armWith('crA', 5_000, clicking(50, 500)), armWith('crB', 5_000, clicking(50, 500))],
    );
    expect(estimate(summary, options).comparisons[0]!.difference.value).toBeCloseTo(0, 12);
  });

  it('of two arms does not depend on how many others there are, nor on coverage', () => {
    const two = (buckets: number): ReturnType<typeof armWith>[] => [
      armWith('crA', buckets, clicking(100, 1_000)),
      armWith('crB', buckets, clicking(150, 1_000)),
    ];
    const [alone] = estimate(summaryOf(two(5_000)), options).comparisons;
    const [covered] = estimate(summaryOf(two(500)), options).comparisons;
    const [among] = estimate(summaryOf([...two(2_000), armWith('crC', 6_000, clicking(300, 3_000))]), options).comparisons;
    for (const other of [covered, among]) {
      expect(other!.pValue).toBeCloseTo(alone!.pValue, 12);
      expect(other!.difference.low).toBeCloseTo(alone!.difference.low, 12);
    }
  });

  it('shares the level among comparisons, also those that can not be made yet', () => {
    const summary = summaryOf([
      armWith('crA', 2_500, clicking(100, 1_000)),
      armWith('crB', 2_500, clicking(150, 1_000)),
      armWith('crC', 2_500, clicking(100, 1_000)),
      armWith('crD', 2_500, []),
    ]);
    const among = (control: string | null): number[] => {
      const { comparisonCount, comparisons } = estimate(summary, { ...options, creatives: ['crA', 'crB', 'crC', 'crD'], control });
      return [comparisonCount, comparisons.length];
    };
    expect(among('crA')).toEqual([3, 2]);
    expect(among(null)).toEqual([6, 3]);
    const { comparisons } = estimate(summary, { ...options, creatives: ['crA', 'crB', 'crC', 'crD'], control: null });
    const least = comparisons.find(({ against, creativeId }) => creativeId === 'crA' && against === 'crB')!;
    expect(least.pCorrected).toBeCloseTo(least.pValue * 6, 12);
  });

  it('has wider intervals of several comparisons: each is that of one alone at its share of the level', () => {
    const arms = ['crA', 'crB', 'crC'].map((creativeId, at) => armWith(creativeId, 3_333, clicking(100 + 50 * at, 1_000)));
    const [ofThree] = estimate(summaryOf(arms), { ...options, creatives: ['crA', 'crB', 'crC'] }).comparisons;
    const [alone] = estimate(summaryOf(arms), { ...options, level: options.level / 2 }).comparisons;
    expect(ofThree!.difference).toEqual(alone!.difference);
  });

  it.each([
    ['nobody', [], []],
    ['one account', [1], []],
  ])('has no comparison of %s', (_, first, second) => {
    const summary = summaryOf([armWith('crA', 5_000, first), armWith('crB', 5_000, second)]);
    expect(estimate(summary, options).comparisons).toEqual([]);
    expect(estimate(summary, options).arms[1]).toEqual({ creativeId: 'crB', accounts: 0, value: null, interval: null });
  });

  it('is not sure of an arm only because nobody clicked in it yet', () => {
    const summary = summaryOf([armWith('crA', 5_000, clicking(0, 100)), armWith('crB', 5_000, clicking(9, 100))]);
    expect(estimate(summary, options).comparisons[0]!.pValue).toBeGreaterThan(0.05);
  });

  it('of points may be below 0, and then has no ratio', () => {
    const summary = summaryOf([armWith('crA', 5_000, [-1, -2, 0]), armWith('crB', 5_000, [1, 2, 3])]);
    const [made] = estimate(summary, { ...options, outcome: 'pointsGained' }).comparisons;
    expect(made!.difference.value).toBe(3);
    expect(made!.ratio).toBeNull();
  });
});
