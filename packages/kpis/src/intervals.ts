/**
 * Intervals for shares of small samples. A win rate of 3 in 4 deals says little, and the interval says how little.
 */

/** An interval that covers the true value in 95 of 100 samples. */
export interface ConfidenceInterval {
  readonly low: number;
  readonly high: number;
}

/** The 97.5th percentile of the standard normal distribution. */
const Z = 1.959963984540054;

/** Score interval of a share (Wilson, Probable inference, JASA 22, 1927); 0 to 1, null of nothing. */
export function wilson(successes: number, trials: number): ConfidenceInterval | null {
  if (trials === 0) return null;
  const share = successes / trials;
  const scale = 1 + (Z * Z) / trials;
  const centre = (share + (Z * Z) / (2 * trials)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
  // At the ends the formula gives exactly 0 or 1; computed, it may be off by a last digit.
  return { low: successes === 0 ? 0 : Math.max(0, centre - half), high: successes === trials ? 1 : Math.min(1, centre + half) };
}

interface Sample {
  readonly successes: number;
  readonly trials: number;
}

/**
 * ConfidenceInterval of the difference `one - other` of two independent shares (Newcombe, ConfidenceInterval estimation for the difference between independent
 * proportions, Statistics in Medicine 17, 1998, method 10); -1 to 1, null where either has no trials. It excludes 0 where the two differ for good.
 */
export function newcombe(one: Sample, other: Sample): ConfidenceInterval | null {
  const first = wilson(one.successes, one.trials);
  const second = wilson(other.successes, other.trials);
  if (first === null || second === null) return null;
  const share = one.successes / one.trials;
  const otherShare = other.successes / other.trials;
  const difference = share - otherShare;
  return {
    low: difference - Math.hypot(share - first.low, second.high - otherShare),
    high: difference + Math.hypot(first.high - share, otherShare - second.low),
  };
}
