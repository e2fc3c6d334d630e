import { leadVelocity, type LeadVelocity, type MonthCounts } from '@touchstone/kpis';
import type { QualifiedLeadRow } from '@touchstone/store';

/** Places of the spans that an answer asks for; those after are of its series, the latest month first. */
const TO_DATE = 0;
const LAST_MONTH = 1;
const LAST_MONTH_TO_POINT = 2;
export const SERIES = 3;

/** Counts of leads by span, segment and model. */
export type Counted = Pick<QualifiedLeadRow, 'count' | 'modelVersion' | 'segment' | 'span'>;

function total(rows: readonly Counted[], span: number): number {
  return rows.reduce((sum, row) => (row.span === span ? sum + row.count : sum), 0);
}

function velocityOf(rows: readonly Counted[], elapsed: number): MonthCounts & LeadVelocity {
  const counts = {
    thisMonth: total(rows, TO_DATE),
    lastMonth: total(rows, LAST_MONTH),
    lastMonthToPoint: total(rows, LAST_MONTH_TO_POINT),
    elapsed,
  };
  return { ...counts, ...leadVelocity(counts) };
}

export function velocityAnswer(rows: readonly Counted[], elapsed: number) {
  const { elapsed: _, ...rest } = velocityOf(rows, elapsed);
  return rest;
}

/** Where nobody knows who is qualified. */
export function unknownVelocity(reason: string) {
  const none = {
    thisMonth: null,
    lastMonth: null,
    lastMonthToPoint: null,
    value: null,
    paced: null,
    projectedLeads: null,
    projected: null,
  };
  return { ...none, reasons: { value: reason, paced: reason, projected: reason } };
}

export type VelocityAnswer = ReturnType<typeof velocityAnswer>;

/** Of each segment; together they come to the whole. The largest first. */
export function segmentAnswers(rows: readonly Counted[], elapsed: number): (VelocityAnswer & { segment: string | null })[] {
  const segments = [...Map.groupBy(rows, ({ segment }) => segment)].map(([segment, some]) => ({
    segment: segment || null,
    ...velocityAnswer(some, elapsed),
  }));
  return segments.toSorted((one, other) => other.thisMonth + other.lastMonth - one.thisMonth - one.lastMonth);
}

/** By the model that qualified them then: several say that the definition moved. */
export function modelAnswers(rows: readonly Counted[]) {
  const known = rows.filter(({ modelVersion, span }) => modelVersion !== '' && span <= LAST_MONTH);
  return [...Map.groupBy(known, ({ modelVersion }) => modelVersion)].map(([modelVersion, some]) => ({
    modelVersion,
    thisMonth: total(some, TO_DATE),
    lastMonth: total(some, LAST_MONTH),
  }));
}

/** Months, the latest first, each with its growth from the one before; the last span is there for that alone. */
export function seriesAnswer(rows: readonly Counted[], months: readonly string[]) {
  return months.slice(0, -1).map((month, back) => {
    const qualifiedLeads = total(rows, SERIES + back);
    const { reasons, value } = leadVelocity({
      thisMonth: qualifiedLeads,
      lastMonth: total(rows, SERIES + back + 1),
      lastMonthToPoint: 0,
      elapsed: 1,
    });
    return { month, qualifiedLeads, value, reason: reasons.value };
  });
}

/** Instants as counts: an account counts once in a span, as among the leads that are stored. */
export function countSpans(
  qualifications: readonly { readonly accountId: string; readonly at: number }[],
  spans: readonly { readonly from: number; readonly to: number }[],
  segmentOf: (accountId: string) => string | null,
): Counted[] {
  return spans.flatMap(({ from, to }, span) => {
    const accounts = new Set(qualifications.filter(({ at }) => at >= from && at < to).map(({ accountId }) => accountId));
    const bySegment = Map.groupBy(accounts, segmentOf);
    return [...bySegment].flatMap(([segment, some]) => (segment === null ? [] : [{ span, segment, modelVersion: '', count: some.length }]));
  });
}
