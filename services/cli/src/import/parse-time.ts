const MINUTE_MS = 60_000;

/** '-0400', '+05:30' or 'Z' as minutes east of UTC; null when it is none of them. */
export function parseZone(text: string): number | null {
  if (/^(?:z|utc)$/i.test(text)) return 0;
  const parts = /^([+-])(\d{2}):?(\d{2})$/.exec(text);
  if (parts === null) return null;
  const hours = Number(parts[2]);
  const minutes = Number(parts[3]);
  if (hours > 18 || minutes > 59) return null;
  return (parts[1] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** Days of a month, month 1 to 12. */
export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond?: number;
}

/**
 * Epoch milliseconds of a wall-clock time `zoneMinutes` east of UTC; null when there is no such time, such as 31 April. Second 60, a leap
 * second, counts as the next minute's first, as POSIX time has it.
 */
export function epochOf(time: CivilTime, zoneMinutes: number): number | null {
  const { year, month, day, hour, minute, second } = time;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  return Date.UTC(year, month - 1, day, hour, minute, second, time.millisecond ?? 0) - zoneMinutes * MINUTE_MS;
}

const CALENDAR = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?$/i;
const EPOCH = /^(\d{9,11}(?:\.\d{1,9})?|\d{12,14})$/;

/**
 * Epoch milliseconds of what people write in tables: RFC 3339, `YYYY-MM-DD`, `YYYY-MM-DD HH:MM[:SS]`, or an epoch in seconds (9 to 11
 * digits) or milliseconds (12 to 14). `zoneMinutes` is used where none is written. Null when it is none of them, or no real date.
 */
export function parseTime(text: string, zoneMinutes: number): number | null {
  if (EPOCH.test(text)) return Math.round(Number(text) * (/^\d{12}/.test(text) ? 1 : 1000));
  const parts = CALENDAR.exec(text);
  if (parts === null) return null;
  const zone = parts[8] === undefined ? zoneMinutes : parseZone(parts[8]);
  if (zone === null) return null;
  return epochOf(
    {
      year: Number(parts[1]),
      month: Number(parts[2]),
      day: Number(parts[3]),
      hour: Number(parts[4] ?? 0),
      minute: Number(parts[5] ?? 0),
      second: Number(parts[6] ?? 0),
      millisecond: Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0')),
    },
    zone,
  );
}
