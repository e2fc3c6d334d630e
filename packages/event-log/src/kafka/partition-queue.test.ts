import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { FRAME_BYTES_MAX, RecordReader } from '../record-block.ts';
import { BATCH_BYTES_MAX, Append, PartitionQueue } from './partition-queue.ts';
import type { Batch } from './partition-queue.ts';

function add(queue: PartitionQueue, append: Append, size: number, now = 0): void {
  queue.add(append, null, Buffer.alloc(size), FRAME_BYTES_MAX + size, now);
}

function sizesIn({ records }: Batch): number[] {
  const bytes = records.bytes();
  const block = { partition: 0, baseOffset: 0, nextOffset: records.count, count: records.count, appendedAt: 0, bytes };
  const reader = new RecordReader().open(block);
  const sizes: number[] = [];
  while (reader.next()) sizes.push(reader.valueEnd - reader.valueStart);
  return sizes;
}

describe('the queue of a partition', () => {
  test.prop([fc.array(fc.oneof(fc.nat(2_000), fc.nat(1024 * 1024)), { maxLength: 12 })])(
    'cuts batches at the bound and keeps the order',
    (sizes) => {
      const queue = new PartitionQueue('t', 0);
      const append = new Append(1);
      for (const size of sizes) add(queue, append, size);
      const batches: Batch[] = [];
      while (!queue.empty) {
        batches.push(queue.take());
        queue.settled();
      }
      expect(batches.flatMap(sizesIn)).toEqual(sizes);
      for (const { records } of batches) expect(records.count === 1 || records.byteLength <= BATCH_BYTES_MAX).toBe(true);
    },
  );

  test('sends a batch again as it was, before what came later', () => {
    const queue = new PartitionQueue('t', 0);
    add(queue, new Append(1), 1);
    const batch = queue.take();
    add(queue, new Append(1), 2);
    queue.putBack(batch, 0, new Error('lost'));
    add(queue, new Append(1), 3);
    expect(queue.take()).toBe(batch);
    expect(sizesIn(batch)).toEqual([1]);
    queue.settled();
    expect(sizesIn(queue.take())).toEqual([2, 3]);
  });

  test('adds nothing to a batch that was sent once, also when no other waits', () => {
    const queue = new PartitionQueue('t', 0);
    add(queue, new Append(1), 1);
    queue.putBack(queue.take(), 0, new Error('lost'));
    add(queue, new Append(1), 2);
    expect(sizesIn(queue.take())).toEqual([1]);
  });

  test('waits longer after each failure, up to half a second, and starts again after a success', () => {
    const queue = new PartitionQueue('t', 0);
    add(queue, new Append(1), 1);
    const waits = Array.from({ length: 6 }, () => queue.putOff(0, new Error('lost')));
    expect(waits).toEqual([50, 100, 200, 400, 500, 500]);
    queue.take();
    queue.settled();
    expect(queue.putOff(0, new Error('lost'))).toBe(50);
  });

  test('begins a batch of its own for what comes much later, and gives up the older ones only', () => {
    const queue = new PartitionQueue('t', 0);
    for (const [size, now] of [
      [1, 0],
      [2, 1_000],
      [3, 1_001],
      [4, 2_500],
    ] as const)
      add(queue, new Append(1), size, now);
    expect(queue.dropOlderThan(1_001).map(sizesIn)).toEqual([[1, 2], [3]]);
    expect(sizesIn(queue.take())).toEqual([4]);
  });

  test('an append is through when the last of its batches is, and fails with any of them', async () => {
    const [good, bad] = [new Append(1), new Append(1)];
    for (const append of [good, good, bad, bad]) append.join();
    expect(good.settle(null)).toBe(false);
    expect(good.settle(null)).toBe(true);
    await good.outcome.promise;
    const failure = Object.assign(new Error('io'), { code: 'io' as const, retriable: true });
    expect(bad.settle(failure)).toBe(false);
    expect(bad.settle(null)).toBe(true);
    await expect(bad.outcome.promise).rejects.toBe(failure);
  });
});
