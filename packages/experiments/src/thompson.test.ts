import { describe, expect, it } from 'vitest';
import { armWith, clicking, summaryOf } from './test-summaries.ts';
import { thompsonStep, type ThompsonOptions } from './thompson.ts';

const options: ThompsonOptions = { outcome: 'clicked', creatives: ['crA', 'crB'], seed: 'exp-12/3', floor: 0.05, warmUpAccounts: 100 };
const of = (clickedA: number, clickedB: number, accounts = 500): ReturnType<typeof summaryOf> =>
  summaryOf([armWith('crA', 5_000, clicking(clickedA, accounts)), armWith('crB', 5_000, clicking(clickedB, accounts))]);
const weights = (clickedA: number, clickedB: number, change: Partial<ThompsonOptions> = {}): number[] =>
  thompsonStep(of(clickedA, clickedB), { ...options, ...change }).arms.map(({ weight }) => weight);

describe('thompsonStep', () => {
  it('gives the same for the same seed and evidence, and may give another for another seed', () => {
    expect(thompsonStep(of(50, 60), options)).toEqual(thompsonStep(of(50, 60), options));
    expect(thompsonStep(of(50, 60), options).bestProbability).not.toEqual(
      thompsonStep(of(50, 60), { ...options, seed: 'exp-12/4' }).bestProbability,
    );
  });

  it('draws the probability that an arm is the best', () => {
    // Beta(51, 451) against Beta(66, 436): by the normal approximation 0.931.
    expect(thompsonStep(of(50, 65), options).bestProbability['crB']).toBeCloseTo(0.931, 1);
    expect(thompsonStep(of(50, 50), options).bestProbability['crB']).toBeCloseTo(0.5, 1);
    // Beta(401, 101) against Beta(411, 91): 0.788.
    expect(thompsonStep(of(400, 410), options).bestProbability['crB']).toBeCloseTo(0.788, 1);
  });

  it('keeps the floor for an arm that is sure to be worse', () => {
    expect(weights(10, 200)).toEqual([0.05, 0.95]);
    expect(weights(10, 200, { floor: 0.9 })).toEqual([0.5, 0.5]);
  });

  it('keeps shares equal while an arm has too few accounts', () => {
    const step = thompsonStep(of(10, 90, 99), options);
    expect(step).toMatchObject({ isWarmingUp: true, draws: 0 });
    expect(step.arms.map(({ weight }) => weight)).toEqual([0.5, 0.5]);
    expect(thompsonStep(of(10, 90, 100), options)).toMatchObject({ isWarmingUp: false });
  });

  it.each(['clickRate', 'pointsGained'] as const)('goes by %s too', (outcome) => {
    expect(weights(10, 200, { outcome })).toEqual([0.05, 0.95]);
  });

  it('gives weights that sum to 1, also of three arms', () => {
    const summary = summaryOf(['crA', 'crB', 'crC'].map((creativeId, at) => armWith(creativeId, 3_333, clicking(50 + at, 500))));
    const { arms } = thompsonStep(summary, { ...options, creatives: ['crA', 'crB', 'crC'] });
    expect(arms.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(thompsonStep(summaryOf([]), { ...options, creatives: ['crA', 'crB', 'crC'] }).arms.map(({ weight }) => weight)).toEqual([
      0.34, 0.33, 0.33,
    ]);
  });
});
