export interface SalesCounts {
  /** Opportunities that were closed in the period, and how many of these were won. */
  readonly closed: number;
  readonly won: number;
  /** Opportunities that were open or closed in the period: those in work. */
  readonly inWork: number;
  /** Mean amount of those won, of those that have one; null for none. */
  readonly meanValue: number | null;
  /** Mean days from opportunity to won; null for none. */
  readonly cycleDays: number | null;
}

export interface SalesVelocity {
  /** Share of the closed that was won; null where none was closed. */
  readonly winRate: number | null;
  /** Money a day: opportunities x win rate x mean value / cycle days. */
  readonly value: number | null;
  readonly reason: string | null;
}

/** Sales velocity, the money that opportunities in work bring a day: opportunities x win rate x mean value / length of the cycle. */
export function salesVelocity({ closed, cycleDays, inWork, meanValue, won }: SalesCounts): SalesVelocity {
  const winRate = closed === 0 ? null : won / closed;
  const reason = whyNone(winRate, meanValue, cycleDays);
  return { winRate, value: reason === null ? (inWork * winRate! * meanValue!) / cycleDays! : null, reason };
}

function whyNone(winRate: number | null, meanValue: number | null, cycleDays: number | null): string | null {
  if (winRate === null) return 'no opportunity was closed in the period';
  if (cycleDays === null) return 'no opportunity that was won in the period has the times of its beginning and end';
  if (meanValue === null) return 'no opportunity that was won in the period has an amount';
  return cycleDays === 0 ? 'opportunities were won at the instant they were made' : null;
}
