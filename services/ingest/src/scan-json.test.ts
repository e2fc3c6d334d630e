import { ProblemError } from '@touchstone/runtime';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { scanJson } from './scan-json.ts';

const list = (count: number, item: string): string => `[${Array.from({ length: count }, () => item).join(',')}]`;

function codeOf(text: string, isNdjson = false): string | null {
  try {
    scanJson(Buffer.from(text), isNdjson);
    return null;
  } catch (error) {
    return error instanceof ProblemError ? error.code : String(error);
  }
}

describe('scanJson', () => {
  test.each([
    ['10,000 items', list(10_000, '{"a":[1,2,3]}'), null],
    ['10,001 items', list(10_001, '1'), 'too_many_items'],
    ['many commas deeper down', `[${list(50_000, '1')}]`, null],
    ['many commas in texts', `["${','.repeat(50_000)}"]`, null],
    ['brackets in texts', `["${'[{'.repeat(200_000)}"]`, null],
    ['brackets after an escaped quote', `["\\"${'[{'.repeat(200_000)}"]`, null],
    ['brackets after an escaped backslash, which are none of a text', `["\\\\",${'['.repeat(40)}${']'.repeat(40)}]`, 'invalid_request'],
    ['32 levels', '['.repeat(32), null],
    ['33 levels', '['.repeat(33), 'invalid_request'],
    ['33 levels of objects', '{"a":'.repeat(33), 'invalid_request'],
    ['100,000 objects', `[${list(99_998, '{}')}]`, null],
    ['100,001 objects', `[${list(99_999, '{}')}]`, 'too_many_items'],
    ['a text without an end', '["abc', null],
    ['a text that ends in a backslash', '["abc\\', null],
    ['closers alone', ']'.repeat(1000), null],
  ])('%s: %#', (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test.each([
    ['20,000 lines, which are counted elsewhere', '{"a":1,"b":2}\n'.repeat(20_000), null],
    ['lines that leave lists open', '["a",[\n'.repeat(100), null],
    ['a line that leaves a text open', `"abc\n${'[1]\n'.repeat(10)}`, null],
    ['33 levels in one line', `1\n${'['.repeat(33)}\n1`, 'invalid_request'],
    ['100,001 objects in all', '[{},{},{}]\n'.repeat(25_001), 'too_many_items'],
  ])('lines of NDJSON: %s', (_, text, code) => {
    expect(codeOf(text, true)).toBe(code);
  });

  it('finds no fault with JSON of usual size, whatever its texts hold', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"[[', '\\', '\\"{,'))),
        ),
        (items) => {
          expect(codeOf(JSON.stringify(items))).toBeNull();
        },
      ),
    );
  });
});
