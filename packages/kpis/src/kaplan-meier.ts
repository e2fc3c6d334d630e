/** How many stays of one length ended, and how many still went on at it. */
export interface StayCount {
  /** Length in whole hours. */
  readonly hours: number;
  readonly ended: number;
  readonly open: number;
}

/** A half, with room for what a product of some thousand factors is off. */
const HALF = 0.5 + 1e-9;

/**
 * Median length of stays, in hours, some of which still go on: the product-limit estimate (Kaplan and Meier, Nonparametric estimation from incomplete
 * observations, JASA 53, 1958). A stay that goes on says that it lasts at least so long; left out, or counted as over, it would make stays look shorter
 * than they are. Null where too many go on to tell.
 * @param stays one entry a length, the shortest first
 */
export function medianStayHours(stays: readonly StayCount[]): number | null {
  let atRisk = stays.reduce((sum, { ended, open }) => sum + ended + open, 0);
  let survival = 1;
  for (const { ended, hours, open } of stays) {
    survival *= 1 - ended / atRisk;
    if (survival <= HALF) return hours;
    atRisk -= ended + open;
  }
  return null;
}
