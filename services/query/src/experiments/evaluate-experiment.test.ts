import {
  addAccount,
  applyStep,
  ExperimentBook,
  LINEUPS_MAX,
  noArm,
  thompsonStep,
  type ArmSummary,
  type EvidenceSummary,
  type ExperimentState,
  type ExperimentStep,
} from '@touchstone/experiments';
import { describe, expect, it } from 'vitest';
import { stepOf } from './evaluate-experiment.ts';

const STARTED = Date.UTC(2026, 2, 1);
const HOUR_MS = 3_600_000;
const nothing = { by: 'k', definition: null, creativeId: null, weights: null, reason: null, evidence: null };

/** A running experiment with creatives a, b and c, after further steps; its outcome window is ten hours. */
function experiment(mode: string, ...steps: readonly Partial<ExperimentStep>[]): ExperimentState {
  const book = new ExperimentBook();
  const definition = JSON.stringify({
    id: 'hero',
    campaignId: 'spring',
    arms: ['a', 'b', 'c'].map((creativeId) => ({ creativeId })),
    control: 'b',
    mode,
    outcomeWindow: '10h',
    leastSample: 200,
  });
  const all: Partial<ExperimentStep>[] = [{ action: 'create', definition }, { action: 'start' }, ...steps];
  for (const [revision, step] of all.entries()) {
    const outcome = book.apply({ ...nothing, experimentId: 'hero', expectedRevision: revision, ...step } as ExperimentStep, STARTED);
    expect(outcome).toHaveProperty('state');
  }
  return book.get('hero')!;
}

function armWith(creativeId: string, accounts: number, clicked: number): ArmSummary {
  const arm = noArm(creativeId, 3_333);
  for (let n = 0; n < accounts; n++) addAccount(arm.moments.clicked, 3, 1, n < clicked ? 1 : 0);
  return { ...arm, exposed: accounts, settled: accounts };
}

/** Accounts of a, b and c, and how many of them clicked. */
function evidence(accounts: readonly number[], clicked: readonly number[], hours = 100): EvidenceSummary {
  const arms = ['a', 'b', 'c'].map((creativeId, at) => armWith(creativeId, accounts[at]!, clicked[at]!));
  return {
    asOf: STARTED + hours * HOUR_MS,
    eras: [{ since: STARTED, arms }],
    forgotten: 0,
    heldOutExposed: 0,
    uncoveredExposed: 0,
    late: 0,
  };
}

const clear = evidence([1000, 1000, 1000], [10, 300, 20]);

describe('mode thompson', () => {
  it('moves weights to what works, keeps the floor, and records what gives them again', () => {
    const step = stepOf(experiment('thompson'), clear)!;
    expect(step).toMatchObject({ experimentId: 'hero', action: 'weights', by: 'auto', expectedRevision: 2 });
    expect(step.weights).toEqual([
      { creativeId: 'a', weight: 0.05 },
      { creativeId: 'b', weight: 0.9 },
      { creativeId: 'c', weight: 0.05 },
    ]);
    const { bestProbability, seed } = JSON.parse(step.evidence!) as { bestProbability: object; seed: string };
    const options = { outcome: 'clicked', creatives: ['a', 'b', 'c'], seed, floor: 0.05, warmUpAccounts: 200 } as const;
    expect(thompsonStep(clear, options)).toMatchObject({ arms: step.weights, bestProbability });
  });

  it.each([
    ['while an arm has less than the least number of accounts', evidence([300, 300, 199], [3, 90, 2])],
    ['while accounts come otherwise than they were assigned', evidence([1000, 1500, 1000], [10, 450, 20])],
    ['before a tenth of an outcome window is over', evidence([1000, 1000, 1000], [10, 300, 20], 0.99)],
    ['for less than a twentieth', evidence([1000, 1000, 1000], [100, 100, 100])],
  ])('moves nothing %s', (_, summary) => {
    expect(stepOf(experiment('thompson'), summary)).toBeNull();
  });

  it('moves nothing while too many are left out', () => {
    const arms = clear.eras[0]!.arms.map((arm) => ({ ...arm, exposed: 1400, contaminated: 400 }));
    expect(stepOf(experiment('thompson'), { ...clear, eras: [{ since: STARTED, arms }] })).toBeNull();
  });

  it('moves less and less often: in ten years it makes no more lineups than are kept', () => {
    let state = experiment('thompson');
    const ages: number[] = [];
    const turns = [evidence([1000, 1000, 1000], [10, 300, 20]), evidence([1000, 1000, 1000], [300, 10, 20])];
    for (let hours = 1; hours < 87_600; hours++) {
      const step = stepOf(state, { ...turns[ages.length % 2]!, asOf: STARTED + hours * HOUR_MS });
      if (step === null) continue;
      state = (applyStep(state, { ...nothing, ...step }, STARTED + hours * HOUR_MS) as { state: ExperimentState }).state;
      ages.push(hours);
    }
    expect(ages.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(ages.slice(1).every((age, at) => age - ages[at]! >= age / 20)).toBe(true);
    expect(state.lineups.length).toBe(ages.length + 1);
    expect(ages.length).toBeLessThan(LINEUPS_MAX);
  });

  it('gives nothing to what is swapped out, and draws anew for each revision', () => {
    const state = experiment('thompson', { action: 'swap', creativeId: 'b' });
    const step = stepOf(state, evidence([1000, 1000, 1000], [10, 300, 300]))!;
    expect(step.weights).toEqual([
      { creativeId: 'a', weight: 0.05 },
      { creativeId: 'b', weight: 0 },
      { creativeId: 'c', weight: 0.95 },
    ]);
    expect(JSON.parse(step.evidence!)).toMatchObject({ seed: 'hero/3' });
  });
});

describe('mode auto', () => {
  it('swaps the worst out, by evidence that gives the same judgement again', () => {
    const step = stepOf(experiment('auto'), clear)!;
    expect(step).toMatchObject({ action: 'swap', creativeId: 'a', expectedRevision: 2 });
    expect(JSON.parse(step.evidence!)).toMatchObject({ judgement: { verdict: 'swap', best: 'b' }, summary: { asOf: clear.asOf } });
  });

  it('leaves in what somebody has brought back, and goes on with the next', () => {
    const state = experiment('auto', { action: 'swap', creativeId: 'a' }, { action: 'undo' });
    expect(stepOf(state, clear)).toMatchObject({ action: 'swap', creativeId: 'c' });
  });

  it('never takes the last one out', () => {
    const state = experiment('auto', { action: 'swap', creativeId: 'a' }, { action: 'swap', creativeId: 'c' });
    expect(stepOf(state, clear)).toBeNull();
  });
});

describe.each(['observe', 'recommend'])('mode %s', (mode) => {
  it('takes no step by itself', () => {
    expect(stepOf(experiment(mode), clear)).toBeNull();
  });
});
