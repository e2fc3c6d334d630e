import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Arm, Slice } from './experiment.ts';
import { BUCKETS } from './hash.ts';
import { bucketsByCreative, moveSlices, slicesOf } from './slices.ts';

const armsOf = (weights: readonly number[]): Arm[] => weights.map((weight, at) => ({ creativeId: `c${at}`, weight }));
function ownersOf(slices: readonly Slice[]): (string | null)[] {
  const owners = Array.from<string | null>({ length: BUCKETS }).fill(null);
  for (const { creativeId, from, to } of slices) owners.fill(creativeId, from, to);
  return owners;
}

const rangesOf = (slices: readonly Slice[]): number[][] => slices.map(({ from, to }) => [from / BUCKETS, to / BUCKETS]);

describe('slicesOf', () => {
  // GrowthBook's own cases (`getBucketRange`), those without ranges of nothing.
  it.each([
    ['50/50', [1, 1], 1, [[0, 0.5], [0.5, 1]]], // prettier-ignore
    ['reduced coverage', [1, 1], 0.5, [[0, 0.25], [0.5, 0.75]]], // prettier-ignore
    ['uneven weights', [0.4, 0.6], 1, [[0, 0.4], [0.4, 1]]], // prettier-ignore
    ['three arms, reduced coverage', [0.2, 0.3, 0.5], 0.2, [[0, 0.04], [0.2, 0.26], [0.5, 0.6]]], // prettier-ignore
    ['no coverage', [1, 1], 0, []],
  ])('are as GrowthBook has them: %s', (_, weights, coverage, ranges) => {
    expect(rangesOf(slicesOf(armsOf(weights), coverage))).toEqual(ranges);
  });

  it('round to the nearest bucket', () => {
    expect(slicesOf(armsOf([2, 1]), 1)[0]!.to).toBe(6_667);
    expect(slicesOf(armsOf([1, 2]), 1)[0]!.to).toBe(3_333);
  });

  it('leave no bucket out where weights have no exact binary form', () => {
    const slices = slicesOf(armsOf([0.1, 0.2, 0.7]), 1);
    expect(slices.at(-1)!.to).toBe(BUCKETS);
    expect(slices.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(BUCKETS);
  });
});

describe('moveSlices', () => {
  it('gives a swapped-out arm to the one in its place, and moves nobody else', () => {
    const before = slicesOf(armsOf([1, 1, 1]), 1);
    const after = moveSlices(before, [{ creativeId: 'c0', weight: 1 }, { creativeId: 'new', weight: 1 }, { creativeId: 'c2', weight: 1 }], 1); // prettier-ignore
    expect(after).toEqual(before.map((slice) => (slice.creativeId === 'c1' ? { ...slice, creativeId: 'new' } : slice)));
  });

  it.each([
    [
      'an arm that shrinks lets go of its last buckets',
      [3, 7],
      [
        ['c0', 0, 3_000],
        ['c1', 3_000, 10_000],
      ],
    ],
    [
      'so does one at the end, and the lowest of them go first',
      [7, 3],
      [
        ['c0', 0, 5_000],
        ['c1', 5_000, 8_000],
        ['c0', 8_000, 10_000],
      ],
    ],
  ])('%s', (_, weights, expected) => {
    const moved = moveSlices(slicesOf(armsOf([1, 1]), 1), armsOf(weights), 1);
    expect(moved.map(({ creativeId, from, to }) => [creativeId, from, to])).toEqual(expected);
  });

  it('gives the buckets of an arm that goes to the others in their order, the lowest first', () => {
    const moved = moveSlices(slicesOf(armsOf([1, 1, 2]), 1), armsOf([1, 1]), 1);
    expect(moved.map(({ creativeId, from, to }) => [creativeId, from, to])).toEqual([
      ['c0', 0, 2_500],
      ['c1', 2_500, 5_000],
      ['c0', 5_000, 7_500],
      ['c1', 7_500, 10_000],
    ]);
  });

  const weights = fc
    .array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 6 })
    .filter((list) => list.some((weight) => weight > 0));
  const plan = fc.record({ weights, coverage: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100) });

  test.prop([plan, fc.array(plan, { minLength: 1, maxLength: 4 })], { numRuns: 40 })(
    'gives each arm its share, and moves no more buckets than that takes',
    (first, changes) => {
      let slices = slicesOf(armsOf(first.weights), first.coverage);
      for (const change of changes) {
        const arms = armsOf(change.weights);
        const moved = moveSlices(slices, arms, change.coverage);
        const had = bucketsByCreative(slices);
        const has = bucketsByCreative(moved);
        const asNew = bucketsByCreative(slicesOf(arms, change.coverage));
        expect(has).toEqual(asNew);

        const before = ownersOf(slices);
        const changed = ownersOf(moved).filter((owner, bucket) => owner !== before[bucket]).length;
        const [lost, won] = [...new Set([...had.keys(), ...has.keys()])].reduce(
          ([lost, won], creativeId) => {
            const gain = (has.get(creativeId) ?? 0) - (had.get(creativeId) ?? 0);
            return gain < 0 ? [lost - gain, won] : [lost, won + gain];
          },
          [0, 0],
        );
        expect(changed).toBe(Math.max(lost, won));
        slices = moved;
      }
    },
  );
});
