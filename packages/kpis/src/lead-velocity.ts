/** Lead velocity rate: growth of qualified leads from month to month. */

export interface MonthCounts {
  /** Qualified leads of the month so far. */
  readonly thisMonth: number;
  /** Of the whole month before. */
  readonly lastMonth: number;
  /** Of the month before up to the same point of it. */
  readonly lastMonthToPoint: number;
  /** How much of this month is over, by time: 0 to 1. */
  readonly elapsed: number;
}

export interface LeadVelocity {
  /** (this month - last month) / last month x 100, in percent. While a month goes on this is what it comes to if nothing is added. */
  readonly value: number | null;
  /** The same against the month before up to the same point. */
  readonly paced: number | null;
  /** Qualified leads of this month at its end, if they go on to come as they did: counted so far / elapsed. Null within the first day. */
  readonly projectedLeads: number | null;
  /** (projected leads - last month) / last month x 100. */
  readonly projected: number | null;
  readonly reasons: { readonly [Figure in 'value' | 'paced' | 'projected']: string | null };
}

const NONE_LAST_MONTH = 'the month before has no qualified leads to compare with';
const NONE_TO_POINT = 'the month before has no qualified leads up to the same point';
const JUST_BEGUN = 'less than a day of the month is over';
/** A day of the longest month: from less, one lead more or less is a month's worth of them. */
const LEAST_ELAPSED = 1 / 31;

/** Null comes with its reason: growth from nothing is not a number. */
export function leadVelocity({ elapsed, lastMonth, lastMonthToPoint, thisMonth }: MonthCounts): LeadVelocity {
  const projectedLeads = elapsed >= LEAST_ELAPSED ? thisMonth / elapsed : null;
  const whyNone = lastMonth === 0 ? NONE_LAST_MONTH : null;
  return {
    value: growthPercent(thisMonth, lastMonth),
    paced: growthPercent(thisMonth, lastMonthToPoint),
    projectedLeads,
    projected: projectedLeads === null ? null : growthPercent(projectedLeads, lastMonth),
    reasons: {
      value: whyNone,
      paced: lastMonthToPoint === 0 ? NONE_TO_POINT : null,
      projected: projectedLeads === null ? JUST_BEGUN : whyNone,
    },
  };
}

function growthPercent(now: number, before: number): number | null {
  return before === 0 ? null : ((now - before) / before) * 100;
}
