import { contrast, shareVarianceOf, type Contrast } from './compare.ts';
import { BUCKETS } from './hash.ts';
import { holm } from './holm.ts';
import { addMoments, noMoments, ratioOf, varianceOf, type Moments } from './moments.ts';
import { isShare, type OutcomeName } from './outcome.ts';
import { boundary, rhoSquaredFor } from './sequential.ts';
import { shareInterval, type Interval } from './share-interval.ts';
import type { ArmSummary, EvidenceSummary } from './summary.ts';

export interface EstimateOptions {
  readonly outcome: OutcomeName;
  /** Creatives to be compared: the arms of now. */
  readonly creatives: readonly string[];
  /** What all others are compared with; null to compare each with every other. */
  readonly control: string | null;
  /** Probability that any of the intervals of differences ever is wrong, and of any wrong p-value below it: 0.05, say. */
  readonly level: number;
  /** Accounts of two arms together for which intervals are made narrowest; chosen before the start, `power` says how many. */
  readonly tunedForAccounts: number;
}

export interface Estimate {
  readonly outcome: OutcomeName;
  readonly level: number;
  /** How many comparisons the level is shared among. */
  readonly comparisonCount: number;
  readonly arms: readonly ArmEstimate[];
  /** With a control, each other arm against it; without, each pair once, in the order of the arms. */
  readonly comparisons: readonly Comparison[];
}

export interface ArmEstimate {
  readonly creativeId: string;
  /** Settled accounts it rests on. */
  readonly accounts: number;
  /** null without accounts, or of a rate without impressions. */
  readonly value: number | null;
  /** Holds the true value at all instants together with probability 1 - level, of this arm alone. Exact for shares while weights never changed. */
  readonly interval: Interval | null;
}

export interface Comparison extends Contrast {
  readonly creativeId: string;
  readonly against: string;
  /** pValue corrected for all comparisons (Holm). Intervals are corrected by Bonferroni, so one may hold 0 though this is below the level. */
  readonly pCorrected: number;
}

/**
 * Arms by one outcome. Two arms are compared over the eras in which both took in accounts, so that one that joined later is not compared with other times;
 * within each era both weigh the same, so that shares that changed confound nothing. Where they did, a difference need not be that of the arms' values, which are of all their eras.
 */
export function estimate(summary: EvidenceSummary, options: EstimateOptions): Estimate {
  const { control, creatives, level, outcome, tunedForAccounts } = options;
  if (!(tunedForAccounts > 0 && tunedForAccounts < Infinity))
    throw new RangeError(`intervals can not be tuned for ${tunedForAccounts} accounts`);
  const pairs = pairsOf(creatives, control);
  const shared = level / Math.max(1, pairs.length);
  const rhoSquared = rhoSquaredFor(tunedForAccounts, shared);
  const found: Omit<Comparison, 'pCorrected'>[] = [];
  for (const [creativeId, against] of pairs) {
    const [one, other] = momentsOfBoth(summary, outcome, creativeId, against);
    const made = contrast(one, other, isShare(outcome), shared, rhoSquared);
    if (made !== null) found.push({ creativeId, against, ...made });
  }
  // One that can't be made yet counts all the same: which ones can is no choice made before the data.
  const missing = Array.from({ length: pairs.length - found.length }, () => 1);
  const corrected = holm([...found.map(({ pValue }) => pValue), ...missing]);
  return {
    outcome,
    level,
    comparisonCount: pairs.length,
    arms: creatives.map((creativeId) => armOf(summary, creativeId, outcome, level, rhoSquaredFor(tunedForAccounts / 2, level))),
    comparisons: found.map((comparison, at) => ({ ...comparison, pCorrected: corrected[at]! })),
  };
}

/** Moments of a creative over all eras that gave it buckets. An account weighs 1 over its arm's share of what the era covered. */
export function momentsOf(summary: EvidenceSummary, outcome: OutcomeName, creativeId: string): Moments {
  const moments = noMoments();
  for (const { arms } of summary.eras) {
    const arm = takingIn(arms, creativeId);
    if (arm === undefined) continue;
    const covered = arms.reduce((sum, { buckets }) => sum + buckets, 0);
    addMoments(moments, arm.moments[outcome], covered / BUCKETS);
  }
  return moments;
}

/**
 * Of two creatives, over all eras that gave both buckets. An account weighs the other arm's share of the two: one half where they are equal (overlap weights;
 * Li, Morgan, Zaslavsky, Journal of the American Statistical Association 113, 2018). So both arms weigh the same in each era, an era weighs as much as it can say,
 * and no account ever weighs much more than others, as it would by 1 over its own share.
 */
function momentsOfBoth(summary: EvidenceSummary, outcome: OutcomeName, one: string, other: string): [Moments, Moments] {
  const both: [Moments, Moments] = [noMoments(), noMoments()];
  for (const { arms } of summary.eras) {
    const first = takingIn(arms, one);
    const second = takingIn(arms, other);
    if (first === undefined || second === undefined) continue;
    // Times the weight that is in the moments, 10,000 over the arm's buckets, this is the other's share.
    const scale = (first.buckets * second.buckets) / ((first.buckets + second.buckets) * BUCKETS);
    addMoments(both[0], first.moments[outcome], scale);
    addMoments(both[1], second.moments[outcome], scale);
  }
  return both;
}

function takingIn(arms: readonly ArmSummary[], creativeId: string): ArmSummary | undefined {
  return arms.find((arm) => arm.creativeId === creativeId && arm.buckets > 0);
}

function pairsOf(creatives: readonly string[], control: string | null): [string, string][] {
  if (control !== null) return creatives.filter((creativeId) => creativeId !== control).map((creativeId) => [creativeId, control]);
  return creatives.flatMap((creativeId, at) => creatives.slice(at + 1).map((other): [string, string] => [creativeId, other]));
}

function armOf(summary: EvidenceSummary, creativeId: string, outcome: OutcomeName, level: number, rhoSquared: number): ArmEstimate {
  const moments = momentsOf(summary, outcome, creativeId);
  return { creativeId, accounts: moments.accounts, value: ratioOf(moments), interval: intervalOf(moments, outcome, level, rhoSquared) };
}

function intervalOf(moments: Moments, outcome: OutcomeName, level: number, rhoSquared: number): Interval | null {
  const { accounts, w, ww, wy } = moments;
  const value = ratioOf(moments);
  if (value === null) return null;
  const isOfOneWeight = Math.abs(w * w - accounts * ww) <= 1e-9 * w * w;
  if (isShare(outcome) && isOfOneWeight) return shareInterval(Math.round((wy / w) * accounts), accounts, level);
  const se = Math.sqrt(isShare(outcome) ? shareVarianceOf(moments) : varianceOf(moments));
  if (!(se < Infinity)) return null;
  const half = boundary(accounts * rhoSquared, level) * se;
  return isShare(outcome) ? { low: Math.max(0, value - half), high: Math.min(1, value + half) } : { low: value - half, high: value + half };
}
