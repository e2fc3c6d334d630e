import { gzipSync } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { recordsOf } from '../log-follower.ts';
import { blockFrom } from '../record-block.ts';
import { batchOf, endOf } from './record-batch.samples.ts';
import type { AbortedTransaction } from './protocol/fetch.ts';
import { VisibleBatches } from './visible-batches.ts';

const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

function walk(bytes: readonly Buffer[], { from = 0, aborted = [] }: { from?: number; aborted?: readonly AbortedTransaction[] } = {}) {
  const batches = new VisibleBatches(3, from, Buffer.concat(bytes), aborted);
  const values: [offset: number, value: string | null][] = [];
  const positions: number[] = [];
  for (let block = batches.next(); block !== null; block = batches.next()) {
    expect(block.partition).toBe(3);
    // No Buffer, whose slice would be a view.
    expect(block.bytes.slice().buffer).not.toBe(block.bytes.buffer);
    values.push(...recordsOf(blockFrom(block, from)).map(({ offset, value }) => [offset, value] as [number, string | null]));
    positions.push(block.nextOffset);
  }
  expect(batches.offset).toBe(positions.at(-1) ?? from);
  return { values, positions };
}

describe('what a fetch brought', () => {
  test('is given batch by batch, from the offset asked for on; what is cut off is left', () => {
    const bytes = [batchOf(['a', 'b', 'c']), batchOf(['d'], { baseOffset: 3 }), batchOf(['e'], { baseOffset: 4 }).subarray(0, 65)];
    expect(walk(bytes, { from: 1 })).toEqual({
      values: [
        [1, 'b'],
        [2, 'c'],
        [3, 'd'],
      ],
      positions: [3, 4],
    });
  });

  test('is given decompressed', () => {
    expect(walk([batchOf(['a', 'b'], { attributes: 1, compress: (bytes) => gzipSync(bytes) })]).values).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  });

  test('leaves out batches before the offset', () => {
    expect(walk([batchOf(['a']), batchOf(['b'], { baseOffset: 1 })], { from: 1 })).toEqual({ values: [[1, 'b']], positions: [2] });
  });

  test('moves on over batches that compaction has emptied, and over the marks of transactions', () => {
    const empty = batchOf([], { baseOffset: 0, lastOffsetDelta: 9 });
    const mark = batchOf([endOf('committed')], { baseOffset: 10, attributes: TRANSACTIONAL | CONTROL, producerId: 7n });
    expect(walk([empty, mark])).toEqual({ values: [], positions: [10, 11] });
  });

  const begun = (baseOffset: number, producerId: bigint, values = [`${producerId}`]) =>
    batchOf(values, { baseOffset, producerId, attributes: TRANSACTIONAL });
  const ended = (baseOffset: number, producerId: bigint, outcome: 'aborted' | 'committed') =>
    batchOf([endOf(outcome)], { baseOffset, producerId, attributes: TRANSACTIONAL | CONTROL });

  test('leaves out what an aborted transaction wrote, and nothing else', () => {
    const bytes = [
      begun(0, 1n),
      begun(1, 2n),
      batchOf(['plain'], { baseOffset: 2, producerId: 1n }),
      ended(3, 1n, 'aborted'),
      begun(4, 1n),
      ended(5, 2n, 'committed'),
      ended(6, 1n, 'committed'),
    ];
    expect(walk(bytes, { aborted: [{ producerId: 1n, firstOffset: 0 }] }).values).toEqual([
      [1, '2'],
      [2, 'plain'],
      [4, '1'],
    ]);
  });

  test('knows several aborted transactions of one producer, named in any order', () => {
    const bytes = [
      begun(0, 1n),
      ended(1, 1n, 'aborted'),
      begun(2, 1n),
      ended(3, 1n, 'committed'),
      begun(4, 1n),
      ended(5, 1n, 'aborted'),
      begun(6, 1n),
    ];
    const aborted = [
      { producerId: 1n, firstOffset: 4 },
      { producerId: 1n, firstOffset: 0 },
    ];
    expect(walk(bytes, { aborted }).values.map(([offset]) => offset)).toEqual([2, 6]);
  });

  test('leaves out an aborted transaction that is read from its middle', () => {
    const bytes = [begun(0, 1n, ['a', 'b', 'c']), begun(3, 1n), ended(4, 1n, 'aborted'), batchOf(['z'], { baseOffset: 5 })];
    expect(walk(bytes, { from: 2, aborted: [{ producerId: 1n, firstOffset: 0 }] })).toEqual({
      values: [[5, 'z']],
      positions: [3, 4, 5, 6],
    });
  });

  test.prop([
    fc.array(fc.record({ values: fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1, maxLength: 4 }), gap: fc.nat(3) }), {
      maxLength: 6,
    }),
    fc.nat(30),
  ])('is all that lies at or after the offset', (batches, from) => {
    let offset = 0;
    const bytes: Buffer[] = [];
    const expected: [number, string][] = [];
    for (const { values, gap } of batches) {
      offset += gap;
      bytes.push(batchOf(values, { baseOffset: offset }));
      for (const value of values) expected.push([offset++, value]);
    }
    expect(walk(bytes, { from }).values).toEqual(expected.filter(([at]) => at >= from));
  });

  test('is refused where a mark has no kind', () => {
    const bytes = batchOf([{ key: Buffer.from([0]) }], { attributes: CONTROL });
    expect(() => walk([bytes])).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });
});
