/**
 * Sums over accounts, each with a weight w, a value y and a size x, from which follow the ratio sum(wy) / sum(wx) and its variance. A mean is the ratio with x = 1. Plain
 * numbers, so that those of partitions add up and a record of them can be computed with again.
 */
export interface Moments {
  accounts: number;
  w: number;
  ww: number;
  wx: number;
  wy: number;
  wwxx: number;
  wwxy: number;
  wwyy: number;
}

export function noMoments(): Moments {
  return { accounts: 0, w: 0, ww: 0, wx: 0, wy: 0, wwxx: 0, wwxy: 0, wwyy: 0 };
}

/** Adds one account. `w` is 10,000 over the buckets that its arm had when it was assigned, so that shares that changed over time weigh out. */
export function addAccount(moments: Moments, w: number, x: number, y: number): void {
  const wx = w * x;
  const wy = w * y;
  moments.accounts++;
  moments.w += w;
  moments.ww += w * w;
  moments.wx += wx;
  moments.wy += wy;
  moments.wwxx += wx * wx;
  moments.wwxy += wx * wy;
  moments.wwyy += wy * wy;
}

/** Adds accounts, each with `scale` times its weight. */
export function addMoments(into: Moments, from: Moments, scale = 1): void {
  const square = scale * scale;
  into.accounts += from.accounts;
  into.w += from.w * scale;
  into.ww += from.ww * square;
  into.wx += from.wx * scale;
  into.wy += from.wy * scale;
  into.wwxx += from.wwxx * square;
  into.wwxy += from.wwxy * square;
  into.wwyy += from.wwyy * square;
}

/** Σwy / Σwx; null where there is nothing to divide by. */
export function ratioOf({ wx, wy }: Moments): number | null {
  return wx > 0 ? wy / wx : null;
}

/**
 * Variance of `ratioOf` over repeated sampling of accounts: the linearised residuals y - ratio x, with weights (the Hájek estimator and Taylor series;
 * Särndal, Swensson, Wretman, Model Assisted Survey Sampling, 1992, section 5.5 to 5.7). Whatever goes on inside an account, such as how its people's
 * clicks go together, is in its one residual. Infinite below two accounts.
 */
export function varianceOf({ accounts, wwxx, wwxy, wwyy, wx, wy }: Moments): number {
  if (accounts < 2 || wx <= 0) return Infinity;
  const ratio = wy / wx;
  const squares = Math.max(0, wwyy - 2 * ratio * wwxy + ratio * ratio * wwxx);
  return (squares / (wx * wx)) * (accounts / (accounts - 1));
}
