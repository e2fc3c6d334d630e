import {
  checkSampleRatio,
  estimate,
  judge,
  thompsonStep,
  type EvidenceSummary,
  type JudgeOptions,
  type OutcomeName,
} from '@touchstone/experiments';
import { creativeOf, perClickP, SimulatedExperiment, type World } from './simulate-experiments.ts';

export interface Peeking {
  readonly experiments: number;
  readonly days: number;
  readonly level: number;
  /** Settled accounts each arm has at least before it is looked at. */
  readonly leastAccounts: number;
  /** 30 days' accounts if not given. */
  readonly tunedForAccounts?: number;
}

/** For each test, the accounts it took to a difference, one number for each experiment in which it found any on any day. */
export interface Found {
  readonly clickRate: number[];
  readonly clicked: number[];
  /** A test of clicks that knows neither accounts nor peeking. */
  readonly perClick: number[];
  /** The same, looked at once, on the last day. */
  readonly perClickAtEnd: number[];
}

/** Looks at two arms every day. */
export function peekDaily(
  world: World,
  { days, experiments, leastAccounts, level, tunedForAccounts = world.accountsPerDay * 30 }: Peeking,
): Found {
  const found: Found = { clickRate: [], clicked: [], perClick: [], perClickAtEnd: [] };
  for (let nth = 0; nth < experiments; nth++) {
    const experiment = new SimulatedExperiment(world, nth);
    const isFound = { clickRate: false, clicked: false, perClick: false };
    for (let day = 0; day < days; day++) {
      experiment.nextDay();
      if (experiment.pooled.some(({ settled }) => settled < leastAccounts)) continue;
      const summary = experiment.summary();
      for (const test of ['clickRate', 'clicked', 'perClick'] as const) {
        if (isFound[test]) continue;
        const p = test === 'perClick' ? perClickP(experiment.counted) : pOf(summary, test, level, tunedForAccounts);
        if (p > level) continue;
        isFound[test] = true;
        found[test].push(experiment.accounts);
      }
    }
    if (perClickP(experiment.counted) <= level) found.perClickAtEnd.push(experiment.accounts);
  }
  return found;
}

function pOf(summary: EvidenceSummary, outcome: OutcomeName, level: number, tunedForAccounts: number): number {
  const creatives = summary.eras[0]!.arms.map(({ creativeId }) => creativeId);
  const { comparisons } = estimate(summary, { outcome, creatives, control: null, level, tunedForAccounts });
  return Math.min(1, ...comparisons.map(({ pCorrected }) => pCorrected));
}

/** A bandit moves the shares every day. In how many experiments a difference was found on any day: by what is served, and with all accounts pooled. */
export function banditDaily(
  world: World,
  { days, experiments, leastAccounts, level }: Peeking,
): { readonly weighed: number; readonly pooled: number } {
  const found = { weighed: 0, pooled: 0 };
  const creatives = world.lifts.map((_, arm) => creativeOf(arm));
  const tuned = world.accountsPerDay * 30;
  for (let nth = 0; nth < experiments; nth++) {
    const experiment = new SimulatedExperiment(world, nth);
    const isFound = { weighed: false, pooled: false };
    for (let day = 0; day < days; day++) {
      experiment.nextDay();
      const step = thompsonStep(experiment.summary(), {
        outcome: 'clicked',
        creatives,
        seed: `${nth}/${day}`,
        floor: 0.1,
        warmUpAccounts: leastAccounts,
      });
      experiment.startEra(step.arms.map(({ weight }) => weight));
      if (experiment.pooled.some(({ settled }) => settled < leastAccounts)) continue;
      isFound.weighed ||= pOf(experiment.summary(), 'clicked', level, tuned) <= level;
      isFound.pooled ||= pOf(experiment.pooledSummary(), 'clicked', level, tuned) <= level;
    }
    if (isFound.weighed) found.weighed++;
    if (isFound.pooled) found.pooled++;
  }
  return found;
}

export interface SwapOptions extends Omit<JudgeOptions, 'creatives' | 'control'> {
  readonly experiments: number;
  readonly days: number;
}

/** Lets the rule of mode auto decide every day. For each experiment the accounts it took to the first swap, or null. */
export function swapDaily(
  world: World,
  { days, experiments, ...rule }: SwapOptions,
): { readonly accounts: number; readonly creativeId: string }[] {
  const swaps: { accounts: number; creativeId: string }[] = [];
  const options = { ...rule, creatives: world.lifts.map((_, arm) => creativeOf(arm)), control: null };
  for (let nth = 0; nth < experiments; nth++) {
    const experiment = new SimulatedExperiment(world, nth);
    for (let day = 0; day < days; day++) {
      experiment.nextDay();
      const { underPerformers, verdict } = judge(experiment.summary(), options);
      if (verdict !== 'swap') continue;
      swaps.push({ accounts: experiment.accounts, creativeId: underPerformers[0]!.creativeId });
      break;
    }
  }
  return swaps;
}

/** For each experiment whose accounts come by `actual` shares though equal ones were stated: accounts until the alarm, of those where it went off. */
export function checkRatioDaily(world: World, actual: readonly number[], runs: number, days: number, level: number): number[] {
  const alarms: number[] = [];
  for (let nth = 0; nth < runs; nth++) {
    const experiment = new SimulatedExperiment(world, nth, actual);
    for (let day = 0; day < days; day++) {
      experiment.nextDay();
      const arms = experiment.eras[0]!.arms.map((arm) => ({ ...arm, buckets: 10_000 / actual.length }));
      if (!checkSampleRatio({ ...experiment.summary(), eras: [{ since: 0, arms }] }, level).isAlarm) continue;
      alarms.push(experiment.accounts);
      break;
    }
  }
  return alarms;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
