import { estimate, type Comparison, type Estimate, type EstimateOptions } from './estimate.ts';
import { checkSampleRatio, type SampleRatioCheck } from './sample-ratio.ts';
import type { EvidenceSummary } from './summary.ts';

export interface JudgeOptions extends EstimateOptions {
  /** Settled accounts that an arm has at least before anything is concluded from it. The theory is asymptotic: not below 100. */
  readonly leastAccounts: number;
  /** Level of the sample-ratio check: 0.001, say, as an alarm stops all decisions. */
  readonly sampleRatioLevel: number;
  /** Share of the exposed accounts that may be contaminated or have strayed: 0.2, say. With more, those that are left are too select to decide by. */
  readonly leftOutMax: number;
}

/**
 *   swap  an under-performer was found: whether it is told or swapped out is the mode's to say
 *   wait  nothing is sure yet
 *   hold  something is wrong with the experiment itself: nothing is to be decided until somebody has looked
 */
export type Verdict = 'swap' | 'wait' | 'hold';

export const VERDICT_REASONS = [
  'under_performer',
  'too_few_accounts',
  'not_sure_yet',
  'sample_ratio_mismatch',
  'too_many_left_out',
] as const;

export type VerdictReason = (typeof VERDICT_REASONS)[number];

/** All that a decision rests on; recorded with it, it can be computed again from the summary and the options. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
  /** Arms that are worse than another at the level, each with the comparison that says so most surely. */
  readonly underPerformers: readonly UnderPerformer[];
  /** The arm with the highest value, of those with the least number of accounts. It is never an under-performer. */
  readonly best: string | null;
  readonly leftOutShare: number;
  readonly estimate: Estimate;
  readonly sampleRatio: SampleRatioCheck;
}

export interface UnderPerformer {
  readonly creativeId: string;
  readonly comparison: Comparison;
}

/**
 * Which arms under-perform, by one outcome of which more is better. Asked as often as one likes, while the arms stay the same, it names a wrong one with a probability of at most
 * `level`. Each new lineup of arms is a question of its own: over several of them expect `level` wrong swaps for each at most.
 */
export function judge(summary: EvidenceSummary, options: JudgeOptions): Judgement {
  const made = estimate(summary, options);
  const sampleRatio = checkSampleRatio(summary, options.sampleRatioLevel);
  const leftOutShare = leftOutOf(summary);
  const enough = new Set(made.arms.filter(({ accounts }) => accounts >= options.leastAccounts).map(({ creativeId }) => creativeId));
  const comparable = made.comparisons.filter(({ against, creativeId }) => enough.has(creativeId) && enough.has(against));
  const best = bestOf(made, enough);
  const told = { best, leftOutShare, estimate: made, sampleRatio };
  if (sampleRatio.isAlarm) return { verdict: 'hold', reason: 'sample_ratio_mismatch', underPerformers: [], ...told };
  if (leftOutShare > options.leftOutMax) return { verdict: 'hold', reason: 'too_many_left_out', underPerformers: [], ...told };
  if (comparable.length === 0) return { verdict: 'wait', reason: 'too_few_accounts', underPerformers: [], ...told };
  const underPerformers = losersOf(comparable, options.level).filter(({ creativeId }) => creativeId !== best);
  if (underPerformers.length === 0) return { verdict: 'wait', reason: 'not_sure_yet', underPerformers, ...told };
  return { verdict: 'swap', reason: 'under_performer', underPerformers, ...told };
}

function losersOf(comparisons: readonly Comparison[], level: number): UnderPerformer[] {
  const losers = new Map<string, Comparison>();
  for (const comparison of comparisons) {
    // Said this way round, what is no number convicts nobody.
    if (!(comparison.pCorrected <= level)) continue;
    const loser = comparison.difference.value < 0 ? comparison.creativeId : comparison.against;
    const known = losers.get(loser);
    if (known === undefined || comparison.pValue < known.pValue) losers.set(loser, comparison);
  }
  return [...losers].map(([creativeId, comparison]) => ({ creativeId, comparison }));
}

function bestOf({ arms }: Estimate, enough: ReadonlySet<string>): string | null {
  let best: { creativeId: string; value: number } | null = null;
  for (const { creativeId, value } of arms) {
    if (value !== null && enough.has(creativeId) && (best === null || value > best.value)) best = { creativeId, value };
  }
  return best?.creativeId ?? null;
}

function leftOutOf({ eras }: EvidenceSummary): number {
  let exposed = 0;
  let leftOut = 0;
  for (const arm of eras.flatMap(({ arms }) => arms)) {
    exposed += arm.exposed;
    leftOut += arm.contaminated + arm.strayed;
  }
  return exposed === 0 ? 0 : leftOut / exposed;
}
