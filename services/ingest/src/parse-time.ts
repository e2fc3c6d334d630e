const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_TO_1970 = 719_162;
const DAY_MS = 86_400_000;

const ZERO = 0x30;
const DASH = 0x2d;
const COLON = 0x3a;
const DOT = 0x2e;
const PLUS = 0x2b;
const [UPPER_T, LOWER_T, UPPER_Z, LOWER_Z] = [0x54, 0x74, 0x5a, 0x7a];

/**
 * An RFC 3339 time as epoch milliseconds; digits beyond the millisecond are cut off. NaN for everything else, also for what Date.parse lets
 * pass: no offset, a space for the T, 24:00, 30 February. Years are 0001 to 9999. Leap seconds have no place in epoch time, so they are NaN.
 */
export function parseTime(text: string): number {
  const { length } = text;
  if (length < 20 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return NaN;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return NaN;
  const separator = text.charCodeAt(10);
  if (separator !== UPPER_T && separator !== LOWER_T) return NaN;

  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59)) return NaN;
  const leap = isLeapYear(year) ? 1 : 0;
  if (day > DAYS_IN_MONTH[month - 1]! + (month === 2 ? leap : 0)) return NaN;

  let at = 19;
  let milliseconds = 0;
  if (text.charCodeAt(at) === DOT) {
    let scale = 100;
    const from = ++at;
    for (; at < length; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      milliseconds += digit * Math.trunc(scale);
      scale /= 10;
    }
    if (at === from) return NaN;
  }
  const offset = offsetMinutes(text, at);
  const years = year - 1;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  const days = years * 365 + leapDays + DAYS_BEFORE_MONTH[month - 1]! + (month > 2 ? leap : 0) + day - 1 - DAYS_TO_1970;
  return days * DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds;
}

/** Why a text is no time, for a person; follows the name of the field. */
export function explainTime(text: string): string {
  if (/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:60/.test(text)) return 'is a leap second, which epoch time has no place for: send second 59 or 00';
  if (/^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?)?$/.test(text))
    return 'must have a time and an offset, such as 2026-03-01T09:30:00Z';
  return 'must be an RFC 3339 time such as 2026-03-01T09:30:00Z, or epoch milliseconds';
}

/** Minutes east of UTC of the offset that ends the text; NaN when there is none. */
function offsetMinutes(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if (sign === UPPER_Z || sign === LOWER_Z) return text.length === at + 1 ? 0 : NaN;
  if (text.length !== at + 6 || (sign !== PLUS && sign !== DASH) || text.charCodeAt(at + 3) !== COLON) return NaN;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes);
}

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
