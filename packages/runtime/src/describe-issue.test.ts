import { describe, expect, test, it } from 'vitest';
import { z } from 'zod';
import { describeIssue, pointerOf } from './describe-issue.ts';

const schema = z.strictObject({
  name: z.string().min(2).max(5).optional(),
  size: z.number().min(1).max(9).optional(),
  above: z.number().gt(0).optional(),
  count: z.int().optional(),
  steps: z.number().multipleOf(5).optional(),
  list: z.array(z.string()).min(1).max(2).optional(),
  kind: z.enum(['won', 'lost']).optional(),
  code: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters')
    .optional(),
  plain: z.string().regex(/^x$/).optional(),
  map: z.record(z.string().max(3), z.string()).optional(),
  either: z.union([z.string(), z.number()], 'must be a text or a number').optional(),
  own: z
    .string()
    .refine((text) => text === 'y', { error: 'must be y', params: { code: 'invalid_unicode' } })
    .optional(),
  deep: z.array(z.object({ 'odd name': z.boolean() })).optional(),
});

describe('describeIssue', () => {
  test.each([
    ['another type', 5, 'wrong_type', 'the item must be an object'],
    ['a field of another type', { name: 5 }, 'wrong_type', 'name must be a string'],
    ['a map of another type', { map: 5 }, 'wrong_type', 'map must be an object'],
    ['a fraction', { count: 1.5 }, 'wrong_type', 'count must be a whole number'],
    ['a number too large to be exact', { count: 2 ** 60 }, 'out_of_range', 'count must be at most 9007199254740991'],
    ['an infinite number', { size: Infinity }, 'out_of_range', 'size must be a finite number'],
    ['a text too long', { name: 'abcdef' }, 'too_long', 'name must have at most 5 characters'],
    ['a text too short', { name: 'a' }, 'too_short', 'name must have at least 2 characters'],
    ['a list too long', { list: ['', '', ''] }, 'too_long', 'list must have at most 2 members'],
    ['a list too short', { list: [] }, 'too_short', 'list must have at least 1 member'],
    ['a number too large', { size: 10 }, 'out_of_range', 'size must be at most 9'],
    ['a number too small', { size: 0 }, 'out_of_range', 'size must be at least 1'],
    ['a number on an open bound', { above: 0 }, 'out_of_range', 'above must be above 0'],
    ['a number off its steps', { steps: 3 }, 'out_of_range', 'steps must be a multiple of 5'],
    ['none of the values', { kind: 'lots' }, 'out_of_range', 'kind must be "won" or "lost"'],
    ['another form', { code: 'eur' }, 'bad_format', 'code must be three capital letters'],
    ['another form, nothing said', { plain: 'eur' }, 'bad_format', 'plain must match /^x$/'],
    ['none of the types', { either: true }, 'wrong_type', 'either must be a text or a number'],
    ['a code of its own', { own: 'n' }, 'invalid_unicode', 'own must be y'],
    ['unknown fields', { b: 1, a: 1 }, 'unknown_field', 'the item has no field "b", "a"'],
    ['a long unknown field', { ['x'.repeat(100)]: 1 }, 'unknown_field', `the item has no field "${'x'.repeat(61)}..."`],
    ['a missing field, deep', { deep: [{ 'odd name': true }, {}] }, 'missing_field', 'deep[1]["odd name"] is missing'],
    ['a bad key of a map', { map: { abcd: '' } }, 'too_long', 'the key "abcd" must have at most 3 characters (in map)'],
    ['a bad value in a map', { map: { a: 1 } }, 'wrong_type', 'map.a must be a string'],
  ])('%s', (_, value, code, message) => {
    const parsed = schema.safeParse(value, { reportInput: true });
    expect(describeIssue(parsed.error!.issues[0]!, 'the item')).toEqual({ code, message });
  });

  it('never repeats the value', () => {
    for (const field of Object.keys(schema.shape)) {
      const parsed = schema.safeParse({ [field]: 'jane@example.com' }, { reportInput: true });
      if (!parsed.success) expect(describeIssue(parsed.error.issues[0]!, 'the item').message).not.toContain('jane');
    }
  });
});

describe('pointerOf', () => {
  test.each([
    [[], '#'],
    [['rules', 0, 'where'], '#/rules/0/where'],
    [['a/b', 'c~d', 'e f'], '#/a~1b/c~0d/e%20f'],
    [['\ud800'], '#/%EF%BF%BD'],
  ])('%j is %s', (path, pointer) => {
    expect(pointerOf(path)).toBe(pointer);
  });
});
