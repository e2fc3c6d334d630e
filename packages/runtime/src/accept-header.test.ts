import { describe, expect, it } from 'vitest';
import { acceptQuality } from './accept-header.ts';

const rows: readonly (readonly [string, string | undefined, string, number])[] = [
  ['no header', undefined, 'text/csv', 1],
  ['an empty header', ' ', 'text/csv', 1],
  ['the type itself', 'text/csv', 'text/csv', 1],
  ['another type', 'application/json', 'text/csv', 0],
  ['a type that begins alike', 'text/csv-schema', 'text/csv', 0],
  ['anything', '*/*', 'text/csv', 1],
  ['any text', 'text/*;q=0.5', 'text/csv', 0.5],
  ['upper case and spaces', 'Text/CSV ; Q=0.3 , */*', 'text/csv', 0.3],
  ['the type refused, though anything goes', '*/*, text/csv;q=0', 'text/csv', 0],
  ['the type refused before anything', 'text/csv;q=0.0, */*', 'text/csv', 0],
  ['any text below the type', 'text/*;q=0.1, text/csv;q=0.9, */*;q=0.2', 'text/csv', 0.9],
  ['parameters before the quality', 'text/csv;header=present;q=0.4', 'text/csv', 0.4],
  ['a quality above one', 'text/csv;q=7', 'text/csv', 1],
  ['a quality that is no number', 'text/csv;q=high', 'text/csv', 1],
  ['commas only', ',,,', 'text/csv', 0],
];

describe('how much a type is wanted', () => {
  it.each(rows)('%s', (_case, accept, mediaType, quality) => {
    expect(acceptQuality(accept, mediaType)).toBe(quality);
  });
});
