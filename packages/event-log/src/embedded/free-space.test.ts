import { describe, expect, test } from 'vitest';
import { FreeSpace } from './free-space.ts';

const MIB = 1024 * 1024;

/** A disk of 4 KiB blocks with so many bytes free, which counts how often it was asked. */
function disk(freeBytes: number, totalBytes = 100 * MIB) {
  const state = { freeBytes, asked: 0 };
  const statFs = () => {
    state.asked++;
    return { bsize: 4096, bavail: Math.floor(state.freeBytes / 4096), blocks: totalBytes / 4096 };
  };
  return { state, statFs };
}

const full = expect.objectContaining({ code: 'disk_full', retriable: true });

describe('free space', () => {
  test.each([
    { what: 'a small disk keeps 256 MiB', total: 1024 * MIB, floor: null, free: 255 * MIB, taken: false },
    { what: 'and works above that', total: 1024 * MIB, floor: null, free: 257 * MIB, taken: true },
    { what: 'a large disk keeps 2 %', total: 100_000 * MIB, floor: null, free: 1_999 * MIB, taken: false },
    { what: 'and works above that too', total: 100_000 * MIB, floor: null, free: 2_001 * MIB, taken: true },
    { what: 'a floor that was set is the floor', total: 100_000 * MIB, floor: 10 * MIB, free: 11 * MIB, taken: true },
    { what: 'below it nothing is taken', total: 100_000 * MIB, floor: 10 * MIB, free: 9 * MIB, taken: false },
  ])('$what', ({ total, floor, free, taken }) => {
    const space = new FreeSpace('/data', floor, disk(free, total).statFs);
    if (taken) space.claim(1);
    else expect(() => space.claim(1)).toThrow(full);
  });

  test('is asked for once, not for every append', () => {
    const { state, statFs } = disk(100 * MIB);
    const space = new FreeSpace('/data', MIB, statFs);
    for (let i = 0; i < 100; i++) space.claim(1000);
    expect(state.asked).toBe(1);
  });

  test('is asked for again before the room that was seen can be used up', () => {
    const { state, statFs } = disk(3 * MIB);
    const space = new FreeSpace('/data', MIB, statFs);
    space.claim(0.9 * MIB);
    state.freeBytes = 0.5 * MIB;
    expect(() => space.claim(0.2 * MIB)).toThrow(full);
  });

  test('is enough again as soon as there is more', () => {
    const { state, statFs } = disk(0);
    const space = new FreeSpace('/data', MIB, statFs);
    expect(() => space.claim(1)).toThrow(full);
    state.freeBytes = 2 * MIB;
    space.claim(1);
  });

  test('that can not be known is an io error', () => {
    const space = new FreeSpace('/nowhere/at/all', null);
    expect(() => space.claim(1)).toThrow(expect.objectContaining({ code: 'io' }));
  });
});
