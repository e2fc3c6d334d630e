import type { StageFigures } from '@touchstone/store';

/** A half, with room for what a product of some thousand factors is off. */
const HALF = 0.5 + 1e-9;

/**
 * Median length of stays, in hours, some of which still go on: the product-limit estimate (Kaplan and Meier 1958). A stay that goes on says
 * that it lasts at least so long; left out, or counted as over, it would make stays look shorter than they are. Null where too many go on to tell.
 */
export function medianStayHours(stays: StageFigures['stays']): number | null {
  let atRisk = stays.reduce((sum, { ended, open }) => sum + ended + open, 0);
  let survival = 1;
  for (const { ended, hours, open } of stays) {
    survival *= 1 - ended / atRisk;
    if (survival <= HALF) return hours;
    atRisk -= ended + open;
  }
  return null;
}
