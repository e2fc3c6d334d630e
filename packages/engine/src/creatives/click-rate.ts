import type { ClickMoments, CrossMoments } from './click-moments.ts';

/**
 * Intervals of ratios whose unit is the account. People of one account see the same creative and talk to each other, and one of them may see it a hundred
 * times, so impressions are no independent observations: an interval that takes them for such is too narrow. Accounts are clusters here.
 *
 * - Variance of a ratio of two sums over clusters, by linearization: W. G. Cochran, Sampling Techniques, 3rd ed. 1977, section 6.
 * - For a rate between 0 and 1 it becomes an effective number of impressions, which goes into the score interval: E. B. Wilson, JASA 22 (1927); effective
 *   size and its correction for few clusters: E. L. Korn, B. I. Graubard, Survey Methodology 24 (1998). It stays within 0 and 1 and holds for rare clicks.
 * - The difference of two rates from their intervals: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008), with the correlation that accounts which saw both make.
 */
export const RATE_METHODS = ['wilson', 'clustered_wilson', 'linearized_ratio'] as const;
export type RateMethod = (typeof RATE_METHODS)[number];
export const NO_RATE_REASONS = ['no_impressions', 'one_account'] as const;
export type NoRateReason = (typeof NO_RATE_REASONS)[number];

/** Of all intervals here. */
export const CONFIDENCE = 0.95;
/** Quantile of the normal distribution that goes with it. */
const Z = 1.959963984540054;

export interface RateInterval {
  /** Clicks per impression; null without an impression. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Null where there is no interval. */
  readonly method: RateMethod | null;
  readonly confidence: number;
  /** Why something is null; null when nothing is. */
  readonly reason: NoRateReason | null;
}

/** Of `CreativeFigures`. */
interface Counted {
  readonly impressions: number;
  readonly clicks: number;
  readonly clicksByAccount: ClickMoments;
}

/** Clicks per impression with the interval that accounts as clusters give. */
export function clickRate(counted: Counted): RateInterval {
  const { clicks, clicksByAccount, impressions } = counted;
  const nothing = { low: null, high: null, method: null, confidence: CONFIDENCE };
  if (impressions === 0) return { value: null, ...nothing, reason: 'no_impressions' };
  const value = clicks / impressions;
  const { accounts, clicksSquared, impressionsByClicks, impressionsSquared } = clicksByAccount;
  // Sum of (clicks - impressions)² over accounts: 0 where each has clicked as often as it saw the creative, which is a share like any other.
  const isAll = clicksSquared - 2 * impressionsByClicks + impressionsSquared === 0;
  // Clicks that were told without their impressions: no share of anything, and nothing that bounds it from above.
  if (value >= 1 && !isAll) {
    if (accounts < 2) return { value, ...nothing, reason: 'one_account' };
    const reach = studentQuantile(accounts - 1) * Math.sqrt(varianceOf(counted));
    return {
      value,
      low: Math.max(0, value - reach),
      high: value + reach,
      method: 'linearized_ratio',
      confidence: CONFIDENCE,
      reason: null,
    };
  }
  const isPlain = impressionsSquared === accounts && impressions === accounts && clicksSquared === clicks;
  const size = isPlain ? accounts : effectiveImpressions(counted, value);
  return { value, ...wilson(value, size), method: isPlain ? 'wilson' : 'clustered_wilson', confidence: CONFIDENCE, reason: null };
}

/** Variance of clicks per impression; infinite for a single account, which says nothing of others. */
function varianceOf({ clicks, clicksByAccount, impressions }: Counted): number {
  const { accounts, clicksSquared, impressionsByClicks, impressionsSquared } = clicksByAccount;
  if (accounts < 2) return Infinity;
  const rate = clicks / impressions;
  const residuals = clicksSquared - 2 * rate * impressionsByClicks + rate * rate * impressionsSquared;
  return ((accounts / (accounts - 1)) * Math.max(0, residuals)) / (impressions * impressions);
}

