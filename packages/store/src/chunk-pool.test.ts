import { TouchCursor } from '@touchstone/engine';
import { expect, it } from 'vitest';
import { CHUNK_BYTES, ChunkPool } from './chunk-pool.ts';
import { TouchRowArena } from './touch-rows.ts';

/** Enough rows for a first chunk and two of the usual size. */
function filled(pool: ChunkPool, appendedAt: number): TouchRowArena {
  const rows = new TouchRowArena(3, pool);
  const touch = new TouchCursor();
  while (rows.chunks().length < 3) rows.add(rows.count, appendedAt, touch);
  return rows;
}

it('chunks are filled again once their rows are given up, and not before', () => {
  const pool = new ChunkPool();
  const first = filled(pool, 1);
  const before = Buffer.concat(first.chunks());
  const second = filled(pool, 2);
  expect(Buffer.concat(first.chunks()).equals(before)).toBe(true);
  const given = first.give();
  pool.refill(given);
  expect(() => first.chunks()).toThrow('stored');
  const third = filled(pool, 1);
  expect(third.chunks().filter(({ buffer }) => given.includes(buffer))).toHaveLength(2);
  expect(Buffer.concat(third.chunks()).equals(before)).toBe(true);
  expect(Buffer.concat(second.chunks()).equals(before)).toBe(false);
});

it('a pool keeps no more than twice what a checkpoint gave', () => {
  const pool = new ChunkPool();
  const buffers = (count: number) => Array.from({ length: count }, () => new ArrayBuffer(CHUNK_BYTES));
  pool.refill(buffers(10));
  pool.refill([...buffers(1), new ArrayBuffer(64)]);
  expect([pool.take(), pool.take(), pool.take()].map((chunk) => chunk?.length)).toEqual([CHUNK_BYTES, CHUNK_BYTES, undefined]);
});
