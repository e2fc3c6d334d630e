import { ratioOf, varianceOf, type Moments } from './moments.ts';
import { alwaysValidP, boundary } from './sequential.ts';
import type { Interval } from './share-interval.ts';

export interface Contrast {
  /** First arm less second. */
  readonly difference: Interval & { readonly value: number };
  /** First arm over second; null unless both are above 0. */
  readonly ratio: (Interval & { readonly value: number }) | null;
  /** Always valid, of this comparison alone. */
  readonly pValue: number;
  /** Accounts of both arms. */
  readonly accounts: number;
}

/**
 * What an account's weight is, squared, while both arms have equal shares. The clock of a sequence is the variance it has gathered, which for weights that
 * change is the sum of their squares (Waudby-Smith et al., where variances differ from one observation to the next): with equal shares, the number of accounts.
 */
const EQUAL_WEIGHT_SQUARED = 0.25;

/**
 * Two arms by one outcome, each account with the other arm's share of the two as its weight; null while there is too little for a variance. `level` is that of the intervals, `rhoSquared` from `rhoSquaredFor`. The ratio's interval
 * is that of the difference of logarithms (delta method).
 */
export function contrast(first: Moments, second: Moments, isShare: boolean, level: number, rhoSquared: number): Contrast | null {
  const a = ratioOf(first);
  const b = ratioOf(second);
  if (a === null || b === null) return null;
  const varianceA = isShare ? shareVarianceOf(first) : varianceOf(first);
  const varianceB = isShare ? shareVarianceOf(second) : varianceOf(second);
  const se = Math.sqrt(varianceA + varianceB);
  if (!(se > 0 && se < Infinity)) return null;
  const accounts = first.accounts + second.accounts;
  const r = ((first.ww + second.ww) / EQUAL_WEIGHT_SQUARED) * rhoSquared;
  const width = boundary(r, level);
  return {
    difference: { value: a - b, low: a - b - width * se, high: a - b + width * se },
    ratio: a > 0 && b > 0 ? ratioInterval(a / b, width * Math.sqrt(varianceA / (a * a) + varianceB / (b * b))) : null,
    pValue: alwaysValidP((a - b) / se, r),
    accounts,
  };
}

/**
 * Of a share the variance as it is, or that with one account more with the property and one more without, whichever is larger (after Agresti and
 * Caffo, American Statistician 54(4), 2000): of an arm where nobody clicked yet the first would be 0, and the arm judged too soon.
 */
export function shareVarianceOf(moments: Moments): number {
  const { w, ww, wy } = moments;
  // As many accounts of equal weight would say as much (Kish).
  const n = (w * w) / ww;
  const share = ((wy / w) * n + 1) / (n + 2);
  return Math.max(varianceOf(moments), (share * (1 - share)) / n);
}

function ratioInterval(value: number, width: number): Interval & { readonly value: number } {
  return { value, low: value * Math.exp(-width), high: value * Math.exp(width) };
}
