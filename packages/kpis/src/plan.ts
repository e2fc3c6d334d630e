import { dayFrom, lastYearOf, monthsOf, previousOf, splitPeriod, type Interval, type Span } from './calendar.ts';

/** Entries of a series; a year of days and a day. */
export const SERIES_MAX = 400;

/** A span as it is asked of the store: by instant, and by calendar day for what is known by day only. */
export interface AskedSpan extends Span {
  /** Days since 1970-01-01; the days of the span are those from `fromDay` to before `toDay`. */
  readonly fromDay: number;
  readonly toDay: number;
  readonly months: number;
  /** What the span is held against: growth is from there. */
  readonly before: Span;
}

/** The spans that one answer needs, asked in one go. */
export interface Plan {
  readonly timeZone: string;
  /** The period, the one before and that of last year, then the series. */
  readonly spans: readonly AskedSpan[];
}

export const PERIOD = 0;
export const PREVIOUS = 1;
export const LAST_YEAR = 2;
export const SERIES = 3;

/** Null where the series would have more than `SERIES_MAX` entries. */
export function planSpans(period: Span, interval: Interval | null, timeZone: string): Plan | null {
  const series = interval === null ? [] : splitPeriod(period, interval, timeZone, SERIES_MAX);
  if (series === null) return null;
  const spans = [period, previousOf(period, timeZone), lastYearOf(period, timeZone), ...series];
  return {
    timeZone,
    spans: spans.map((span) => ({
      ...span,
      fromDay: dayFrom(span.from, timeZone),
      toDay: dayFrom(span.to, timeZone),
      months: monthsOf(span, timeZone),
      before: previousOf(span, timeZone),
    })),
  };
}
