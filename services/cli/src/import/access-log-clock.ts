import { daysInMonth, epochOf } from './parse-time.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAY_MS = 86_400_000;

export interface LogClockOptions {
  /** Date of the first line, where the log has only days of the month; null counts days from an unknown first month. */
  readonly start: { readonly year: number; readonly month: number; readonly day: number } | null;
  /** Minutes east of UTC, where the log does not say. */
  readonly zoneMinutes: number;
}

/** Why a time can't be told, or epoch milliseconds. `startNeeded` means that the log has no dates and none was given. */
export type LogTime = number | 'unreadable' | 'noSuchTime' | 'startNeeded' | 'startDiffers';

/**
 * Reads the times of one log's lines, in the order of the lines. `DD/Mon/YYYY:HH:MM:SS +ZZZZ` stands by itself; of `DD:HH:MM:SS` the month
 * is followed from line to line: a day far from the former line's is taken to be in the next month, or, for a line logged a little late,
 * in the month before.
 */
export function createLogClock(options: LogClockOptions, isStartNeeded: boolean): (text: string) => LogTime {
  const { start, zoneMinutes } = options;
  /** Days since 1970, and the day of the month, of the line before; null before the first line. */
  let former: { date: number; day: number } | null = null;

  function readFull(parts: RegExpExecArray): LogTime {
    const [, day, month, year, hour, minute, second, sign, zoneHours, zoneRest] = parts;
    const zone = sign === undefined ? zoneMinutes : (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneRest));
    const time = { year: Number(year), month: MONTHS.indexOf(month!.toLowerCase()) + 1, day: Number(day) };
    return epochOf({ ...time, hour: Number(hour), minute: Number(minute), second: Number(second) }, zone) ?? 'noSuchTime';
  }

  function readDays(parts: RegExpExecArray): LogTime {
    const day = Number(parts[1]);
    const [hour, minute, second] = [Number(parts[2]), Number(parts[3]), Number(parts[4])];
    if (day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return 'noSuchTime';
    if (former === null) {
      if (start === null && isStartNeeded) return 'startNeeded';
      if (start !== null && start.day !== day) return 'startDiffers';
      former = { date: start === null ? 0 : Date.UTC(start.year, start.month - 1, start.day) / DAY_MS, day };
    } else {
      const date: number = former.date + daysBetween(former, day);
      if (start !== null && new Date(date * DAY_MS).getUTCDate() !== day) return 'noSuchTime';
      former = { date, day };
    }
    return former.date * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 - zoneMinutes * 60_000;
  }

  function daysBetween(from: { date: number; day: number }, day: number): number {
    const step = day - from.day;
    if (step < -15) return step + monthLength(from, 0);
    if (step > 15) return step - monthLength(from, -1, day);
    return step;
  }

  /** Where the month is not known, the last day seen in it is taken for its end: that never makes a gap larger than it was. */
  function monthLength(from: { date: number; day: number }, monthsOn: number, lastSeen = from.day): number {
    if (start === null) return Math.max(28, lastSeen);
    const date = new Date(from.date * DAY_MS);
    const month = date.getUTCMonth() + monthsOn;
    return daysInMonth(date.getUTCFullYear() + (month < 0 ? -1 : 0), ((month + 12) % 12) + 1);
  }

  return function timeOf(text: string): LogTime {
    const full = FULL.exec(text);
    if (full !== null) return readFull(full);
    const days = DAYS.exec(text);
    return days === null ? 'unreadable' : readDays(days);
  };
}

const FULL = /^(\d{2})\/([A-Za-z]{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?: ([+-])(\d{2})(\d{2}))?$/;
const DAYS = /^(\d{2}):(\d{2}):(\d{2}):(\d{2})$/;
