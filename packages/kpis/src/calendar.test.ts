import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { dayFrom, isTimeZone, lastYearOf, monthsOf, monthToDate, previousOf, splitPeriod, type Interval, type Span } from './calendar.ts';

const HOUR_MS = 3_600_000;
const NEW_YORK = 'America/New_York';
const LORD_HOWE = 'Australia/Lord_Howe';

const span = (from: string, to: string): Span => ({ from: Date.parse(from), to: Date.parse(to) });
const texts = ({ from, to }: Span): string[] => [new Date(from).toISOString().slice(0, 16), new Date(to).toISOString().slice(0, 16)];

describe('a period in intervals', () => {
  it.each<[string, Span, Interval, string, string[]]>([
    [
      'months, the ends clipped',
      span('2026-01-31T10:00Z', '2026-03-02T00:00Z'),
      'month',
      'UTC',
      ['2026-01-31T10:00', '2026-02-01T00:00', '2026-03-01T00:00'],
    ],
    [
      'a leap day',
      span('2024-02-28T00:00Z', '2024-03-02T00:00Z'),
      'day',
      'UTC',
      ['2024-02-28T00:00', '2024-02-29T00:00', '2024-03-01T00:00'],
    ],
    [
      'weeks from Monday',
      span('2026-03-01T00:00Z', '2026-03-10T00:00Z'),
      'week',
      'UTC',
      ['2026-03-01T00:00', '2026-03-02T00:00', '2026-03-09T00:00'],
    ],
    [
      'quarters',
      span('2025-11-15T00:00Z', '2026-05-01T00:00Z'),
      'quarter',
      'UTC',
      ['2025-11-15T00:00', '2026-01-01T00:00', '2026-04-01T00:00'],
    ],
    [
      'days as the clocks go forward',
      span('2026-03-07T05:00Z', '2026-03-10T04:00Z'),
      'day',
      NEW_YORK,
      ['2026-03-07T05:00', '2026-03-08T05:00', '2026-03-09T04:00'],
    ],
    [
      'days as they go back half an hour',
      span('2026-04-03T13:00Z', '2026-04-06T13:30Z'),
      'day',
      LORD_HOWE,
      ['2026-04-03T13:00', '2026-04-04T13:00', '2026-04-05T13:30'],
    ],
    // Until 2018 clocks there went forward at midnight, so that the day began at one.
    [
      'a day without a midnight',
      span('2017-10-14T03:00Z', '2017-10-16T02:00Z'),
      'day',
      'America/Sao_Paulo',
      ['2017-10-14T03:00', '2017-10-15T03:00'],
    ],
  ])('%s', (_, period, interval, zone, begins) => {
    const spans = splitPeriod(period, interval, zone, 400)!;
    expect(spans.map((one) => texts(one)[0])).toEqual(begins);
    expect(spans.map(({ to }) => to)).toEqual([...spans.slice(1).map(({ from }) => from), period.to]);
  });

  it('has days of 23 and 24.5 hours', () => {
    const lengths = (from: string, to: string, zone: string) =>
      splitPeriod(span(from, to), 'day', zone, 9)!.map((one) => (one.to - one.from) / HOUR_MS);
    expect(lengths('2026-03-08T05:00Z', '2026-03-10T04:00Z', NEW_YORK)).toEqual([23, 24]);
    expect(lengths('2026-04-04T13:00Z', '2026-04-06T13:30Z', LORD_HOWE)).toEqual([24.5, 24]);
    expect(lengths('2026-10-03T13:30Z', '2026-10-05T13:00Z', LORD_HOWE)).toEqual([23.5, 24]);
  });

  it('is refused when it would have too many', () => {
    expect(splitPeriod(span('2026-01-01T00:00Z', '2026-01-05T00:00Z'), 'day', 'UTC', 4)).toHaveLength(4);
    expect(splitPeriod(span('2026-01-01T00:00Z', '2026-01-05T00:00:00.001Z'), 'day', 'UTC', 4)).toBeNull();
  });
});

