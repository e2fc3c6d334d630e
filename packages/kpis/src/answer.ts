import type { Span } from './calendar.ts';
import { chooseCurrency, inCurrency, type CurrencyChoice } from './currency.ts';
import type { KpiDefinition, KpiSettings } from './definition.ts';
import { known, missing, type Figure, type Outcome } from './figure.ts';
import { LAST_YEAR, PERIOD, PREVIOUS, SERIES, type Plan } from './plan.ts';

/** What a measure came to in one span: of everything, or of one segment; an amount of money by currency. */
export interface MeasuredRow {
  readonly measure: string;
  /** Index in the plan. */
  readonly span: number;
  /** '' for everything, else '=' and the segment's value, which is empty for what has none. */
  readonly segment: string;
  /** ISO 4217, or '' for amounts without one and for what is no money. */
  readonly currency: string;
  readonly value: number;
}

/** What a measure is in a span where it has no row: 0, or missing for a reason. */
export type WhenAbsent = 'zero' | { readonly reason: string };

export interface Measured {
  readonly rows: readonly MeasuredRow[];
  readonly measures: Readonly<Record<string, { readonly isMoney: boolean; readonly whenAbsent: WhenAbsent }>>;
}

export const COMPARISONS = ['previous', 'lastYear', 'none'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface Asked {
  readonly plan: Plan;
  /** ISO 4217; null for the only one there is. */
  readonly currency: string | null;
  readonly compare: Comparison;
  readonly parameters: Readonly<Record<string, string>>;
  readonly settings: KpiSettings;
  readonly segmentBy: string | null;
  /** Null while none is set. */
  readonly target: number | null;
}

export type SpanOutcome = Span & Outcome;

export interface SegmentOutcome extends Outcome {
  /** Null for what has no value there. */
  readonly segment: string | null;
  readonly previous: Outcome;
}

/** The difference from what the value is compared with; null where either is missing. */
export interface Change {
  readonly absolute: number | null;
  /** Of the value compared with, in percent; null where that is 0. */
  readonly percent: number | null;
  readonly reason: string | null;
}

export interface Benchmark {
  readonly previous: Figure & Span;
  readonly lastYear: Figure & Span;
  /** Unweighted mean of the segments that have a value. */
  readonly segmentMean: Figure;
  readonly target: Figure & { readonly met: boolean | null };
}

export interface KpiAnswer extends Outcome {
  readonly name: string;
  readonly title: string;
  readonly unit: KpiDefinition['unit'];
  readonly currency: string | null;
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
  readonly previous: SpanOutcome;
  readonly change: Change;
  readonly series: readonly SpanOutcome[];
  readonly segmentBy: string | null;
  /** The largest by denominator, else by value; at most `SEGMENTS_MAX`. */
  readonly segments: readonly SegmentOutcome[];
  readonly segmentsLeftOut: number;
  readonly benchmark: Benchmark;
}

export const SEGMENTS_MAX = 200;

/** Counts have no currency, whatever is asked for and whatever rates are set. */
const NO_MONEY: CurrencyChoice = { currency: null, reason: null };

type Cell = Map<string, Map<string, number>>;

/** The answer to what was asked, from what was measured. Pure: the same rows give the same answer. */
export function answerKpi(definition: KpiDefinition, asked: Asked, measured: Measured): KpiAnswer {
  const { plan, settings } = asked;
  const cells = cellsOf(measured);
  const isOfMoney = Object.values(measured.measures).some(({ isMoney }) => isMoney);
  const choice = isOfMoney ? chooseCurrency(asked.currency, currenciesOf(measured), settings.rates) : NO_MONEY;

  function outcomeOf(span: number, segment = ''): Outcome {
    const cell = cells.get(`${span}${segment}`);
    const inputs: Record<string, Figure> = {};
    for (const measure of Object.keys(measured.measures))
      inputs[measure] = figureOf(measured, measure, cell?.get(measure), choice, settings);
    const { from, months, to } = plan.spans[span]!;
    return definition.combine(inputs, { span: { from, to }, months, settings, parameters: asked.parameters });
  }
  const inSpan = (span: number): SpanOutcome => ({ from: plan.spans[span]!.from, to: plan.spans[span]!.to, ...outcomeOf(span) });

  const now = inSpan(PERIOD);
  const [previous, lastYear] = [inSpan(PREVIOUS), inSpan(LAST_YEAR)];
  const names = new Set(measured.rows.filter(({ segment, span }) => span === PERIOD && segment !== '').map(({ segment }) => segment));
  const segments = [...names].sort().map((name) => ({
    segment: name.slice(1) || null,
    ...outcomeOf(PERIOD, name),
    previous: outcomeOf(PREVIOUS, name),
  }));
  const largest = segments.toSorted((one, other) => sizeOf(other) - sizeOf(one)).slice(0, SEGMENTS_MAX);
  const { name, title, unit } = definition;
  const { timeZone } = plan;
  return {
    name,
    title,
    unit,
    currency: choice.currency,
    ...now,
    timeZone,
    previous,
    change: changeOf(
      now,
      asked.compare === 'none' ? missing('nothing to compare with was asked for') : asked.compare === 'previous' ? previous : lastYear,
    ),
    series: plan.spans.slice(SERIES).map((_, index) => inSpan(SERIES + index)),
    segmentBy: asked.segmentBy,
    segments: largest,
    segmentsLeftOut: segments.length - largest.length,
    benchmark: {
      previous: figureIn(previous),
      lastYear: figureIn(lastYear),
      segmentMean: meanOf(segments, asked.segmentBy),
      target: targetOf(asked.target, now, definition.better),
    },
  };
}

function cellsOf({ rows }: Measured): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const { currency, measure, segment, span, value } of rows) {
    const key = `${span}${segment}`;
    const cell = cells.get(key) ?? new Map<string, Map<string, number>>();
    cells.set(key, cell);
    const amounts = cell.get(measure) ?? new Map<string, number>();
    cell.set(measure, amounts.set(currency, (amounts.get(currency) ?? 0) + value));
  }
  return cells;
}

