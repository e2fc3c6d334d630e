import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { medianOf } from './median.ts';

it('is not known of nothing', () => {
  expect(medianOf([])).toBeNull();
});

test.prop([fc.array(fc.nat(20), { minLength: 1, maxLength: 60 })])('is the middle of all values in order', (values) => {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted[Math.ceil(sorted.length / 2) - 1]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
  expect(medianOf([...Map.groupBy(values, (value) => value)].map(([value, some]) => [value, some.length] as const))).toBe(middle);
});
