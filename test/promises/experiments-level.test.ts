import { expect, test } from 'vitest';
import { experimentFigures, wrongWith } from '../support/experiment-figures.ts';

// In short, as the seed has it: so few prove little, and would show a wrong formula. test/extra/experiments.test.ts runs ten to twenty times as many.
test('simulated experiments hold their level and find what is there', { timeout: 120_000 }, () => {
  const figures = experimentFigures({ seed: 1, same: 100, lifted: 20, auto: 30, ratio: 20, bandit: 4 });
  expect(figures.map(wrongWith).filter((wrong) => wrong !== null)).toEqual([]);
});
