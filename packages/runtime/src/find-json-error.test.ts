import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { findJsonError } from './find-json-error.ts';
import { describeJsonError, parseJson } from './parse-json.ts';

describe('findJsonError', () => {
  test.each([
    ['nothing', '', 0],
    ['only space', '  \n', 3],
    ['a word cut short', '[tru]', 4],
    ['a word that is none', 'NaN', 0],
    ['a missing value', '{"a":}', 5],
    ['a comma too many in an object', '{"a":1,}', 7],
    ['a comma too many in an array', '[1,]', 3],
    ['a missing colon', '{"a" 1}', 5],
    ['a key without quotes', '{a:1}', 1],
    ['a raw control character', '"\u0001"', 1],
    ['a bad escape', '["\\x"]', 3],
    ['a bad unicode escape', '"\\u12g4"', 5],
    ['an escape at the end', '"\\', 2],
    ['a string without an end', '["ab', 4],
    ['an array without an end', '[1', 2],
    ['text after the value', '{} x', 3],
    ['one closer too many', '[]]', 2],
    ['the wrong closer', '[1}', 2],
    ['a leading zero', '[01]', 2],
    ['a lone minus', '-', 1],
  ])('%s', (_, text, position) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(findJsonError(text)).toBe(position);
  });

  it('agrees with JSON.parse on whether a damaged document is JSON', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', '.', 'e', 'n', '\u0000', '\\u12'))
      .map(([text, at, patch]) => {
        const where = at % (text.length + 1);
        return text.slice(0, where) + patch + text.slice(where + (at % 3));
      });
    fc.assert(
      fc.property(damaged, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(findJsonError(text) === null).toBe(valid);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes deep nesting and long strings', () => {
    expect(findJsonError('['.repeat(200_000))).toBe(200_000);
    expect(findJsonError(`"${'a'.repeat(5_000_000)}`)).toBe(5_000_001);
  });
});

describe('parseJson', () => {
  it('says line, column and what stood there', () => {
    expect(describeJsonError('{\n  "a": 1,\n}')).toBe('not valid JSON at position 12 (line 3, column 1): unexpected "}"');
    expect(describeJsonError('[1')).toBe('not valid JSON at position 2 (line 1, column 3): the text ends too early');
    expect(() => parseJson('{')).toThrow('position 1');
  });

  it('survives nesting of 10^5', () => {
    expect(parseJson(`${'['.repeat(1e5)}${']'.repeat(1e5)}`)).toBeInstanceOf(Array);
  });
});
