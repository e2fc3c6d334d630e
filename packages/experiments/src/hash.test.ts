import { describe, expect, it } from 'vitest';
import { bucketOf, BUCKETS, fnv1a32 } from './hash.ts';

describe('bucketOf', () => {
  // GrowthBook's own cases for the hash of version 2 (specVersion 0.7.1, `hash`).
  it.each([
    ['seed', 'a', 0.0505],
    ['seed', 'b', 0.2696],
    ['foo', 'ab', 0.2575],
    ['foo', 'def', 0.2019],
    ['89123klj', '8952klfjas09ujkasdf', 0.124],
    ['90850943850283058242805', '123', 0.7516],
    ['()**(%$##$%#$#', '___)((*":&', 0.0128],
  ])('of seed %s and value %s is as GrowthBook has it', (seed, value, share) => {
    expect(bucketOf(seed, value) / BUCKETS).toBe(share);
  });

  it('spreads numbered accounts evenly over 100 equal parts', () => {
    const counts = new Float64Array(100);
    const accounts = 100_000;
    for (let n = 0; n < accounts; n++) counts[Math.floor(bucketOf('exp-7', `acct-${n}`) / 100)]!++;
    // Chi-square with 99 degrees of freedom: above 148.2 by chance once in a thousand.
    const expected = accounts / counts.length;
    expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(148.2);
  });
});

describe('fnv1a32', () => {
  // Published test values of FNV-1a.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('of "%s" is as published', (text, hash) => {
    expect(fnv1a32(text)).toBe(hash);
  });
});
