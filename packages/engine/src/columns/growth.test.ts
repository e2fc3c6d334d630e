import { expect, test, vi } from 'vitest';
import { grown, moreRows, type Column } from './growth.ts';

test.each([Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array])(
  'a column of %o keeps its numbers however long it becomes',
  (type) => {
    let column: Column = new type(1);
    let filled = 0;
    while (column.byteLength < 4 * 1024 * 1024) {
      for (; filled < column.length; filled++) column[filled] = filled % 251;
      column = grown(column, moreRows(column.length));
      expect(column.constructor).toBe(type);
      expect(column.subarray(filled).findIndex((number) => number !== 0)).toBe(-1);
    }
    expect(column.subarray(0, filled).findIndex((number, row) => number !== row % 251)).toBe(-1);
  },
);

test('a large column grows where it stands, 64 times as long', () => {
  const first = grown(new Float64Array(10), 100_000);
  const later = grown(first, 6_400_000);
  expect(later.buffer).toBe(first.buffer);
  expect([first.length, later.length]).toEqual([100_000, 6_400_000]);
  expect(grown(later, 6_400_001).buffer).not.toBe(first.buffer);
});

test('a small one is copied, and takes no memory but its own', () => {
  const small = grown(Uint32Array.of(1, 2, 3), 1000);
  expect(small.buffer.byteLength).toBe(4000);
  expect(grown(small, 2000).buffer).not.toBe(small.buffer);
});

test('a column that is in use already is not made shorter', () => {
  const column = grown(new Uint8Array(0), 1_000_000).fill(7);
  expect(grown(column, 500_000)).toHaveLength(500_000);
  expect(grown(column, 1_000_000).every((number) => number === 7)).toBe(true);
});

test('a large one grows where no address space is given for more, too', () => {
  function Refused(): never {
    throw new RangeError('Array buffer allocation failed');
  }
  vi.stubGlobal('SharedArrayBuffer', Refused);
  try {
    const column = grown(new Uint8Array(1_000_000).fill(7), 2_000_000);
    expect([column.length, column[999_999], column[1_000_000]]).toEqual([2_000_000, 7, 0]);
  } finally {
    vi.unstubAllGlobals();
  }
});
