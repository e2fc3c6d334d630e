import { Temporal } from 'temporal-polyfill';

/**
 * Periods of a calendar in a time zone. Days, months and years are those that people there have: a day may have 23, 23.5, 24.5 or 25 hours. Instants
 * are epoch milliseconds; a span begins at `from` and ends before `to`.
 */

export interface Span {
  readonly from: number;
  readonly to: number;
}

export const INTERVALS = ['day', 'week', 'month', 'quarter'] as const;
export type Interval = (typeof INTERVALS)[number];

const STEPS: Readonly<Record<Interval, Temporal.DurationLike>> = {
  day: { days: 1 },
  week: { weeks: 1 },
  month: { months: 1 },
  quarter: { months: 3 },
};

/** Whether it is a name of the IANA time zone database, such as Europe/Berlin, or UTC. Offsets such as +02:00 are none: they know no summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    at(0, name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The period cut where intervals begin, the first and the last clipped to it. Weeks begin on Monday (ISO 8601), quarters in January, April, July and
 * October. Null when there are more than `most`.
 */
export function splitPeriod(period: Span, interval: Interval, timeZone: string, most: number): Span[] | null {
  const first = beginOf(at(period.from, timeZone).toPlainDate(), interval);
  const spans: Span[] = [];
  let { from } = period;
  for (let count = 1; from < period.to; count++) {
    if (count > most) return null;
    // From the first one every time: a step from the last would carry a clipped month end on.
    const next = instantOf(first.add(times(STEPS[interval], count)), timeZone);
    const to = Math.min(next, period.to);
    if (to > from) spans.push({ from, to });
    from = Math.max(from, to);
  }
  return spans;
}

/**
 * What the period is held against. One that begins with a month goes back by as many months as it touches, so that a month that is not over is
 * held against the one before up to the same day and hour, and against the whole of it where it has no such day, as `monthPace` has it; one that begins
 * with a day goes back by days; any other by its length.
 */
export function previousOf(period: Span, timeZone: string): Span {
  const from = at(period.from, timeZone);
  const to = at(period.to, timeZone);
  if (from.epochMilliseconds !== from.startOfDay().epochMilliseconds) {
    return { from: period.from - (period.to - period.from), to: period.from };
  }
  if (from.day !== 1) {
    const back = { days: touched(from, to, 'day') };
    return ordered(from.subtract(back), to.subtract(back));
  }
  const back = { months: touched(from, to, 'month') };
  return ordered(from.subtract(back), endBefore(to, back));
}

/** The same dates a year before. One that ends on 29 February is held against February up to its end, and one within that day against the 28th. */
export function lastYearOf(period: Span, timeZone: string): Span {
  const back = { years: 1 };
  const [from, to] = [at(period.from, timeZone), at(period.to, timeZone)];
  const isWithinDay = from.toPlainDate().equals(to.toPlainDate());
  return ordered(from.subtract(back), isWithinDay ? to.subtract(back) : endBefore(to, back));
}

/** The same day and time months or years before; the end of that month where it has no such day, so that the end never goes back as time goes on. */
function endBefore(to: Temporal.ZonedDateTime, back: Temporal.DurationLike): Temporal.ZonedDateTime {
  const then = to.subtract(back);
  return then.day === to.day ? then : then.startOfDay().add({ days: 1 }).startOfDay();
}

/** From the beginning of the month that the instant is in, up to the end of its minute. */
export function monthToDate(now: number, timeZone: string): Span {
  const MINUTE_MS = 60_000;
  const to = (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS;
  return { from: instantOf(at(now, timeZone).toPlainDate().with({ day: 1 }), timeZone), to };
}

/** Length in months of the calendar, a part of one by its days: what a rate per month is divided by. */
export function monthsOf(span: Span, timeZone: string): number {
  const from = at(span.from, timeZone);
  return from.until(at(span.to, timeZone), { largestUnit: 'month' }).total({ unit: 'month', relativeTo: from });
}

/**
 * The first calendar day that begins at the instant or after it there, as days since 1970-01-01. What is known by calendar day only is in a
 * span when its day begins in it.
 */
export function dayFrom(instant: number, timeZone: string): number {
  const zoned = at(instant, timeZone);
  const date = zoned.startOfDay().epochMilliseconds === instant ? zoned.toPlainDate() : zoned.toPlainDate().add({ days: 1 });
  return Temporal.PlainDate.from('1970-01-01').until(date, { largestUnit: 'day' }).days;
}

function at(instant: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
}

/** When the day begins there: not at midnight where the clocks skip it. */
function instantOf(date: Temporal.PlainDate, timeZone: string): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}

function beginOf(date: Temporal.PlainDate, interval: Interval): Temporal.PlainDate {
  if (interval === 'day') return date;
  if (interval === 'week') return date.subtract({ days: date.dayOfWeek - 1 });
  const first = date.with({ day: 1 });
  return interval === 'month' ? first : first.subtract({ months: (first.month - 1) % 3 });
}

function times(step: Temporal.DurationLike, count: number): Temporal.DurationLike {
  return Object.fromEntries(Object.entries(step).map(([unit, amount]) => [unit, Number(amount) * count]));
}

/** Units that lie in the span, those it only begins with counted too. */
function touched(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime, unit: 'month' | 'day'): number {
  return Math.max(1, Math.ceil(from.until(to, { largestUnit: unit }).total({ unit, relativeTo: from })));
}

function ordered(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): Span {
  return { from: from.epochMilliseconds, to: Math.max(from.epochMilliseconds, to.epochMilliseconds) };
}
