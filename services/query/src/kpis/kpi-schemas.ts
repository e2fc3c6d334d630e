import { answerKpi, DEFAULT_SETTINGS, planSpans, UNITS, type KpiAnswer } from '@touchstone/kpis';
import { KPIS, type StoredKpi } from '@touchstone/store';
import { z } from 'zod';
import { askedAt, time, timeText } from '../answers.ts';

/** The shapes of answers about KPIs. */

const number = z.number().nullable();
const figure = { value: number.describe('Null where it can not be told'), reason: z.string().nullable().describe('Why the value is null') };
const outcome = {
  ...figure,
  numerator: number,
  denominator: number,
  figures: z.record(z.string(), number).describe('What is told beside it, by the names under `definition.figures`'),
};
const span = { from: time, to: time.describe('Not in it any more') };

const spanSchema = z.object({ ...span, ...outcome }).meta({ id: 'KpiSpan' });
const benchmarkSchema = z.object({ ...figure, ...span });

const summary = {
  name: z.string(),
  title: z.string(),
  unit: z.enum(UNITS),
  currency: z.string().nullable().describe('ISO 4217; null where no amounts are in it, or none has a currency'),
  ...outcome,
  ...span,
  timeZone: z.string(),
  previous: spanSchema.describe('The period before: as many months before for one that begins with a month, else as many days or as long'),
  change: z
    .object({
      absolute: number.describe('In the unit of the value'),
      percent: number.describe('Of what it is compared with'),
      reason: z.string().nullable(),
    })
    .describe('From the value it is compared with, as `compare` says'),
};

export const kpiSchema = z
  .object({
    ...summary,
    series: z.array(spanSchema).describe('By `interval`; the first and the last are clipped to the period'),
    segmentBy: z.string().nullable(),
    segments: z
      .array(
        z.object({ segment: z.string().nullable().describe('Null for what has no value there'), ...outcome, previous: z.object(outcome) }),
      )
      .describe('The largest first'),
    segmentsLeftOut: z.int(),
    benchmark: z
      .object({
        previous: benchmarkSchema,
        lastYear: benchmarkSchema,
        segmentMean: z.object(figure).describe('Unweighted mean of the segments'),
        target: z.object({ ...figure, met: z.boolean().nullable() }),
      })
      .meta({ id: 'KpiBenchmark' }),
    computedFrom: z.enum(['store', 'ledgers']).describe('Stored facts and touches, or the live ledgers'),
    asOf: askedAt,
    definition: z
      .object({
        formula: z.string(),
        source: z.string(),
        inputs: z.array(z.string()),
        parameters: z.record(z.string(), z.string()).describe('As they were in force for this answer'),
        figures: z.record(z.string(), z.string()),
      })
      .meta({ id: 'KpiDefinition' }),
  })
  .meta({ id: 'Kpi' });

const elsewhereSchema = z.object({
  name: z.string(),
  title: z.string(),
  unit: z.enum(UNITS).describe('Of what is told first'),
  url: z.string().describe('Where it is served'),
  formula: z.string(),
});

export const kpiListSchema = z
  .object({
    ...span,
    timeZone: z.string(),
    asOf: askedAt.describe(`Of the oldest of them. ${askedAt.description}`),
    data: z.array(z.object(summary)),
    elsewhere: z.array(elsewhereSchema).describe('What is more than one number: by stage, by campaign, or held against something'),
  })
  .meta({ id: 'Kpis' });