describe('the period before', () => {
  it.each<[string, Span, string, [string, string]]>([
    ['of March is February', span('2026-03-01T00:00Z', '2026-04-01T00:00Z'), 'UTC', ['2026-02-01T00:00', '2026-03-01T00:00']],
    [
      'of a month to date is up to the same day and hour',
      span('2026-03-01T00:00Z', '2026-03-15T10:00Z'),
      'UTC',
      ['2026-02-01T00:00', '2026-02-15T10:00'],
    ],
    [
      'of a month to its 31st is the whole of one without',
      span('2026-03-01T00:00Z', '2026-03-31T00:00Z'),
      'UTC',
      ['2026-02-01T00:00', '2026-03-01T00:00'],
    ],
    [
      'of a month to a day that the one before does not have is the whole of it',
      span('2023-03-01T00:00Z', '2023-03-29T01:00Z'),
      'UTC',
      ['2023-02-01T00:00', '2023-03-01T00:00'],
    ],
    ['of a quarter is a quarter', span('2026-01-01T00:00Z', '2026-04-01T00:00Z'), 'UTC', ['2025-10-01T00:00', '2026-01-01T00:00']],
    ['of a month in New York', span('2026-03-01T05:00Z', '2026-04-01T04:00Z'), NEW_YORK, ['2026-02-01T05:00', '2026-03-01T05:00']],
    ['of a month on Lord Howe', span('2026-04-30T13:30Z', '2026-05-31T13:30Z'), LORD_HOWE, ['2026-03-31T13:00', '2026-04-30T13:30']],
    ['of a week is as many days', span('2026-03-02T00:00Z', '2026-03-09T00:00Z'), 'UTC', ['2026-02-23T00:00', '2026-03-02T00:00']],
    [
      'of days over a change of clocks begins with a day',
      span('2026-03-08T05:00Z', '2026-03-10T04:00Z'),
      NEW_YORK,
      ['2026-03-06T05:00', '2026-03-08T05:00'],
    ],
    ['of hours is as long', span('2026-03-02T10:00Z', '2026-03-02T16:00Z'), 'UTC', ['2026-03-02T04:00', '2026-03-02T10:00']],
  ])('%s', (_, period, zone, expected) => {
    expect(texts(previousOf(period, zone))).toEqual(expected);
  });

  it('a year ago has the same dates, 28 February for the 29th', () => {
    expect(texts(lastYearOf(span('2024-02-29T00:00Z', '2024-03-01T00:00Z'), 'UTC'))).toEqual(['2023-02-28T00:00', '2023-03-01T00:00']);
    expect(texts(lastYearOf(span('2024-02-01T00:00Z', '2024-02-29T01:00Z'), 'UTC'))).toEqual(['2023-02-01T00:00', '2023-03-01T00:00']);
    expect(texts(lastYearOf(span('2024-02-29T00:00Z', '2024-02-29T12:00Z'), 'UTC'))).toEqual(['2023-02-28T00:00', '2023-02-28T12:00']);
    // Clocks changed on 9 March in 2025 and on the 8th in 2026.
    expect(texts(lastYearOf(span('2026-03-08T05:00Z', '2026-03-09T04:00Z'), NEW_YORK))).toEqual(['2025-03-08T05:00', '2025-03-09T05:00']);
  });

  const zones = fc.constantFrom('UTC', NEW_YORK, LORD_HOWE);
  const hours = fc.integer({ min: 1, max: 400 * 24 });

  test.prop([zones, fc.integer({ min: 0, max: 60 }), hours, hours])('never goes back as the end goes on', (zone, month, length, longer) => {
    const { from } = monthToDate(Date.UTC(2023, month, 15), zone);
    const [one, other] = [length, length + longer].map((some) => ({ from, to: from + some * HOUR_MS }));
    expect(lastYearOf(other!, zone).to).toBeGreaterThanOrEqual(lastYearOf(one!, zone).to);
    const [before, afterwards] = [previousOf(one!, zone), previousOf(other!, zone)];
    expect(before.to).toBeLessThanOrEqual(from);
    if (before.from === afterwards.from) expect(afterwards.to).toBeGreaterThanOrEqual(before.to);
  });
});

it('a month to date begins where the month does there', () => {
  expect(texts(monthToDate(Date.parse('2026-04-01T03:59:59Z'), NEW_YORK))).toEqual(['2026-03-01T05:00', '2026-04-01T04:00']);
  expect(texts(monthToDate(Date.parse('2026-03-31T13:00:00Z'), LORD_HOWE))).toEqual(['2026-03-31T13:00', '2026-03-31T13:01']);
});

it('months are of the calendar', () => {
  expect(monthsOf(span('2026-02-01T00:00Z', '2026-03-01T00:00Z'), 'UTC')).toBe(1);
  expect(monthsOf(span('2025-12-01T05:00Z', '2026-04-01T04:00Z'), NEW_YORK)).toBe(4);
  expect(monthsOf(span('2026-04-01T00:00Z', '2026-04-16T00:00Z'), 'UTC')).toBe(0.5);
});

it('calendar days are those that begin at an instant or after it', () => {
  const day = (text: string): number => Date.parse(text) / (24 * HOUR_MS);
  expect(dayFrom(Date.parse('2024-02-29T05:00:00Z'), NEW_YORK)).toBe(day('2024-02-29'));
  expect(dayFrom(Date.parse('2024-02-29T05:00:01Z'), NEW_YORK)).toBe(day('2024-03-01'));
  expect(dayFrom(Date.parse('2026-04-05T13:30:00Z'), LORD_HOWE)).toBe(day('2026-04-06'));
});

it.each([
  ['UTC', true],
  [NEW_YORK, true],
  ['Etc/GMT+5', true],
  ['+02:00', false],
  ['Mars/Olympus', false],
  ['', false],
  ['UTC\n', false],
])('%j is a time zone: %s', (name, is) => {
  expect(isTimeZone(name)).toBe(is);
});
