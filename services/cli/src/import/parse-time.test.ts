import { describe, expect, test } from 'vitest';
import { parseTime, parseZone } from './parse-time.ts';

describe('parseTime', () => {
  const rows: [what: string, text: string, at: string | null][] = [
    ['RFC 3339', '2026-01-31T13:45:00Z', '2026-01-31T13:45:00.000Z'],
    ['RFC 3339 with an offset and a fraction', '2026-01-31T13:45:00.1239+05:30', '2026-01-31T08:15:00.123Z'],
    ['a date, in the zone of the option', '2026-01-31', '2026-01-31T04:00:00.000Z'],
    ['a local time', '2026-01-31 13:45', '2026-01-31T17:45:00.000Z'],
    ['a local time with seconds', '2026-01-31 13:45:10', '2026-01-31T17:45:10.000Z'],
    ['an offset behind a blank', '2026-01-31 13:45:10 +0000', '2026-01-31T13:45:10.000Z'],
    ['epoch seconds', '809754805', '1995-08-30T03:53:25.000Z'],
    ['epoch seconds with a fraction', '1700000000.5', '2023-11-14T22:13:20.500Z'],
    ['epoch milliseconds', '1700000000123', '2023-11-14T22:13:20.123Z'],
    ['a day that does not exist', '2026-02-30', null],
    ['month 13', '2026-13-01', null],
    ['hour 24', '2026-01-31 24:00', null],
    ['days first: nobody knows which is the month', '03/04/2026', null],
    ['a small number', '12', null],
    ['nothing', '', null],
  ];
  test.each(rows)('%s', (_, text, at) => {
    const time = parseTime(text, -240);
    expect(time === null ? null : new Date(time).toISOString()).toBe(at);
  });
});

test.each([
  ['-0400', -240],
  ['+05:30', 330],
  ['Z', 0],
  ['utc', 0],
  ['+2500', null],
  ['Europe/Berlin', null],
  ['4', null],
])('zone %s', (text, minutes) => {
  expect(parseZone(text)).toBe(minutes);
});
