/**
 * Tests that may be looked at whenever, and stopped whenever. An estimate with standard error `se` after `n` accounts has the asymptotic confidence
 * sequence
 *
 *   estimate ± se sqrt((1 + r) / r * log((1 + r) / level²)),   r = n ρ²
 *
 * (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52(6),
 * 2024): with probability 1 - level, all intervals of the sequence together hold the true value, asymptotically. It is Robbins' mixture of normal likelihood
 * ratios (Statistical methods related to the law of the iterated logarithm, Annals of Mathematical Statistics 41(5), 1970) with the standard error estimated, and so the
 * mSPRT of Johari, Koomen, Pekelis, Walsh (Always valid inference, Operations Research 70(3), 2022).
 */

/**
 * ρ² that makes the sequence narrowest at `accounts` accounts: what is gained there is lost elsewhere, slowly (at level 0.05 the interval is 7% wider than it might be at ten times as many, 24% at a tenth).
 * It must be chosen before there are data. The approximation is the paper's.
 */
export function rhoSquaredFor(accounts: number, level: number): number {
  const twice = -2 * Math.log(level);
  return (twice + Math.log(twice) + 1) / accounts;
}

/** Half the width of the interval, in standard errors. */
export function boundary(r: number, level: number): number {
  return Math.sqrt(((1 + r) / r) * Math.log((1 + r) / (level * level)));
}

/**
 * An always-valid p-value of "there is no difference", for an estimate of `z` standard errors: the level at which the interval begins to leave 0 out. At whatever instant it is
 * read, it is below `level` with a probability of at most `level` where there is no difference. The least value of all earlier looks would be valid
 * as well, and smaller; but it depends on when somebody looked.
 */
export function alwaysValidP(z: number, r: number): number {
  return Math.min(1, Math.sqrt(1 + r) * Math.exp((-r * z * z) / (2 * (1 + r))));
}
