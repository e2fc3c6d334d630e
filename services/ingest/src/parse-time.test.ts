import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { explainTime, parseTime } from './parse-time.ts';

describe('parseTime', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1969-12-31T23:59:59.999Z', -1],
    ['2026-03-01T09:30:00Z', Date.UTC(2026, 2, 1, 9, 30)],
    ['2026-03-01t09:30:00z', Date.UTC(2026, 2, 1, 9, 30)],
    ['2026-03-01T09:30:00.5Z', Date.UTC(2026, 2, 1, 9, 30, 0, 500)],
    ['2026-03-01T09:30:00.123999999Z', Date.UTC(2026, 2, 1, 9, 30, 0, 123)],
    ['2026-03-01T09:30:00+02:00', Date.UTC(2026, 2, 1, 7, 30)],
    ['2026-03-01T09:30:00-11:45', Date.UTC(2026, 2, 1, 21, 15)],
    ['2024-02-29T00:00:00-00:00', Date.UTC(2024, 1, 29)],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
  ])('%s', (text, epochMs) => {
    expect(parseTime(text)).toBe(epochMs);
  });

  test.each([
    ['nothing', ''],
    ['a date alone', '2026-03-01'],
    ['no offset', '2026-03-01T09:30:00'],
    ['no seconds', '2026-03-01T09:30Z'],
    ['a space for the T', '2026-03-01 09:30:00Z'],
    ['an offset without colon', '2026-03-01T09:30:00+0200'],
    ['an offset of 24 hours', '2026-03-01T09:30:00+24:00'],
    ['an offset cut short', '2026-03-01T09:30:00+02'],
    ['a point without digits', '2026-03-01T09:30:00.Z'],
    ['a comma for the point', '2026-03-01T09:30:00,5Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['hour 24', '2026-03-01T24:00:00Z'],
    ['minute 60', '2026-03-01T09:60:00Z'],
    ['month 13', '2026-13-01T09:30:00Z'],
    ['month 0', '2026-00-01T09:30:00Z'],
    ['day 0', '2026-03-00T09:30:00Z'],
    ['30 February', '2026-02-30T09:30:00Z'],
    ['29 February of another year', '2025-02-29T09:30:00Z'],
    ['29 February of 1900', '1900-02-29T09:30:00Z'],
    ['year 0', '0000-01-01T00:00:00Z'],
    ['a year of five digits', '12026-03-01T09:30:00Z'],
    ['a signed year', '+002026-03-01T09:30:00Z'],
    ['a week date', '2026-W09-7T09:30:00Z'],
    ['other digits', '２０26-03-01T09:30:00Z'],
    ['something after it', '2026-03-01T09:30:00Z '],
    ['something before it', ' 2026-03-01T09:30:00Z'],
    ['a number as text', '1772357400000'],
  ])('refuses %s', (_, text) => {
    expect(parseTime(text)).toBeNaN();
  });

  it('agrees with Date on every time of the calendar', () => {
    const times = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
    fc.assert(
      fc.property(times, (epochMs) => {
        expect(parseTime(new Date(epochMs).toISOString().replace(/^\+00/, ''))).toBe(epochMs);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('explainTime', () => {
  test.each([
    ['2016-12-31T23:59:60Z', /leap second/],
    ['2026-03-01', /a time and an offset/],
    ['2026-03-01T09:30:00', /a time and an offset/],
    ['yesterday', /RFC 3339/],
  ])('%s', (text, message) => {
    expect(explainTime(text)).toMatch(message);
  });
});
