import { logGamma } from './log-gamma.ts';
import type { ArmSummary, EvidenceSummary } from './summary.ts';

/**
 * How sure the alternative is that shares are about the stated ones: as if so many accounts had been seen with those. 52 to 48 is found soonest with some
 * hundreds; larger deviations are found with any.
 */
const PRIOR_ACCOUNTS = 400;

export interface SampleRatioCheck {
  /** Always valid: below a level with at most that probability, ever, where accounts came as they were assigned. */
  readonly pValue: number;
  readonly isAlarm: boolean;
  /** Which accounts differ most from what they should: those exposed first, or those of them in the comparison. */
  readonly of: 'exposed' | 'settled';
  readonly arms: readonly { readonly creativeId: string; readonly accounts: number; readonly expected: number }[];
}

/**
 * Whether arms have as many accounts as their shares say. If not, something about the arms decides who is seen in them (a creative that fails to load, a platform that
 * does as it likes, clicks that come without impressions), and comparing what is left compares different accounts.
 *
 * Sequential: a mixture of multinomial likelihoods over Dirichlet shares, divided by the likelihood under the stated ones (Lindon and Malek, Anytime-valid inference
 * for multinomial count data, NeurIPS 2022). Eras, whose shares differ, multiply. It is made twice, each at half the level: of all who were exposed, and of those
 * in the comparison, where exclusion could take more from one arm.
 */
export function checkSampleRatio(summary: EvidenceSummary, level: number): SampleRatioCheck {
  const exposed = checkCounts(summary, 'exposed');
  const settled = checkCounts(summary, 'settled');
  const worst = exposed.pValue <= settled.pValue ? exposed : settled;
  const pValue = Math.min(1, 2 * worst.pValue);
  return { ...worst, pValue, isAlarm: pValue <= level };
}

function checkCounts(summary: EvidenceSummary, of: 'exposed' | 'settled'): Omit<SampleRatioCheck, 'isAlarm'> {
  const totals = new Map<string, { accounts: number; expected: number }>();
  let logEvidence = 0;
  for (const era of summary.eras) {
    const arms = era.arms.filter(({ buckets }) => buckets > 0);
    const counts = arms.map((arm) => arm[of]);
    const shares = sharesOf(arms);
    const sum = counts.reduce((total, count) => total + count, 0);
    logEvidence += logMixture(counts, shares);
    for (const [at, { creativeId }] of arms.entries()) {
      const total = totals.get(creativeId) ?? { accounts: 0, expected: 0 };
      totals.set(creativeId, { accounts: total.accounts + counts[at]!, expected: total.expected + shares[at]! * sum });
    }
  }
  return { pValue: Math.min(1, Math.exp(-logEvidence)), of, arms: [...totals].map(([creativeId, total]) => ({ creativeId, ...total })) };
}

function sharesOf(arms: readonly ArmSummary[]): number[] {
  const sum = arms.reduce((total, { buckets }) => total + buckets, 0);
  return arms.map(({ buckets }) => buckets / sum);
}

/** Logarithm of the mixture likelihood over that of the stated shares. */
export function logMixture(counts: readonly number[], shares: readonly number[]): number {
  const sum = counts.reduce((total, count) => total + count, 0);
  let log = logGamma(PRIOR_ACCOUNTS) - logGamma(PRIOR_ACCOUNTS + sum);
  for (const [at, count] of counts.entries()) {
    const prior = PRIOR_ACCOUNTS * shares[at]!;
    log += logGamma(prior + count) - logGamma(prior) - count * Math.log(shares[at]!);
  }
  return log;
}
