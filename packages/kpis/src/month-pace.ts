import { Temporal } from 'temporal-polyfill';
import type { Span } from './calendar.ts';

/** A month that goes on, and the one before. Instants are epoch ms. */
export interface MonthPace {
  /** YYYY-MM. */
  readonly month: string;
  /** The whole month. */
  readonly whole: Span;
  /** What of it is over by the instant. */
  readonly toDate: Span;
  readonly lastMonth: Span;
  /** The month before up to the same point. */
  readonly lastMonthToPoint: Span;
  /** How much of the month is over, by time: 0 to 1. */
  readonly elapsed: number;
}

/**
 * The same point of the month before is the same day at the same time of day there, which anybody can find in a calendar; where that month has no such
 * day it is over at that point, so that the point never goes back as time goes on. (A share of the length would set noon of the 15th against 1 pm of the
 * 14th.) The last days of a longer month before are not reached: whoever compares whole months has `lastMonth`.
 */
export function monthPace(instant: number, timeZone: string): MonthPace {
  const now = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  const first = now.toPlainDate().with({ day: 1 });
  const begin = (date: Temporal.PlainDate): number => date.toZonedDateTime(timeZone).epochMilliseconds;
  const before = first.subtract({ months: 1 });
  const whole = { from: begin(first), to: begin(first.add({ months: 1 })) };
  const lastMonth = { from: begin(before), to: whole.from };
  return {
    month: first.toPlainYearMonth().toString(),
    whole,
    toDate: { from: whole.from, to: instant },
    lastMonth,
    lastMonthToPoint: { from: lastMonth.from, to: now.day > before.daysInMonth ? lastMonth.to : pointOf(before, now, lastMonth) },
    elapsed: (instant - whole.from) / (whole.to - whole.from),
  };
}

function pointOf(before: Temporal.PlainDate, now: Temporal.ZonedDateTime, { from, to }: Span): number {
  // A time that the clocks skip there is that after the change.
  const point = before.with({ day: now.day }).toZonedDateTime({ timeZone: now.timeZoneId, plainTime: now.toPlainTime() }).epochMilliseconds;
  return Math.min(Math.max(point, from), to);
}

/** The end of a month given as YYYY-MM, and so many whole months up to it, the latest first. */
export function monthsUpTo(month: string, count: number, timeZone: string): readonly (Span & { readonly month: string })[] {
  const first = Temporal.PlainYearMonth.from(month).toPlainDate({ day: 1 });
  return Array.from({ length: count }, (_, back) => {
    const from = first.subtract({ months: back });
    return {
      month: from.toPlainYearMonth().toString(),
      from: from.toZonedDateTime(timeZone).epochMilliseconds,
      to: from.add({ months: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
    };
  });
}
