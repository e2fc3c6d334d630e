import { checkSampleRatio, estimate, judge, type EvidenceSummary, type JudgeOptions, type OutcomeName } from '@touchstone/experiments';
import { creativeOf, perClickP, SimulatedExperiment, type World } from './simulate-experiments.ts';

/** Shares of the experiments in which a test found a difference on any day (`atEnd`: on the last one). */
export interface FoundShares {
  readonly clickRate: number;
  readonly clicked: number;
  readonly perClick: number;
  readonly perClickAtEnd: number;
}

export interface Peeking {
  readonly experiments: number;
  readonly days: number;
  readonly level: number;
  /** Settled accounts each arm has at least before it is looked at. */
  readonly leastAccounts: number;
}

/** Looks at two arms every day by the sequential comparison, and by a test of clicks that knows neither accounts nor peeking. */
export function peekDaily(world: World, { days, experiments, leastAccounts, level }: Peeking): FoundShares {
  const found = { clickRate: 0, clicked: 0, perClick: 0, perClickAtEnd: 0 };
  for (let nth = 0; nth < experiments; nth++) {
    const experiment = new SimulatedExperiment(world, nth);
    const isFound = { clickRate: false, clicked: false, perClick: false };
    let last = 1;
    for (let day = 0; day < days; day++) {
      experiment.nextDay();
      if (experiment.arms.some(({ settled }) => settled < leastAccounts)) continue;
      const summary = experiment.summary();
      isFound.clickRate ||= pOf(summary, 'clickRate', level, world) <= level;
      isFound.clicked ||= pOf(summary, 'clicked', level, world) <= level;
      last = perClickP(experiment.counted);
      isFound.perClick ||= last <= level;
    }
    for (const test of ['clickRate', 'clicked', 'perClick'] as const) if (isFound[test]) found[test]++;
    if (last <= level) found.perClickAtEnd++;
  }
  return {
    clickRate: found.clickRate / experiments,
    clicked: found.clicked / experiments,
    perClick: found.perClick / experiments,
    perClickAtEnd: found.perClickAtEnd / experiments,
  };
}

function pOf(summary: EvidenceSummary, outcome: OutcomeName, level: number, { accountsPerDay, lifts }: World): number {
  const creatives = lifts.map((_, arm) => creativeOf(arm));
  const { comparisons } = estimate(summary, { outcome, creatives, control: null, level, tunedForAccounts: accountsPerDay * 30 });
  return Math.min(1, ...comparisons.map(({ pCorrected }) => pCorrected));
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
      const arms = experiment.arms.map((arm) => ({ ...arm, buckets: 10_000 / actual.length }));
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
