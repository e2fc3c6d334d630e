import { z } from 'zod';
import { ID_MAX, PROPERTIES_MAX, PROPERTY_KEY_MAX, PROPERTY_VALUE_MAX } from './limits.ts';
import { explainTime, parseTime } from './parse-time.ts';

/** The building blocks of what clients send. They are the authority: what they take is taken, and OpenAPI shows them. */

// C0, DEL and C1. The second, for values that people write, lets tab and line ends through.
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f';
const CONTROLS_IN_PROSE = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';
const CONTROL = new RegExp(`[${CONTROLS}]`);
const CONTROL_IN_PROSE = new RegExp(`[${CONTROLS_IN_PROSE}]`);

/** Well-formed Unicode without control characters: the same text for every program it passes through. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !CONTROL.test(text);
}

/** As `isPlainText`, but tab and line ends may occur. */
export function isProse(text: string): boolean {
  return text.isWellFormed() && !CONTROL_IN_PROSE.test(text);
}

export function plainText(min: number, max: number): z.ZodString {
  const options = { error: 'must be well-formed Unicode without control characters', params: { code: 'invalid_unicode' } };
  return z
    .string()
    .min(min)
    .max(max)
    .refine(isPlainText, options)
    .meta({ pattern: `^[^${CONTROLS}]*$` });
}

function prose(max: number): z.ZodString {
  const options = {
    error: 'must be well-formed Unicode without control characters other than tab and line ends',
    params: { code: 'invalid_unicode' },
  };
  return z
    .string()
    .max(max)
    .refine(isProse, options)
    .meta({ pattern: `^[^${CONTROLS_IN_PROSE}]*$` });
}

export const idText = plainText(1, ID_MAX);

export const KIND = /^[a-z][a-z0-9_]{0,63}$/;
export const kindText = z.string().regex(KIND, 'must be a lower-case letter, then at most 63 lower-case letters, digits or _');

/** An optional field: absent and null mean the same, and come out as null. */
export function optional<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema> | null, z.input<Schema> | null | undefined> {
  return schema.nullish().transform((value) => value ?? null);
}

/** RFC 3339 or epoch milliseconds, in the years 1 to 9999; comes out as epoch milliseconds. */
const TIME_MIN = -62_135_596_800_000;
const TIME_MAX = 253_402_300_799_999;

export const time = z
  .union(
    [
      z.string().meta({ format: 'date-time', description: 'RFC 3339 with an offset' }),
      z.int().min(TIME_MIN).max(TIME_MAX).describe('Epoch milliseconds'),
    ],
    { error: (issue) => explainWrongTime(issue.input) },
  )
  .transform((value, context) => {
    const epochMs = typeof value === 'string' ? parseTime(value) : value + 0;
    if (epochMs >= TIME_MIN && epochMs <= TIME_MAX) return epochMs;
    context.addIssue({ code: 'custom', message: explainTime(String(value)), params: { code: 'bad_format' } });
    return z.NEVER;
  });

function explainWrongTime(input: unknown): string {
  if (typeof input !== 'number') return 'must be an RFC 3339 text or epoch milliseconds';
  return Number.isInteger(input) ? 'must be in the years 1 to 9999' : 'must be whole milliseconds';
}

/** Names and values of a client's own. */
export const textMap = z
  .record(plainText(1, PROPERTY_KEY_MAX), prose(PROPERTY_VALUE_MAX))
  .refine((map) => Object.keys(map).length <= PROPERTIES_MAX, {
    error: `must have at most ${PROPERTIES_MAX} keys`,
    params: { code: 'too_long' },
  })
  .meta({ maxProperties: PROPERTIES_MAX });
