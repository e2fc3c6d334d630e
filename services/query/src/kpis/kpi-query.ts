import { COMPARISONS, INTERVALS, isTimeZone, monthToDate, planSpans, SERIES_MAX, type Asked, type KpiSettings } from '@touchstone/kpis';
import { ProblemError } from '@touchstone/runtime';
import { DIMENSIONS, KPIS, type Dimension, type KpiTarget, type StoredKpi } from '@touchstone/store';
import { z } from 'zod';
import { instant } from '../query-parameters.ts';

/** What a KPI is asked by: period, zone, interval, currency, filters, segments, and the parameters of its own. */

const FILTER_VALUES_MAX = 50;
const FILTER_PREFIX = 'filter.';

const filterValue = z.string().max(128);
const filter = z.union([filterValue, z.array(filterValue).max(FILTER_VALUES_MAX)]).optional();

const filters = Object.fromEntries(
  DIMENSIONS.map((dimension) => [
    `${FILTER_PREFIX}${dimension}`,
    filter.describe(`Only where ${dimension} is this; several times for any of them`),
  ]),
);

/** Parameters of single KPIs, by name: all values that any of them takes. */
const parameters = Object.fromEntries(
  [...new Set(KPIS.flatMap((kpi) => Object.keys(kpi.parameters ?? {})))].map((name) => {
    const taking = KPIS.filter((kpi) => kpi.parameters?.[name] !== undefined);
    const values = [...new Set(taking.flatMap((kpi) => kpi.parameters?.[name]?.values ?? []))];
    const described = `${taking[0]?.parameters?.[name]?.describe}. Of ${taking.map((kpi) => kpi.name).join(', ')}`;
    return [name, z.enum(values).optional().describe(described)];
  }),
);

const period = {
  from: instant.optional().describe('Beginning of the period; default: of the current month'),
  to: instant.optional().describe('End of the period, not in it any more; default: now'),
  timeZone: z
    .string()
    .refine(isTimeZone, 'must be a time zone of the IANA database, such as Europe/Berlin')
    .default('UTC')
    .describe('Whose days, weeks, months and quarters are meant; an IANA name'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three capital letters, such as EUR')
    .optional()
    .describe('What amounts are told in; default: the only currency there is'),
  compare: z.enum(COMPARISONS).default('previous').describe('What `change` is the change from'),
};

export const kpiListQuery = z.strictObject({ ...period, ...filters });

export const kpiQuery = z.strictObject({
  ...period,
  interval: z
    .enum(INTERVALS)
    .optional()
    .describe(`A series by this comes with it, of at most ${SERIES_MAX} entries; weeks begin on Monday`),
  segmentBy: z.enum(DIMENSIONS).optional().describe('Each value of this comes with it as a segment'),
  ...filters,
  ...parameters,
});

export type KpiQueryInput = z.output<typeof kpiQuery>;

/** One question to the store, and what its answer is made with. */
export interface KpiQuestion {
  readonly kpi: StoredKpi;
  readonly asked: Asked;
  readonly filters: Readonly<Partial<Record<Dimension, readonly string[]>>>;
}

export interface QuestionSurroundings {
  readonly now: number;
  readonly settings: KpiSettings;
  readonly targets: ReadonlyMap<string, KpiTarget>;
}

/** @throws ProblemError `invalid_request` that names the parameter */
export function questionOf(kpi: StoredKpi, query: KpiQueryInput, { now, settings, targets }: QuestionSurroundings): KpiQuestion {
  const current = monthToDate(now, query.timeZone);
  const to = query.to ?? current.to;
  const from = query.from ?? (to > current.from ? current.from : monthToDate(to - 1, query.timeZone).from);
  if (to <= from) throw refused('to', 'must be after from');
  const plan = planSpans({ from, to }, query.interval ?? null, query.timeZone);
  if (plan === null) throw refused('interval', `a series has at most ${SERIES_MAX} entries: ask for a longer interval or a shorter period`);
  return {
    kpi,
    asked: {
      plan,
      currency: query.currency ?? null,
      compare: query.compare,
      parameters: parametersOf(kpi, query, settings),
      settings,
      segmentBy: query.segmentBy ?? null,
      target: targets.get(kpi.name)?.value ?? null,
    },
    filters: filtersOf(query),
  };
}

function parametersOf(kpi: StoredKpi, query: KpiQueryInput, settings: KpiSettings): Record<string, string> {
  const given = query as Readonly<Record<string, unknown>>;
  const own = kpi.parameters ?? {};
  const stranger = Object.keys(parameters).find((name) => given[name] !== undefined && own[name] === undefined);
  if (stranger !== undefined) throw refused(stranger, `is no parameter of ${kpi.name}`);
  return Object.fromEntries(
    Object.entries(own).map(([name, { default: usual, values }]) => {
      const value = given[name] ?? (name === 'qualifiedBy' ? settings.qualifiedBy : usual);
      if (typeof value !== 'string' || !values.includes(value)) throw refused(name, `of ${kpi.name} must be one of ${values.join(', ')}`);
      return [name, value];
    }),
  );
}

function filtersOf(query: object): KpiQuestion['filters'] {
  const given = Object.entries(query).flatMap(([key, value]) =>
    key.startsWith(FILTER_PREFIX) && value !== undefined ? [[key.slice(FILTER_PREFIX.length), [value].flat()] as const] : [],
  );
  return Object.fromEntries(given);
}

function refused(parameter: string, detail: string): ProblemError {
  const said = `${parameter} ${detail}`;
  return new ProblemError('invalid_request', said, { errors: [{ in: 'query', pointer: `#/${parameter}`, detail: said }] });
}
