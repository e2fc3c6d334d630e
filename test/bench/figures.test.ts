import { describe, expect, test } from 'vitest';
import { figure, median, numberText, quantile, shareOf, spreadText } from './figures.ts';

describe('figures', () => {
  test.each([
    ['of one value', [7], 7],
    ['of an odd number, in any order', [9, 1, 5], 5],
    ['of an even number', [10, 1, 2, 4], 3],
  ])('the median %s', (_, values, expected) => expect(median(values)).toBe(expected));

  test.each([
    ['half of two', [2, 1], 0.5, 1],
    ['99 of a hundred', Array.from({ length: 100 }, (_, at) => 100 - at), 0.99, 99],
    ['99 of a thousand and one, rounded up', Array.from({ length: 1001 }, (_, at) => at), 0.99, 990],
    ['all', [3, 9, 1], 1, 9],
  ])('the quantile that covers %s', (_, values, share, expected) => expect(quantile(values, share)).toBe(expected));

  test.each([
    [1_234_567, '1,230,000'],
    [95_049, '95,000'],
    [275.4, '275'],
    [11.84, '11.8'],
    [1.984, '1.98'],
    [0.2194, '0.219'],
    [0.0061, '0.006'],
    [0, '0'],
  ])('%d has three digits: %s', (value, expected) => expect(numberText(value)).toBe(expected));

  test('a spread goes from the smallest to the largest, and one value has none', () => {
    expect(spreadText([2, 10.5, 1])).toBe('[1.00 - 10.5]');
    expect(spreadText([2])).toBe('');
  });

  test.each([
    ['nothing', []],
    ['what is no number', [1, NaN]],
    ['what has no end', [Infinity]],
  ])('%s is refused', (_, values) => expect(() => figure('it', 's', values)).toThrow('it '));
});

test.each([
  ['a rate by what it reaches', 'touches/s', 40, 160, 0.25],
  ['a time by what was needed', 's', 8, 2, 0.25],
  ['a cost by what was needed', 'µs/touch', 5, 1, 0.2],
])('the share of what is possible counts %s', (_, unit, value, possible, share) => {
  expect(shareOf(figure('it', unit, [value, value * 3, value / 2]), figure('most', unit, [possible]))).toBeCloseTo(share);
});
