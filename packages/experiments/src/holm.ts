/**
 * p-values corrected for being several, in their order (Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
 * Statistics 6(2), 1979): the probability that any of those below a level is wrong is at most the level. It asks nothing of how they depend on each
 * other, and of always-valid p-values it holds at whatever instant they are read together.
 */
export function holm(pValues: readonly number[]): number[] {
  const corrected = pValues.map(() => 1);
  let largest = 0;
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  for (const [rank, at] of order.entries()) {
    largest = Math.max(largest, Math.min(1, pValues[at]! * (pValues.length - rank)));
    corrected[at] = largest;
  }
  return corrected;
}
