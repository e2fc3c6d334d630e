import { logGamma } from './log-gamma.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Halvings: an end is found to a thousand-millionth of its range. */
const STEPS = 30;

/**
 * Confidence sequence of a share, from how many of `n` accounts have the property: exact for any number of accounts, looked at whenever. It is all shares p
 * under which the likelihood is not less than `level` times its mean over a uniform prior: that ratio is a martingale under p, and exceeds 1 / level
 * ever with probability at most level (Ville; Robbins, 1970; for shares Lai, On confidence sequences, Annals of Statistics 4(2), 1976).
 */
export function shareInterval(successes: number, n: number, level: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const failures = n - successes;
  // Mean likelihood under a uniform prior: the beta function B(successes + 1, failures + 1).
  const least = Math.log(level) + logGamma(successes + 1) + logGamma(failures + 1) - logGamma(n + 2);
  const isIn = (p: number): boolean => term(successes, p) + term(failures, 1 - p) >= least;
  const likeliest = successes / n;
  return { low: isIn(0) ? 0 : end(0, likeliest, isIn), high: isIn(1) ? 1 : end(1, likeliest, isIn) };
}

function term(count: number, p: number): number {
  return count === 0 ? 0 : count * Math.log(p);
}

/** Between one that is out and one that is in. */
function end(out: number, inside: number, isIn: (p: number) => boolean): number {
  let [far, near] = [out, inside];
  for (let step = 0; step < STEPS; step++) {
    const middle = (far + near) / 2;
    if (isIn(middle)) near = middle;
    else far = middle;
  }
  return far;
}
