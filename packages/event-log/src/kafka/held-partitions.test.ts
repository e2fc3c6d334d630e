import { describe, expect, it } from 'vitest';
import { HeldPartitions } from './held-partitions.ts';

describe('HeldPartitions', () => {
  it('tells what was lost and gained, and nothing of what stays', () => {
    const held = new HeldPartitions();
    expect(held.partitions).toBeNull();
    expect(held.change([1, 2])).toEqual({ lost: [], gained: [1, 2] });
    expect(held.change([2, 3])).toEqual({ lost: [1], gained: [3] });
    expect(held.clear()).toEqual([2, 3]);
    expect(held.partitions).toEqual(new Set());
  });

  it('takes positions only forward, as long as the partition stays', () => {
    const held = new HeldPartitions();
    held.change([1, 2]);
    held.assertForward(1, 0);
    held.committed(1, 50);
    held.change([1]);
    held.assertForward(1, 50);
    expect(() => held.assertForward(1, 49)).toThrow(RangeError);
    held.change([]);
    held.change([1]);
    held.assertForward(1, 49);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('takes no offset of %d', (offset) => {
    const held = new HeldPartitions();
    held.change([1]);
    expect(() => held.assertForward(1, offset)).toThrow(RangeError);
  });

  it('does not keep a position of a partition that was lost meanwhile', () => {
    const held = new HeldPartitions();
    held.change([1]);
    held.change([]);
    held.committed(1, 50);
    held.change([1]);
    held.assertForward(1, 1);
  });
});
