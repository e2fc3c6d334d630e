/** The middle one of values that come as how often each is there; of an even number the mean of the two in the middle. Null of none. */
export function medianOf(counts: Iterable<readonly [value: number, count: number]>): number | null {
  const sorted = [...counts].toSorted(([one], [other]) => one - other);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  return (valueAt(sorted, Math.floor((total - 1) / 2)) + valueAt(sorted, Math.floor(total / 2))) / 2;
}

function valueAt(sorted: readonly (readonly [value: number, count: number])[], place: number): number {
  let passed = 0;
  for (const [value, count] of sorted) {
    passed += count;
    if (passed > place) return value;
  }
  throw new RangeError(`there are ${passed} values, and none at ${place}`);
}
