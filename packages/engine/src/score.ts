/** Points mapped to 0-100: halfScorePoints give 50, twice as many 75. Fewer than none gives 0. */
export function scoreOf(points: number, halfScorePoints: number): number {
  // 1 - 2^-x loses the digits of a small x; expm1 keeps them.
  return points <= 0 ? 0 : -100 * Math.expm1((-points / halfScorePoints) * Math.LN2);
}

/** The points that give a score below 100; infinite for 100 and more, which no number of points gives. */
export function pointsForScore(score: number, halfScorePoints: number): number {
  return score >= 100 ? Infinity : (-halfScorePoints * Math.log1p(-score / 100)) / Math.LN2;
}
