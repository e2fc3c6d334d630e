/**
 * The two newest distinct days with an engaging touch are all that "engaged in the window that ends today" needs: touches are dated at most
 * an hour ahead of the log (older clocks than that are set aside), so of the days kept at most one lies after today.
 */
export function markEngagedDay(newest: Uint16Array, former: Uint16Array, row: number, day: number): void {
  const last = newest[row]!;
  if (day === last) return;
  if (day > last) {
    former[row] = last;
    newest[row] = day;
  } else if (day > former[row]!) former[row] = day;
}

/** Whether the row has an engaging touch from `first` to `last` (today), both included. */
export function engagedWithin(newest: Uint16Array, former: Uint16Array, row: number, first: number, last: number): boolean {
  const day = newest[row]! <= last ? newest[row]! : former[row]!;
  return day >= first && day !== 0;
}
