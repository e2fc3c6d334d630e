import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { holm } from './holm.ts';
import { logGamma } from './log-gamma.ts';
import { normalProbability, normalQuantile } from './normal.ts';
import { createRandom } from './random.ts';
import { alwaysValidP, boundary, rhoSquaredFor } from './sequential.ts';
import { shareInterval } from './share-interval.ts';

describe('boundary', () => {
  test.prop([fc.double({ min: 0.01, max: 1_000, noNaN: true }), fc.double({ min: 0.001, max: 0.5, noNaN: true })])(
    'is where the p-value is the level',
    (r, level) => {
      expect(alwaysValidP(boundary(r, level), r)).toBeCloseTo(level, 9);
    },
  );

  it('is narrowest about where it is tuned for', () => {
    const half = (accounts: number): number => boundary(accounts * rhoSquaredFor(1_000, 0.05), 0.05);
    const tunedFor = (tuned: number): number => boundary(1_000 * rhoSquaredFor(tuned, 0.05), 0.05);
    expect(half(1_000)).toBeCloseTo(3.035, 3);
    for (const tuned of [100, 500, 900, 1_100, 2_000, 10_000]) expect(tunedFor(tuned)).toBeGreaterThan(half(1_000) - 0.001);
  });

  it('is passed by a walk without drift no more often than the level says, looked at after each step', () => {
    const random = createRandom(5);
    const rhoSquared = rhoSquaredFor(500, 0.1);
    let passed = 0;
    for (let walk = 0; walk < 1_000; walk++) {
      let sum = 0;
      for (let n = 1; n <= 2_000; n++) {
        sum += random.normal();
        if (Math.abs(sum) / Math.sqrt(n) < boundary(n * rhoSquared, 0.1)) continue;
        passed++;
        break;
      }
    }
    // At 0.1, 100 of them forever; three standard deviations more by chance.
    expect(passed).toBeLessThan(100 + 3 * Math.sqrt(90));
    expect(passed).toBeGreaterThan(30);
  });
});

describe('shareInterval', () => {
  it.each([
    ['nobody', 0, 0, 0, 1],
    // Then p solves (1 - p)^100 = 0.05 / 101.
    ['none of 100', 0, 100, 0, 1 - (0.05 / 101) ** 0.01],
    ['all of 100', 100, 100, (0.05 / 101) ** 0.01, 1],
  ])('of %s', (_, successes, n, low, high) => {
    const interval = shareInterval(successes, n, 0.05);
    expect(interval.low).toBeCloseTo(low, 8);
    expect(interval.high).toBeCloseTo(high, 8);
  });

  it('holds the share at all instants together, but for the level', () => {
    const random = createRandom(9);
    let wrong = 0;
    for (let run = 0; run < 400; run++) {
      let successes = 0;
      for (let n = 1; n <= 400; n++) {
        if (random.uniform() < 0.1) successes++;
        const { high, low } = shareInterval(successes, n, 0.1);
        if (low <= 0.1 && high >= 0.1) continue;
        wrong++;
        break;
      }
    }
    expect(wrong).toBeLessThan(40 + 3 * Math.sqrt(36));
  });
});

describe('holm', () => {
  it.each([
    [[0.01, 0.04, 0.03], [0.03, 0.06, 0.06]], // prettier-ignore
    [[0.5], [0.5]],
    [[0.9, 0.8], [1, 1]], // prettier-ignore
    [[], []],
  ])('of %j is %j', (pValues, corrected) => {
    for (const [at, p] of holm(pValues).entries()) expect(p).toBeCloseTo(corrected[at]!, 12);
  });
});

describe('special functions', () => {
  it.each([
    [1, 0],
    [0.5, Math.log(Math.sqrt(Math.PI))],
    [11, Math.log(3_628_800)],
    [0.1, 2.252712651734206],
    [1_000, 5_905.220423209181],
  ])('logGamma(%d)', (x, value) => {
    expect(logGamma(x)).toBeCloseTo(value, 9);
  });

  it.each([
    [0.975, 1.959963984540054],
    [0.8, 0.8416212335729143],
    [0.0005, -3.2905267314919255],
  ])('normalQuantile(%d)', (probability, x) => {
    expect(normalQuantile(probability)).toBeCloseTo(x, 9);
    expect(normalProbability(x)).toBeCloseTo(probability, 9);
  });

  it('draws have the mean and variance they should', () => {
    const random = createRandom(1);
    const of = (draw: () => number): [number, number] => {
      const values = Array.from({ length: 50_000 }, draw);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
    };
    const near = ([mean, variance]: [number, number], [ofMean, ofVariance]: [number, number]): void => {
      expect(Math.abs(mean - ofMean)).toBeLessThan(0.02 * Math.sqrt(ofVariance));
      expect(Math.abs(variance / ofVariance - 1)).toBeLessThan(0.05);
    };
    near(of(random.uniform), [0.5, 1 / 12]);
    near(of(random.normal), [0, 1]);
    near(of(() => random.gamma(3.5)), [3.5, 3.5]); // prettier-ignore
  });
});
