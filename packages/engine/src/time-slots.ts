/** UTC hours and days as numbers since the epoch, and the windows made of them. */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS);
}

export function dayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}

/** A window ends with the hour or day that it is asked in, and is compared with the equally long one before. */
export interface WindowSpec {
  readonly name: '24h' | '7d' | '30d' | '90d';
  readonly unit: 'hour' | 'day';
  /** Hours or days, the current one included. */
  readonly length: number;
}

export const WINDOWS: readonly WindowSpec[] = [
  { name: '24h', unit: 'hour', length: 24 },
  { name: '7d', unit: 'day', length: 7 },
  { name: '30d', unit: 'day', length: 30 },
  { name: '90d', unit: 'day', length: 90 },
];

/** Hours and days that some window of an instant, or the one before it, can reach back to. */
export const OLDEST_HOUR_BACK = 47;
export const OLDEST_DAY_BACK = 179;
