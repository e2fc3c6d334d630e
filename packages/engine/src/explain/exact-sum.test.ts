import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { fitToSum, sumOf } from './exact-sum.ts';

const parts = (value: fc.Arbitrary<number>) => fc.array(value, { minLength: 1, maxLength: 200 });
const worth = fc.double({ min: 1e-12, max: 1e6, noNaN: true });
/** As far apart as sums of many thousand numbers in two orders may be. */
const apart = fc.integer({ min: -1000, max: 1000 }).map((ulps) => 1 + ulps * 2 ** -52);

describe('parts fitted to their sum', () => {
  test.prop([parts(worth), apart], { numRuns: 2000 })(
    'give it to the last bit, each still right to nine digits, with nothing left',
    (given, by) => {
      const sorted = given.toSorted((a, b) => b - a);
      const whole = sumOf(sorted) * by;
      const values = Float64Array.from(sorted);
      expect(fitToSum(values, whole)).toEqual([]);
      expect(sumOf(values)).toBe(whole);
      for (const [i, value] of values.entries()) expect(Math.abs(value / sorted[i]! - 1)).toBeLessThan(1.0001e-9);
    },
  );

  test.prop(
    [
      parts(
        fc.oneof(
          worth,
          worth.map((value) => -value),
        ),
      ),
      apart,
    ],
    { numRuns: 2000 },
  )('give it with what is left, where they may cancel out', (given, by) => {
    const whole = sumOf(given.toSorted((a, b) => a - b)) * by;
    const values = Float64Array.from(given);
    const left = fitToSum(values, whole);
    expect(sumOf([...values, ...left])).toBe(whole);
    expect(left.length).toBeLessThan(4);
  });

  it('of nothing are nothing', () => {
    expect(fitToSum(new Float64Array(0), 0)).toEqual([]);
    expect(fitToSum(new Float64Array(0), 0.5)).toEqual([0.5]);
  });

  it('that cancel each other out leave what they have no digits for', () => {
    const values = Float64Array.of(15, -15.0000001);
    const whole = -1.00000000123e-7;
    const left = fitToSum(values, whole);
    expect(left).toHaveLength(1);
    expect(sumOf([...values, ...left])).toBe(whole);
  });
});
