import {
  addAccount,
  Evidence,
  ExperimentBook,
  judge,
  noArm,
  planOf,
  summarise,
  type ExperimentState,
  type ExperimentStep,
} from '@touchstone/experiments';
import { describe, expect, it } from 'vitest';
import { judgeOptionsOf, powerPlanOf, stepOf, underPerformerOf } from './evaluate-experiment.ts';

const nothing = { by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };
const swap = (creativeId: string): Partial<ExperimentStep> => ({ action: 'swap', creativeId });

/** A running experiment with creatives a, b, c and d, of which b is the control, after further steps. */
function experiment(given: object, ...steps: readonly Partial<ExperimentStep>[]): ExperimentState {
  const arms = ['a', 'b', 'c', 'd'].map((creativeId) => ({ creativeId }));
  const definition = JSON.stringify({ id: 'hero', campaignId: 'spring', arms, control: 'b', ...given });
  const book = new ExperimentBook();
  const all: Partial<ExperimentStep>[] = [{ action: 'create', definition }, { action: 'start' }, ...steps];
  for (const [revision, step] of all.entries()) {
    book.apply({ ...nothing, experimentId: 'hero', expectedRevision: revision, ...step } as ExperimentStep, 1000);
  }
  return book.get('hero')!;
}

const expected = { baseline: 0.1, lift: 0.2, power: 0.8 };

describe('what an experiment is judged by', () => {
  it('is what its definition says, and the creatives that are in', () => {
    expect(judgeOptionsOf(experiment({ alpha: 0.01, leastSample: 300, metric: 'engaged' }, swap('c')))).toEqual({
      outcome: 'engaged',
      creatives: ['a', 'b', 'd'],
      control: 'b',
      level: 0.01,
      tunedForAccounts: 5000,
      leastAccounts: 300,
      sampleRatioLevel: 0.001,
      leftOutMax: 0.2,
    });
  });

  it('is each with each once the control is out', () => {
    expect(judgeOptionsOf(experiment({}, swap('b')))).toMatchObject({ creatives: ['a', 'c', 'd'], control: null });
  });

  // Accounts an arm: (sequence + z(0.8))² x 0.1956 / 0.02², the sequence at 0.05 shared among so many comparisons.
  it.each([
    ['four against a control: three', [], 8_850],
    ['three without a control: three', [swap('b')], 8_850],
    ['three against a control: two', [swap('a')], 8_305],
    ['two: one', [swap('a'), swap('c')], 7_351],
  ])('is tuned for what is expected, of %s', (_, steps, accountsPerArm) => {
    const state = experiment({ expected }, ...steps);
    expect(powerPlanOf(state)!.accountsPerArm).toBe(accountsPerArm);
    expect(judgeOptionsOf(state).tunedForAccounts).toBe(2 * accountsPerArm);
  });

  it('has no plan with one creative left, nor where nothing is expected', () => {
    expect(powerPlanOf(experiment({ expected }, swap('a'), swap('b'), swap('c')))).toBeNull();
    expect(powerPlanOf(experiment({}))).toBeNull();
  });
});

/** Of each creative a thousand accounts, and how many of them clicked. */
function judged(state: ExperimentState, clicked: Readonly<Record<string, number>>) {
  const arms = Object.entries(clicked).map(([creativeId, count]) => {
    const arm = noArm(creativeId, 2_500);
    for (let n = 0; n < 1000; n++) addAccount(arm.moments.clicked, 4, 1, n < count ? 1 : 0);
    return { ...arm, exposed: 1000, settled: 1000 };
  });
  const nobody = summarise(new Evidence(planOf(state), []), state.lineups, 9e9);
  const summary = { ...nobody, eras: [{ since: 1000, arms }] };
  return { summary, judgement: judge(summary, judgeOptionsOf(state)) };
}

describe('the under-performer', () => {
  const state = experiment({ mode: 'auto' });

  it('is the one of which that is surest, and nobody while nothing is to be decided', () => {
    const { judgement } = judged(state, { a: 150, b: 300, c: 100, d: 290 });
    expect(judgement.underPerformers.map(({ creativeId }) => creativeId)).toEqual(['a', 'c']);
    expect(underPerformerOf(state, judgement)!.creativeId).toBe('c');
    for (const verdict of ['hold', 'wait'] as const) expect(underPerformerOf(state, { ...judgement, verdict })).toBeNull();
  });

  it.each([
    [{ a: 300, b: 300, c: 100, d: 290 }, /^clicked of c is 0\.200 less than of b, corrected p \d.*, level 0\.05$/],
    [{ a: 300, b: 100, c: 110, d: 290 }, /^clicked of b is 0\.200 less than of a, corrected p \d.*, level 0\.05$/],
  ])('of %j is said to be less than the other', (clicked, reason) => {
    expect(stepOf(state, judged(state, clicked).summary)!.reason).toMatch(reason);
  });

  it('is nobody in a draft or what is stopped', () => {
    const { summary } = judged(state, { a: 300, b: 300, c: 100, d: 290 });
    expect(stepOf(experiment({ mode: 'auto' }, { action: 'stop' }), summary)).toBeNull();
  });
});
