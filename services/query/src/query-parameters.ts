import { z } from 'zod';

const EPOCH_MS = /^\d{1,15}$/;
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,15})?$/;
/** The year 9999 ends here: later instants have no RFC 3339 form. */
export const TIME_MAX = 253_402_300_799_999;

/** An instant in a query: RFC 3339, or epoch milliseconds. */
export const instant = z
  .union([z.iso.datetime({ offset: true }), z.string().regex(EPOCH_MS)], {
    error: 'must be an RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z, or epoch milliseconds',
  })
  .transform((text) => (EPOCH_MS.test(text) ? Number(text) : Date.parse(text)))
  .refine((time) => time >= 0 && time <= TIME_MAX, 'must be between 1970 and 9999')
  .describe('RFC 3339 with an offset, or epoch milliseconds');

/** Queries are text; what reads as a number is held against `schema` as one, and documented as one. */
function numeric<Schema extends z.ZodNumber>(schema: Schema) {
  return z.preprocess((text) => (typeof text === 'string' && DECIMAL.test(text) ? Number(text) : text), schema);
}

const FLAGS: ReadonlyMap<unknown, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

export const flag = z.preprocess((text) => FLAGS.get(text) ?? text, z.boolean());

export function limit(most: number, otherwise: number) {
  return numeric(z.int().min(1).max(most)).default(otherwise).describe(`At most so many; ${otherwise} by default`);
}

export const share = numeric(z.number().min(0).max(100));

export function days(most: number) {
  return numeric(z.number().min(0).max(most));
}

export const partition = numeric(z.int().min(0).max(65_535)).describe('Partition of the log');

export const offset = numeric(z.int().min(0).max(999_999_999_999_999)).describe('Offset in the partition');

export const accountParams = z.object({ accountId: z.string().min(1).max(128) });
