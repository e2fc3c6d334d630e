import type { PartitionLedgers } from '../ledgers.ts';
import { dayOf } from '../time-slots.ts';
import type { DayRange } from './account-figures.ts';

export interface AheadPoints {
  readonly account: number;
  /** Row + 1; 0 for nobody known. */
  readonly contact: number;
  /** Without the contact's multiplier. */
  readonly points: number;
}

/**
 * By creative, of touches dated ahead in these days: what the decayed sums give too much for them as of an instant, epoch ms. Such a touch counts at age 0 until its
 * time comes; the sums have it grow above its worth.
 */
export function aheadPointsOf(
  { ahead, decay }: PartitionLedgers,
  { from, to }: DayRange,
  asOf: number,
): ReadonlyMap<number, readonly AheadPoints[]> {
  const byCreative = new Map<number, AheadPoints[]>();
  for (let row = 1; row <= ahead.count; row++) {
    const occurredAt = ahead.occurredAt[row]!;
    const creative = ahead.creative[row]!;
    if (occurredAt <= asOf || creative === 0 || dayOf(occurredAt) < from || dayOf(occurredAt) > to) continue;
    const points = ahead.worth[row]! * (decay.weight(occurredAt) - decay.weight(asOf)) * decay.factor(asOf);
    const known = byCreative.get(creative);
    const one = { account: ahead.accountOf(row), contact: ahead.contact[row]!, points };
    if (known === undefined) byCreative.set(creative, [one]);
    else known.push(one);
  }
  return byCreative;
}
