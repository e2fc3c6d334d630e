import { describe, expect, it } from 'vitest';
import { LagWatchdog } from './lag-watchdog.ts';

const END = new Map([[3, 100]]);

/** Looks once a second with these positions; null means that no look came about. @returns at which second it gave up, or null */
function watched(positions: readonly (number | null)[]): number | null {
  const watchdog = new LagWatchdog();
  for (const [second, position] of positions.entries()) {
    if (position === null) continue;
    try {
      watchdog.look(second * 1000, new Map([[3, position]]), END);
    } catch (cause) {
      expect(cause).toMatchObject({ code: 'log_stalled' });
      return second;
    }
  }
  return null;
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe('the lag watchdog', () => {
  it.each([
    ['nothing comes for a minute though there is something', times(70, 50), 61],
    ['records come now and then', Array.from({ length: 200 }, (_, second) => Math.floor(second / 50)), null],
    ['there is nothing to read', times(200, 100), null],
    [
      'the log did not answer for two minutes, and reading goes on after that',
      [...times(5, 50), ...times(120, null), ...times(20, 50), 60],
      null,
    ],
    ['reading does not go on once the log answers again', [...times(5, 50), ...times(120, null), ...times(80, 50)], 186],
  ])('%s', (_what, positions, expected) => {
    expect(watched(positions)).toBe(expected);
  });

  it('knows nothing of a partition that was not to move for a while', () => {
    const watchdog = new LagWatchdog();
    for (let second = 0; second < 200; second++) {
      const isHeld = second % 50 === 0;
      expect(() => watchdog.look(second * 1000, isHeld ? new Map() : new Map([[3, 50]]), END)).not.toThrow();
    }
  });
});
