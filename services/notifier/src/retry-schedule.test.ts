import { describe, expect, it, test } from 'vitest';
import { ATTEMPTS_MAX, nextAttemptAt, retryAfterMs } from './retry-schedule.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const SECOND = 1000;
const HOUR = 3_600_000;

describe('the schedule', () => {
  const pauses = (random: number): number[] =>
    Array.from({ length: ATTEMPTS_MAX - 1 }, (_, i) => nextAttemptAt({ attempts: i + 1, now: 0, random, retryAfterMs: null })!);

  it('is that of Standard Webhooks', () => {
    expect(pauses(0).map((ms) => ms / SECOND)).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(nextAttemptAt({ attempts: ATTEMPTS_MAX, now: NOW, random: 0, retryAfterMs: null })).toBeNull();
  });

  it('takes over three days', () => {
    expect(pauses(0).reduce((sum, ms) => sum + ms) / HOUR).toBeGreaterThan(72);
  });

  it('is spread by chance, never earlier', () => {
    const [least, most] = [pauses(0), pauses(0.999)];
    for (const [i, ms] of most.entries()) {
      expect(ms).toBeGreaterThan(least[i]!);
      expect(ms).toBeLessThanOrEqual(least[i]! * 1.1);
    }
  });

  it('waits for as long as the receiver asks, if that is longer', () => {
    expect(nextAttemptAt({ attempts: 1, now: NOW, random: 0, retryAfterMs: 60 * SECOND })).toBe(NOW + 60 * SECOND);
    expect(nextAttemptAt({ attempts: 2, now: NOW, random: 0, retryAfterMs: 60 * SECOND })).toBe(NOW + 300 * SECOND);
  });
});

test.each([
  [undefined, null],
  ['120', 120 * SECOND],
  [' 5 ', 5 * SECOND],
  ['0', 0],
  ['999999999', 24 * HOUR],
  ['9'.repeat(30), null],
  ['-5', null],
  ['soon', null],
  ['', null],
  [new Date(NOW + 90 * SECOND).toUTCString(), 90 * SECOND],
  [new Date(NOW - 90 * SECOND).toUTCString(), 0],
])('Retry-After %s is %s ms', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});
