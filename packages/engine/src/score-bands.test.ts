import { expect, test } from 'vitest';
import { bandOf, bandsOf, scoreBandsSchema } from './score-bands.ts';

test.each([
  [0, 'cold'],
  [29.999, 'cold'],
  [30, 'warm'],
  [60, 'hot'],
  [100, 'hot'],
])('a score of %d is %s by default', (score, band) => {
  expect(bandOf(bandsOf({}), score)).toBe(band);
});

test("a model's own bands count", () => {
  const scoreBands = [
    { id: 'rest', from: 0 },
    { id: 'top', from: 95 },
  ];
  expect(bandOf(bandsOf({ scoreBands }), 94)).toBe('rest');
  expect(bandOf(bandsOf({ scoreBands }), 95)).toBe('top');
});

test.each([
  ['none', []],
  ['a first one above 0', [{ id: 'a', from: 1 }]],
  [
    'bands out of order',
    [
      { id: 'a', from: 0 },
      { id: 'b', from: 50 },
      { id: 'c', from: 50 },
    ],
  ],
  [
    'an id twice',
    [
      { id: 'a', from: 0 },
      { id: 'a', from: 50 },
    ],
  ],
])('%s is refused', (_, bands) => {
  expect(scoreBandsSchema.safeParse(bands).success).toBe(false);
});
