/**
 * Points nearer to 0 than this are 0, wherever they are served or compared. What is left of a touch after hundreds of half-lives lies outside of the
 * range that sums are kept in, and how much of it is lost there depends on where the landmark of the decay stood (see decay.ts), so on other accounts'
 * touches. A sum that lost anything is below 2^-1022, and at any instant that can be asked for at most 2^501 times that in points. So it is 0, and
 * all else has the same bits whatever the landmark.
 */
export const POINTS_LEAST = 2 ** -200;

/** The points, or 0 for what is too little to be any. */
export function pointsOrNone(points: number): number {
  return points < POINTS_LEAST && points > -POINTS_LEAST ? 0 : points;
}

/** Points mapped to 0-100: halfScorePoints give 50, twice as many 75. Fewer than none gives 0. */
export function scoreOf(points: number, halfScorePoints: number): number {
  // 1 - 2^-x loses the digits of a small x; expm1 keeps them.
  return points <= 0 ? 0 : -100 * Math.expm1((-points / halfScorePoints) * Math.LN2);
}

/** The points that give a score below 100; infinite for 100 and more, which no number of points gives. */
export function pointsForScore(score: number, halfScorePoints: number): number {
  return score >= 100 ? Infinity : (-halfScorePoints * Math.log1p(-score / 100)) / Math.LN2;
}
