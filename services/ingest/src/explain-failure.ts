import { describeIssue } from '@touchstone/runtime';
import type { z } from 'zod';
import { DOMAINS_MAX, PROPERTIES_MAX } from './limits.ts';
import type { Refusal } from './reject-codes.ts';

const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

/** Fields that hold many members, with how many and what they are called. */
const SIZES: ReadonlyMap<string, readonly [number, string]> = new Map([
  ['properties', [PROPERTIES_MAX, 'keys']],
  ['attributes', [PROPERTIES_MAX, 'keys']],
  ['domains', [DOMAINS_MAX, 'members']],
]);

/**
 * What a schema would find late or not at all: keys that reach an object's prototype wherever somebody copies an item key by key, and lists
 * and maps so large that a schema would gather a fault for each of a million members before it counts them.
 */
export function refuseOutright(item: unknown): Refusal | null {
  if (typeof item !== 'object' || item === null) return null;
  for (const key of FORBIDDEN) {
    if (Object.hasOwn(item, key)) return { code: 'forbidden_key', message: `the key ${key} is not taken` };
  }
  for (const [field, value] of Object.entries(item)) {
    if (typeof value !== 'object' || value === null) continue;
    const key = FORBIDDEN.find((key) => Object.hasOwn(value as object, key));
    if (key !== undefined)
      return { code: 'forbidden_key', message: `the key ${key} is not taken (in ${field.slice(0, 64).toWellFormed()})` };
    const [max, members] = SIZES.get(field) ?? [Infinity, ''];
    if (Object.keys(value as object).length > max) return { code: 'too_long', message: `${field} must have at most ${max} ${members}` };
  }
  return null;
}

/** The first thing wrong with an item, in our codes and words. */
export function explainFailure(error: z.ZodError, item: unknown, whole: string): Refusal {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return { code: 'not_an_object', message: `${whole} must be a JSON object` };
  }
  return describeIssue(error.issues[0]!, whole);
}
