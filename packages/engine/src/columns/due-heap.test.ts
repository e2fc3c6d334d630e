import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { DueHeap } from './due-heap.ts';

const moves = fc.array(fc.tuple(fc.nat(200), fc.oneof(fc.nat(20), fc.constant(Infinity))), { maxLength: 300, size: 'max' });

test.prop([moves])('the first of a heap is the row that is due first, and of those the one that comes first', (steps) => {
  // Rows come in the order of their numbers, backwards.
  const heap = new DueHeap((row, other) => row > other);
  const due = new Map<number, number>();
  for (const [row, dueAt] of steps) {
    heap.set(row, dueAt);
    if (dueAt === Infinity) due.delete(row);
    else due.set(row, dueAt);
    const [first = [-1, Infinity]] = [...due].sort(([one, at], [other, otherAt]) => at - otherAt || other - one);
    expect([heap.first, heap.firstDueAt, heap.size]).toEqual([...first, due.size]);
    expect(heap.dueAt(row)).toBe(dueAt);
  }
  const sorted = [...due].sort(([one, at], [other, otherAt]) => at - otherAt || other - one);
  const taken = sorted.map(() => {
    const row = heap.first;
    heap.set(row, Infinity);
    return row;
  });
  expect(taken).toEqual(sorted.map(([row]) => row));
});
