import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { monthPace, monthsUpTo } from './month-pace.ts';

const at = (text: string): number => Date.parse(text);

describe('the same point of the month before', () => {
  it.each([
    ['an ordinary day', 'UTC', '2026-05-15T12:00:00Z', '2026-04-15T12:00:00Z', 14.5 / 31],
    ['the first instant', 'UTC', '2026-05-01T00:00:00Z', '2026-04-01T00:00:00Z', 0],
    ['a day that the month before does not have', 'UTC', '2026-03-30T00:00:00Z', '2026-03-01T00:00:00Z', 29 / 31],
    ['the last day of a shorter month', 'UTC', '2026-02-28T18:00:00Z', '2026-01-28T18:00:00Z', 27.75 / 28],
    ['a leap day', 'UTC', '2028-02-29T12:00:00Z', '2028-01-29T12:00:00Z', 28.5 / 29],
    ['the day after a leap day', 'UTC', '2028-03-29T06:00:00Z', '2028-02-29T06:00:00Z', 28.25 / 31],
    // Berlin: summer time from 29 March 2026, 1:00 UTC. March has 743 hours; noon on 30 March is 10:00 UTC.
    ['after the clocks went forward', 'Europe/Berlin', '2026-04-10T10:00:00Z', '2026-03-10T11:00:00Z', 9.5 / 30],
    ['the first instant after a month with an hour less', 'Europe/Berlin', '2026-03-31T22:00:00Z', '2026-02-28T23:00:00Z', 0],
    // New York: 2:30 on 8 March 2026 is skipped; on 8 April it is 6:30 UTC, and the point is 3:30 summer time, 7:30 UTC.
    ['a time that the clocks skip', 'America/New_York', '2026-04-08T06:30:00Z', '2026-03-08T07:30:00Z', (7 * 24 + 2.5) / 720],
    ['a month that began yesterday in UTC', 'Asia/Kolkata', '2026-04-30T19:00:00Z', '2026-03-31T19:00:00Z', 0.5 / 744],
  ])('is the same day and time: %s', (_name, timeZone, now, point, elapsed) => {
    const pace = monthPace(at(now), timeZone);
    expect(pace.lastMonthToPoint.to).toBe(at(point));
    expect(pace.elapsed).toBeCloseTo(elapsed, 12);
  });

  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
  const instants = fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2029-01-01T00:00:00Z') });

  test.prop([zones, instants, fc.integer({ min: 1, max: 40 * 86_400_000 })])(
    'never goes back, and stays in its month',
    (zone, instant, later) => {
      const one = monthPace(instant, zone);
      const other = monthPace(instant + later, zone);
      expect(one.lastMonthToPoint.from).toBe(one.lastMonth.from);
      expect(one.lastMonthToPoint.to).toBeGreaterThanOrEqual(one.lastMonth.from);
      expect(one.lastMonthToPoint.to).toBeLessThanOrEqual(one.lastMonth.to);
      expect(one.lastMonth.to).toBe(one.whole.from);
      if (other.month === one.month) expect(other.lastMonthToPoint.to).toBeGreaterThanOrEqual(one.lastMonthToPoint.to);
      expect(one.elapsed).toBeGreaterThanOrEqual(0);
      expect(one.elapsed).toBeLessThan(1);
    },
  );

  test.prop([zones, instants])('is the end of the month before at the end of a month that is as long', (zone, instant) => {
    const { whole } = monthPace(instant, zone);
    const end = monthPace(whole.to - 1, zone);
    const days = (end.lastMonth.to - end.lastMonth.from) / 86_400_000;
    if (days <= (whole.to - whole.from) / 86_400_000 - 0.5) expect(end.lastMonthToPoint.to).toBe(end.lastMonth.to);
  });
});

describe('months', () => {
  it('come backwards over the year, as they are there', () => {
    expect(monthsUpTo('2026-01', 2, 'Europe/Berlin')).toEqual([
      { month: '2026-01', from: at('2025-12-31T23:00:00Z'), to: at('2026-01-31T23:00:00Z') },
      { month: '2025-12', from: at('2025-11-30T23:00:00Z'), to: at('2025-12-31T23:00:00Z') },
    ]);
  });
});
