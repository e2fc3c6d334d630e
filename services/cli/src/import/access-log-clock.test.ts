import { describe, expect, test } from 'vitest';
import { createLogClock, type LogTime } from './access-log-clock.ts';

const iso = (time: LogTime): string => (typeof time === 'number' ? new Date(time).toISOString().slice(0, 19) : time);

describe('times of a log with dates', () => {
  const rows: [what: string, text: string, at: string][] = [
    ['a zone west', '10/Oct/2000:13:55:36 -0700', '2000-10-10T20:55:36'],
    ['a zone with half an hour', '10/Oct/2000:13:55:36 +0530', '2000-10-10T08:25:36'],
    ['no zone: that of the option', '10/Oct/2000:13:55:36', '2000-10-10T17:55:36'],
    ['months in capitals', '01/JAN/2001:00:00:00 +0000', '2001-01-01T00:00:00'],
    ['a leap second', '31/Dec/1998:23:59:60 +0000', '1999-01-01T00:00:00'],
    ['29 February of no leap year', '29/Feb/2001:00:00:00 +0000', 'noSuchTime'],
    ['no such month', '10/Okt/2000:13:55:36 -0700', 'noSuchTime'],
    ['hour 24', '10/Oct/2000:24:00:00 -0700', 'noSuchTime'],
    ['another form', '2000-10-10T13:55:36', 'unreadable'],
  ];
  test.each(rows)('%s', (_, text, at) => {
    expect(iso(createLogClock({ start: null, zoneMinutes: -240 }, true)(text))).toBe(at);
  });
});

describe('times of a log with days of the month', () => {
  const rows: [what: string, start: [number, number, number], times: string[], at: string[]][] = [
    ['the next day', [1995, 8, 29], ['29:23:53:25', '30:00:00:01'], ['1995-08-30T03:53:25', '1995-08-30T04:00:01']],
    [
      'a line logged a little late, over midnight',
      [1995, 8, 29],
      ['29:23:59:59', '30:00:00:01', '29:23:59:58'],
      ['1995-08-30T03:59:59', '1995-08-30T04:00:01', '1995-08-30T03:59:58'],
    ],
    ['the end of a month of 31 days', [1995, 8, 31], ['31:12:00:00', '01:12:00:00'], ['1995-08-31T16:00:00', '1995-09-01T16:00:00']],
    ['the end of a month of 30 days', [1995, 9, 30], ['30:12:00:00', '01:12:00:00'], ['1995-09-30T16:00:00', '1995-10-01T16:00:00']],
    ['the end of February in a leap year', [1996, 2, 29], ['29:12:00:00', '01:12:00:00'], ['1996-02-29T16:00:00', '1996-03-01T16:00:00']],
    [
      'the end of a year, and a late line before it',
      [1995, 12, 31],
      ['31:12:00:00', '01:00:00:00', '31:12:00:01'],
      ['1995-12-31T16:00:00', '1996-01-01T04:00:00', '1995-12-31T16:00:01'],
    ],
    [
      'days without lines',
      [1995, 8, 29],
      ['29:00:00:00', '31:00:00:00', '02:00:00:00'],
      ['1995-08-29T04:00:00', '1995-08-31T04:00:00', '1995-09-02T04:00:00'],
    ],
    [
      'a day that the month does not have',
      [1995, 9, 30],
      ['30:00:00:00', '31:00:00:00', '01:00:00:00'],
      ['1995-09-30T04:00:00', 'noSuchTime', '1995-10-01T04:00:00'],
    ],
    ['a first day that is another than said', [1995, 8, 28], ['29:00:00:00'], ['startDiffers']],
    ['hour 24', [1995, 8, 29], ['29:24:00:00'], ['noSuchTime']],
  ];
  test.each(rows)('%s', (_, [year, month, day], times, at) => {
    const timeOf = createLogClock({ start: { year, month, day }, zoneMinutes: -240 }, true);
    expect(times.map((text) => iso(timeOf(text)))).toEqual(at);
  });

  test('without a start it says that one is needed', () => {
    expect(createLogClock({ start: null, zoneMinutes: 0 }, true)('29:23:53:25')).toBe('startNeeded');
  });

  const distances: [what: string, from: string, to: string, hours: number][] = [
    ['within a month', '29:23:00:00', '30:01:00:00', 2],
    ['over the end of a month of 31 days', '31:23:00:00', '01:01:00:00', 2],
    ['over the end of a month of 30 days', '30:23:00:00', '01:01:00:00', 2],
    ['over the end of February', '28:23:00:00', '01:01:00:00', 2],
    ['back over the end of a month', '01:01:00:00', '30:23:00:00', -2],
  ];
  test.each(distances)('times that are shifted need none: %s', (_, from, to, hours) => {
    const timeOf = createLogClock({ start: null, zoneMinutes: 0 }, false);
    const first = timeOf(from) as number;
    expect(((timeOf(to) as number) - first) / 3_600_000).toBe(hours);
  });
});
