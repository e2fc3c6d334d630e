import { z } from 'zod';

const EPOCH_MS = /^\d{1,15}$/;
/** The year 9999 ends here: later instants have no RFC 3339 form. */
const TIME_MAX = 253_402_300_799_999;

/** An instant in a query: RFC 3339, or epoch milliseconds. */
export const instant = z
  .union([z.iso.datetime({ offset: true }), z.string().regex(EPOCH_MS)])
  .transform((text) => (EPOCH_MS.test(text) ? Number(text) : Date.parse(text)))
  .refine((time) => time >= 0 && time <= TIME_MAX, 'must be between 1970 and 9999')
  .describe('RFC 3339 with offset, or epoch milliseconds');

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export function limit(most: number, otherwise: number) {
  return z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((count) => count >= 1 && count <= most, `must be a whole number from 1 to ${most}`)
    .default(otherwise)
    .describe(`1 to ${most}`);
}

export const share = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,12})?$/, 'must be a number from 0 to 100')
  .transform(Number)
  .refine((score) => score <= 100, 'must be a number from 0 to 100');

export const accountParams = z.object({ accountId: z.string().min(1).max(128) });
