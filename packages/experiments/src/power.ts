import { varianceOf, type Moments } from './moments.ts';
import { normalQuantile } from './normal.ts';
import { boundary, rhoSquaredFor } from './sequential.ts';

export interface PowerQuestion {
  /** Value of the outcome without any lift: a share, a mean or a rate. */
  readonly baseline: number;
  /** Standard deviation of one account's value; null of a share, of which it follows. `deviationOf` takes it from accounts that were seen. */
  readonly deviation: number | null;
  /** Relative: 0.2 is 20% more. */
  readonly lift: number;
  readonly level: number;
  /** Probability that such a lift is found by then: 0.8, say. */
  readonly power: number;
  readonly armCount: number;
  readonly hasControl: boolean;
}

export interface PowerPlan {
  /** Settled accounts of each arm by which the lift is found with the stated probability; it may be found before. */
  readonly accountsPerArm: number;
  readonly accounts: number;
  /** What a test with one look at the end would need. */
  readonly fixedAccountsPerArm: number;
  /** Times as many accounts, for being allowed to look at all times. */
  readonly inflation: number;
  /** For `EstimateOptions`. */
  readonly tunedForAccounts: number;
}

/** More than there are. Expectations may be so small or so even that the formula leaves the range of numbers. */
const ACCOUNTS_MAX = 1e12;

/**
 * How many accounts it takes. Counted is the look at the end alone: that it may be found at an earlier one makes the probability larger than stated (by how much, the
 * simulations say). Intervals are tuned for that number.
 */
export function planPower({ armCount, baseline, deviation, hasControl, level, lift, power }: PowerQuestion): PowerPlan {
  const comparisons = hasControl ? armCount - 1 : (armCount * (armCount - 1)) / 2;
  const shared = level / comparisons;
  const isShare = deviation === null;
  // A share is lifted to all accounts at most; whoever expects more than that finds what there is.
  const lifted = Math.min(isShare ? 1 : Infinity, baseline * (1 + lift));
  const difference = isShare ? lifted - baseline : baseline * lift;
  const variances = isShare ? baseline * (1 - baseline) + lifted * (1 - lifted) : 2 * deviation * deviation;
  const accountsFor = (errors: number): number => {
    const accounts = Math.ceil((errors * errors * variances) / (difference * difference));
    return Number.isNaN(accounts) ? ACCOUNTS_MAX : Math.min(ACCOUNTS_MAX, Math.max(1, accounts));
  };
  const towards = normalQuantile(power);
  // Tuned for n accounts, r is n ρ², whatever n is.
  const sequential = boundary(rhoSquaredFor(1, shared), shared) + towards;
  const fixed = normalQuantile(1 - shared / 2) + towards;
  const accountsPerArm = accountsFor(sequential);
  return {
    accountsPerArm,
    accounts: accountsPerArm * armCount,
    fixedAccountsPerArm: accountsFor(fixed),
    inflation: (sequential / fixed) ** 2,
    tunedForAccounts: 2 * accountsPerArm,
  };
}

/** Standard deviation of one account's value, or of its share in a rate, as it was seen; what goes on inside accounts is in it. Infinite below two accounts. */
export function deviationOf(moments: Moments): number {
  return Math.sqrt(varianceOf(moments) * ((moments.w * moments.w) / moments.ww));
}

export interface Progress {
  readonly accountsPerArm: number;
  /** Of each arm: accounts exposed so far, and its share of those to come (0 to 1). */
  readonly arms: readonly { readonly exposed: number; readonly share: number }[];
  /** Accounts that are exposed for the first time on a day, of all arms together. */
  readonly exposedPerDay: number;
  /** Outcome window and grace. */
  readonly settleDays: number;
}

/** Days until the arm that is last has its accounts settled, at the pace so far; null when it never will. */
export function daysLeft({ accountsPerArm, arms, exposedPerDay, settleDays }: Progress): number | null {
  let days = 0;
  for (const { exposed, share } of arms) {
    const missing = accountsPerArm - exposed;
    if (missing <= 0) continue;
    const perDay = exposedPerDay * share;
    if (!(perDay > 0)) return null;
    days = Math.max(days, missing / perDay);
  }
  return days + settleDays;
}
