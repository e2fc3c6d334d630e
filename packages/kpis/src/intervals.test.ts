import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { newcombe, wilson } from './intervals.ts';

const counts = fc.integer({ min: 1, max: 5000 }).chain((trials) => fc.record({ trials: fc.constant(trials), successes: fc.nat(trials) }));

describe('the interval of a share', () => {
  // Worked examples of Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17, 1998, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i in %i', (successes, trials, low, high) => {
    const interval = wilson(successes, trials)!;
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('of nothing is not known', () => {
    expect(wilson(0, 0)).toBeNull();
  });

  test.prop([counts])('holds the share, and solves the equation that defines it', ({ successes, trials }) => {
    const { high, low } = wilson(successes, trials)!;
    const share = successes / trials;
    expect(low).toBeLessThanOrEqual(share);
    expect(high).toBeGreaterThanOrEqual(share);
    // By definition its ends are those true shares that the observed one is 1.96 standard errors from.
    for (const end of [low, high]) {
      if (end === 0 || end === 1) continue;
      expect(Math.abs(share - end) / Math.sqrt((end * (1 - end)) / trials)).toBeCloseTo(1.959963984540054, 6);
    }
  });
});

describe('the interval of a difference', () => {
  // The same author's Interval estimation for the difference between independent proportions, table II, method 10.
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [10, 10, 0, 10, 0.6075, 1],
    [5, 56, 0, 29, -0.0381, 0.1926],
  ])('of %i in %i and %i in %i', (successes, trials, otherSuccesses, otherTrials, low, high) => {
    const interval = newcombe({ successes, trials }, { successes: otherSuccesses, trials: otherTrials })!;
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('is not known where one has no trials', () => {
    expect(newcombe({ successes: 0, trials: 0 }, { successes: 1, trials: 2 })).toBeNull();
    expect(newcombe({ successes: 1, trials: 2 }, { successes: 0, trials: 0 })).toBeNull();
  });

  test.prop([counts, counts])('turns round with its two sides', (one, other) => {
    const there = newcombe(one, other)!;
    const back = newcombe(other, one)!;
    expect(there.low).toBeCloseTo(-back.high, 12);
    expect(there.high).toBeCloseTo(-back.low, 12);
  });
});