/** So many independent impressions would tell as much. */
function effectiveImpressions(counted: Counted, rate: number): number {
  const { accounts } = counted.clicksByAccount;
  const variance = varianceOf(counted);
  // Where accounts do not differ, as when nobody clicked, nothing says how alike the impressions of one are: each account counts once.
  const size = variance > 0 ? Math.min(counted.impressions, (rate * (1 - rate)) / variance) : accounts;
  const corrected = accounts < 2 ? size : size * (Z / studentQuantile(accounts - 1)) ** 2;
  // One account is one observation, of which there is at least one.
  return accounts < 2 ? 1 : Math.max(corrected, Math.min(1, accounts));
}

function wilson(rate: number, size: number): { low: number; high: number } {
  const square = (Z * Z) / size;
  const middle = (rate + square / 2) / (1 + square);
  const reach = (Z / (1 + square)) * Math.sqrt((rate * (1 - rate)) / size + square / (4 * size));
  // At 0 and 1 the bound is that value, which rounding would miss by a little.
  return { low: rate === 0 ? 0 : Math.max(0, middle - reach), high: rate === 1 ? 1 : Math.min(1, middle + reach) };
}

export interface RateDifference {
  /** First minus second; null where one of them has no rate. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly method: 'mover' | null;
  readonly confidence: number;
  readonly reason: NoRateReason | null;
}

/** Difference of two creatives' click rates. */
export function clickRateDifference(first: Counted, second: Counted, cross: CrossMoments): RateDifference {
  const [one, other] = [clickRate(first), clickRate(second)];
  const nothing = { value: null, low: null, high: null, method: null, confidence: CONFIDENCE };
  if (one.value === null || other.value === null) return { ...nothing, reason: one.reason ?? other.reason };
  const value = one.value - other.value;
  if (one.low === null || other.low === null) return { ...nothing, value, reason: one.reason ?? other.reason };
  const correlation = correlationOf(first, second, one.value, other.value, cross);
  const reach = (a: number, b: number): number => Math.sqrt(Math.max(0, a * a - 2 * correlation * a * b + b * b));
  const low = value - reach(one.value - one.low, other.high! - other.value);
  const high = value + reach(one.high! - one.value, other.value - other.low);
  return { value, low, high, method: 'mover', confidence: CONFIDENCE, reason: null };
}

function correlationOf(first: Counted, second: Counted, rate: number, otherRate: number, cross: CrossMoments): number {
  const spread = Math.sqrt(varianceOf(first) * varianceOf(second));
  if (!(spread > 0) || !Number.isFinite(spread)) return 0;
  const { clicksByClicks, clicksByImpressions, impressionsByClicks, impressionsByImpressions } = cross;
  const products =
    clicksByClicks - otherRate * clicksByImpressions - rate * impressionsByClicks + rate * otherRate * impressionsByImpressions;
  return Math.max(-1, Math.min(1, products / (first.impressions * second.impressions) / spread));
}

/**
 * Quantile 0.975 of Student's distribution: exact for 1 and 2 degrees of freedom, then by M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 26.7.5,
 * which is half a percent low for 3 and right to four digits from 10 on.
 */
export function studentQuantile(degrees: number): number {
  if (degrees === 1) return 12.706204736432095;
  if (degrees === 2) return 4.302652729911275;
  const z2 = Z * Z;
  const terms = [
    Z,
    (Z * (z2 + 1)) / 4,
    (Z * (5 * z2 * z2 + 16 * z2 + 3)) / 96,
    (Z * (3 * z2 ** 3 + 19 * z2 * z2 + 17 * z2 - 15)) / 384,
    (Z * (79 * z2 ** 4 + 776 * z2 ** 3 + 1482 * z2 * z2 - 1920 * z2 - 945)) / 92_160,
  ];
  return terms.reduce((sum, term, power) => sum + term / degrees ** power, 0);
}
