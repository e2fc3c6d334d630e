import type { PlotPoint } from './plot.ts';

/** A straight line through points, and how far from it they lie. */
export interface LinearFit {
  /** At x = 0: what is paid once. */
  readonly intercept: number;
  readonly slope: number;
  /** Of the point farthest off the line, its distance as a share of the line's height there. */
  readonly worst: number;
}

/** By least squares of the distances as shares of each point, so that small and large points count alike. Needs two points of different x. */
export function fitLine(points: readonly Pick<PlotPoint, 'x' | 'y'>[]): LinearFit {
  let w = 0;
  let wx = 0;
  let wy = 0;
  let wxx = 0;
  let wxy = 0;
  for (const { x, y } of points) {
    const weight = 1 / y ** 2;
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  const intercept = (wy - slope * wx) / w;
  const worst = Math.max(...points.map(({ x, y }) => Math.abs(y / (intercept + slope * x) - 1)));
  return { intercept, slope, worst };
}
