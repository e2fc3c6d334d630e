import { expect, test } from 'vitest';
import { fitLine } from './linear-fit.ts';

const along = (xs: readonly number[], height: (x: number) => number) => xs.map((x) => ({ x, y: height(x) }));

test('a line is found again, and nothing lies off it', () => {
  const { intercept, slope, worst } = fitLine(along([1, 2, 5, 10], (x) => 3 + 0.5 * x));
  expect(intercept).toBeCloseTo(3);
  expect(slope).toBeCloseTo(0.5);
  expect(worst).toBeCloseTo(0);
});

test('what grows with the square lies far off every line, by more the longer it grows', () => {
  const near = fitLine(along([1, 2, 5, 10], (x) => x * x)).worst;
  const far = fitLine(along([1, 2, 5, 10, 100], (x) => x * x)).worst;
  expect(near).toBeGreaterThan(0.3);
  expect(far).toBeGreaterThan(near);
});

test('a small point counts as much as a large one', () => {
  const { intercept, slope } = fitLine([...along([1, 2, 1000], (x) => 10 * x), { x: 1000, y: 11_000 }]);
  expect(intercept + slope).toBeGreaterThan(9);
  expect(intercept + slope).toBeLessThan(11);
});
