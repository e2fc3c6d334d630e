export { ATTRIBUTION_MODELS, CREDIT_UNITS, creditsOf } from './attribution.ts';
export type { AttributionModel, TouchPath } from './attribution.ts';
export { stageFlow } from './flow.ts';
export type { StageCounts, StageFlow } from './flow.ts';
export { newcombe, wilson } from './intervals.ts';
export type { ConfidenceInterval } from './intervals.ts';
export { medianStayHours } from './kaplan-meier.ts';
export type { StayCount } from './kaplan-meier.ts';
export { leadVelocity } from './lead-velocity.ts';
export type { LeadVelocity, MonthCounts } from './lead-velocity.ts';
export { salesVelocity } from './sales-velocity.ts';
export type { SalesCounts, SalesVelocity } from './sales-velocity.ts';
export { answerKpi, COMPARISONS, SEGMENTS_MAX } from './answer.ts';
export type {
  Asked,
  Benchmark,
  Change,
  Comparison,
  KpiAnswer,
  Measured,
  MeasuredRow,
  SegmentOutcome,
  SpanOutcome,
  WhenAbsent,
} from './answer.ts';
export { INTERVALS, isTimeZone, monthToDate } from './calendar.ts';
export type { Interval, Span } from './calendar.ts';
export { DEFAULT_SETTINGS, QUALIFIED_BY, UNITS } from './definition.ts';
export type { CombineContext, KpiDefinition, KpiParameter, KpiSettings, QualifiedBy, Unit } from './definition.ts';
export { either, known, minus, missing, outcome, plus, product, quotient, ratio } from './figure.ts';
export type { Figure, Outcome } from './figure.ts';
export { PERIOD, planSpans, SERIES_MAX } from './plan.ts';
export type { AskedSpan, Plan } from './plan.ts';
export { chooseCurrency, inCurrency } from './currency.ts';
export type { Amounts, CurrencyChoice } from './currency.ts';
export { monthPace, monthsUpTo } from './month-pace.ts';
export type { MonthPace } from './month-pace.ts';
export { medianOf } from './median.ts';
export { whyUnqualified } from './unqualified.ts';
