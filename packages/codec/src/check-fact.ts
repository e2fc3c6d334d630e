import type { Fact, Poison } from '@touchstone/engine';
import { ID_BYTES_MAX, IDENTITY_FIELDS, TIME_MAX, TIME_MIN } from './limits.ts';
import { poison } from './poison.ts';

const TIMES: ReadonlySet<string> = new Set(['updatedAt', 'createdAt', 'qualifiedAt', 'closedAt', 'from', 'to']);
const DAY = /^\d{4}-\d\d-\d\d$/;
const CURRENCY = /^[A-Z]{3}$/;

/** What the schema of a fact does not say of its values: identities have a length, times are within the calendar, codes have their form. */
export function checkFact(fact: Fact): Poison | null {
  for (const [field, value] of Object.entries(fact) as [string, unknown][]) {
    const problem = problemOf(field, value);
    if (problem) return problem;
  }
  return null;
}

function problemOf(field: string, value: unknown): Poison | null {
  if (typeof value === 'string') return problemOfText(field, value);
  if (typeof value !== 'number') return null;
  if (!Number.isFinite(value)) return poison('invalid_value', `${field} is not a finite number`);
  if (!TIMES.has(field) || (value >= TIME_MIN && value <= TIME_MAX)) return null;
  return poison('invalid_value', `${field} is not in the years 1 to 9999`);
}

function problemOfText(field: string, text: string): Poison | null {
  if (field === 'date' && !isDay(text)) return poison('invalid_value', 'date is no calendar day YYYY-MM-DD');
  if (field === 'currency' && !CURRENCY.test(text)) return poison('invalid_value', 'currency is not three capital letters');
  return IDENTITY_FIELDS.has(field) ? problemOfIdentity(field, text) : null;
}

/** Date takes 2026-02-30 for 2 March; only a day that exists comes back as it was. */
function isDay(text: string): boolean {
  if (!DAY.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** An identity that is there at all has 1 to `ID_BYTES_MAX` bytes. */
export function problemOfIdentity(field: string, text: string): Poison | null {
  if (text === '') return poison('invalid_value', `${field} is empty`);
  const bytes = Buffer.byteLength(text);
  return bytes <= ID_BYTES_MAX ? null : poison('over_limit', `${field} has ${bytes} bytes; the limit is ${ID_BYTES_MAX}`);
}