function currenciesOf({ measures, rows }: Measured): Set<string> {
  return new Set(rows.filter(({ measure }) => measures[measure]?.isMoney === true).map(({ currency }) => currency));
}

function figureOf(
  { measures }: Measured,
  measure: string,
  amounts: ReadonlyMap<string, number> | undefined,
  choice: CurrencyChoice,
  settings: KpiSettings,
): Figure {
  const { isMoney, whenAbsent } = measures[measure]!;
  if (amounts === undefined) return whenAbsent === 'zero' ? known(0) : missing(whenAbsent.reason);
  return isMoney ? inCurrency(amounts, choice, settings.rates) : known(amounts.get('') ?? 0);
}

function changeOf(now: Figure, before: Figure): Change {
  if (now.value === null || before.value === null) {
    return { absolute: null, percent: null, reason: now.value === null ? now.reason : before.reason };
  }
  const absolute = now.value - before.value;
  if (before.value === 0) return { absolute, percent: null, reason: 'the value compared with is 0' };
  return { absolute, percent: (absolute / Math.abs(before.value)) * 100, reason: null };
}

function sizeOf({ denominator, value }: SegmentOutcome): number {
  return denominator ?? value ?? -Infinity;
}

function figureIn({ from, reason, to, value }: SpanOutcome): Figure & Span {
  return { value, reason, from, to };
}

function meanOf(segments: readonly SegmentOutcome[], segmentBy: string | null): Figure {
  if (segmentBy === null) return missing('no segments were asked for');
  const values = segments.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return missing('no segment has a value');
  return known(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function targetOf(target: number | null, { value }: Figure, better: KpiDefinition['better']): Benchmark['target'] {
  if (target === null) return { ...missing('no target is set'), met: null };
  const isMet = value === null || better === null ? null : better === 'higher' ? value >= target : value <= target;
  return { ...known(target), met: isMet };
}
