import { expect, test } from 'vitest';
import { FrameMemory } from './frame-memory.ts';

const MIB = 1024 * 1024;

function clocked(): { memory: FrameMemory; wait: (ms: number) => void } {
  let now = 0;
  return { memory: new FrameMemory(() => now), wait: (ms) => void (now += ms) };
}

test('memory that was given back is taken again, the smallest that fits', () => {
  const { memory } = clocked();
  const [large, small] = [memory.take(5 * MIB), memory.take(MIB + 1)];
  expect([large.length, small.length]).toEqual([5 * MIB, MIB + 1]);
  memory.giveBack(large.subarray(100, 200));
  memory.giveBack(small);
  expect(memory.take(MIB).buffer).toBe(small.buffer);
  expect(memory.take(MIB).buffer).toBe(large.buffer);
  expect(memory.freeBytes).toBe(0);
});

test('a frame fits where one of half its size was', () => {
  const { memory } = clocked();
  const first = memory.take(4 * MIB + 1);
  memory.giveBack(first);
  expect(memory.freeBytes).toBe(8 * MIB);
  expect(memory.take(8 * MIB).buffer).toBe(first.buffer);
});

test('what is in use is never given to another', () => {
  const { memory } = clocked();
  const first = memory.take(MIB);
  expect(memory.take(MIB).buffer).not.toBe(first.buffer);
  memory.giveBack(first);
  // Views of one answer come back one by one; the first tells.
  memory.giveBack(first);
  expect(memory.freeBytes).toBe(MIB);
  expect(memory.take(MIB).buffer).toBe(first.buffer);
  expect(memory.take(MIB).buffer).not.toBe(first.buffer);
});

test('small frames and what was never taken here are left to the collector', () => {
  const { memory } = clocked();
  const small = memory.take(64 * 1024 - 1);
  expect(small.length).toBe(64 * 1024 - 1);
  memory.giveBack(small);
  memory.giveBack(Buffer.alloc(MIB));
  expect(memory.freeBytes).toBe(0);
});

test('when there are too many, the smallest goes', () => {
  const { memory } = clocked();
  const taken = [4, 1, 8, 2, 2].map((size) => memory.take(size * MIB));
  for (const one of taken) memory.giveBack(one);
  expect(memory.freeBytes).toBe(16 * MIB);
  expect(memory.take(MIB).buffer).not.toBe(taken[1]!.buffer);
});

test('four are kept at most, and none for longer than ten seconds', () => {
  const { memory, wait } = clocked();
  const taken = Array.from({ length: 6 }, () => memory.take(MIB));
  for (const one of taken.slice(0, 5)) memory.giveBack(one);
  expect(memory.freeBytes).toBe(4 * MIB);
  wait(9000);
  memory.giveBack(taken[5]!);
  memory.trim();
  expect(memory.freeBytes).toBe(4 * MIB);
  wait(2000);
  memory.trim();
  expect(memory.freeBytes).toBe(MIB);
  wait(9000);
  memory.trim();
  expect(memory.freeBytes).toBe(0);
});