/** KPIs that are tables of their own. */
export const ELSEWHERE: readonly z.input<typeof elsewhereSchema>[] = [
  {
    name: 'funnel',
    title: 'Funnel',
    unit: 'count',
    url: '/v1/journey',
    formula:
      'Per stage: balance = balance before + entered - left; conversion is the share of those that entered and went on; mean days of those that left, median days with those that stay ' +
      'counted as at least so long (Kaplan-Meier); stalled are those in it for 30 days or longer.',
  },
  {
    name: 'attribution',
    title: 'Attribution',
    unit: 'count',
    url: '/v1/attribution',
    formula:
      'Credit of opportunities by first, last, linear, U-shaped, W-shaped and time decay, per campaign, channel, creative, kind and role; the credit of an opportunity adds up to 1.',
  },
  {
    name: 'benchmark',
    title: 'Benchmark',
    unit: 'percent',
    url: '/v1/kpis/{name}',
    formula: 'Each KPI against the period before, the same period of the year before, the mean of its segments and a target that was set.',
  },
];

/** Columns of the list as CSV. */
export const LIST_COLUMNS = [
  'name',
  'title',
  'unit',
  'currency',
  'value',
  'numerator',
  'denominator',
  'previous',
  'change',
  'reason',
] as const;
/** Columns of one KPI as CSV: the period, then the series, then the segments. */
export const KPI_COLUMNS = ['from', 'to', 'segment', 'value', 'numerator', 'denominator', 'reason'] as const;

export interface Told {
  readonly computedFrom: 'store' | 'ledgers';
  readonly asOf: number;
  readonly parameters: Readonly<Record<string, string>>;
}

export function kpiAnswer(kpi: StoredKpi, answer: KpiAnswer, { asOf, computedFrom, parameters }: Told): z.input<typeof kpiSchema> {
  const { benchmark, segments, segmentsLeftOut, series } = answer;
  return {
    ...summaryAnswer(answer),
    series: series.map(inTimes),
    segmentBy: answer.segmentBy,
    segments: [...segments],
    segmentsLeftOut,
    benchmark: { ...benchmark, previous: inTimes(benchmark.previous), lastYear: inTimes(benchmark.lastYear) },
    computedFrom,
    asOf: timeText(asOf),
    definition: {
      formula: kpi.formula,
      source: kpi.source,
      inputs: [...kpi.inputs],
      parameters: { ...parameters },
      figures: { ...kpi.figures },
    },
  };
}

export function summaryAnswer(answer: KpiAnswer) {
  const { change, currency, denominator, figures, from, name, numerator, previous, reason, timeZone, title, to, unit, value } = answer;
  const spanned = inTimes({ from, to, value, reason, numerator, denominator, figures });
  return { name, title, unit, currency, ...spanned, timeZone, previous: inTimes(previous), change };
}

function inTimes<Spanned extends { readonly from: number; readonly to: number }>(spanned: Spanned) {
  return { ...spanned, from: timeText(spanned.from), to: timeText(spanned.to) };
}

/** The worked example of a KPI as an answer, of March 2026. */
function exampleAnswer(kpi: StoredKpi): z.input<typeof kpiSchema> {
  const plan = planSpans({ from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 3, 1) }, null, 'UTC')!;
  const parameters = Object.fromEntries(
    Object.entries(kpi.parameters ?? {}).map(([name, { default: usual, values }]) => [name, usual ?? values[0]!]),
  );
  const rows = Object.entries(kpi.example.inputs).map(([measure, value]) => ({
    measure,
    span: 0,
    segment: '',
    currency: kpi.measures[measure]?.isMoney === true ? 'EUR' : '',
    value,
  }));
  const whenAbsent = { reason: 'nothing is known of the period' };
  const measures = Object.fromEntries(Object.entries(kpi.measures).map(([name, { isMoney }]) => [name, { isMoney, whenAbsent }]));
  const settings = { ...DEFAULT_SETTINGS, grossMargin: 0.8 };
  const asked = { plan, currency: null, compare: 'previous', parameters, settings, segmentBy: null, target: null } as const;
  return kpiAnswer(kpi, answerKpi(kpi, asked, { rows, measures }), { asOf: Date.UTC(2026, 3, 2), computedFrom: 'store', parameters });
}

export const KPI_EXAMPLES = Object.fromEntries(KPIS.map((kpi) => [kpi.name, { summary: kpi.title, value: exampleAnswer(kpi) }]));
