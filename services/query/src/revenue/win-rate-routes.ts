import { chooseCurrency, inCurrency, medianOf, newcombe, salesVelocity, wilson, type Figure } from '@touchstone/kpis';
import { csvOf, prefersCsv } from '@touchstone/runtime';
import { OPPORTUNITY_DIMENSIONS, type OpportunityOutcomes, type OutcomeQuery } from '@touchstone/store';
import { z } from 'zod';
import { askedAt, time, timeText } from '../answers.ts';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import type { KeptAnswers } from '../kept-answers.ts';
import { currency, filtersOf, opportunityFilters, period, periodOf } from './revenue-query.ts';

const CSV = 'text/csv; charset=utf-8';
const DAY_MS = 86_400_000;

const winRatesQuery = z.strictObject({
  ...period,
  by: z
    .enum(OPPORTUNITY_DIMENSIONS)
    .default('targetList')
    .describe('What opportunities are compared by; targetList holds the target list against the rest'),
  currency,
  ...opportunityFilters,
});

const interval = z.object({ low: z.number(), high: z.number() }).nullable();
const figures = {
  won: z.int().describe('Closed in the period as won'),
  lost: z.int(),
  open: z.int().describe('Open at the end of the period'),
  created: z.int().describe('Made in the period'),
  winRate: z.number().nullable().describe('won / (won + lost); null where none was closed'),
  winRateInterval: interval.describe('That covers the true rate in 95 of 100 samples (Wilson)'),
  meanCycleDays: z.number().nullable().describe('Of those won, from creation to close'),
  medianCycleDays: z.number().nullable().describe('To the hour'),
  withoutCycle: z.int().describe('Of those won: closed before they were made, as far as is told, and so left out of the days'),
  revenue: z.number().nullable().describe('Amounts of those won'),
  meanValue: z.number().nullable().describe('Of those won that have an amount'),
  velocity: z.number().nullable().describe('Money a day: opportunities open or closed in the period x winRate x meanValue / meanCycleDays'),
  reason: z
    .string()
    .nullable()
    .describe('Why there is no velocity, and no amounts where they can not be told in one currency; null where there is one'),
};
const groupSchema = z.object({
  group: z.string().nullable().describe('Null for what has none'),
  ...figures,
  winRateDifference: z.number().nullable().describe('Its rate less that of all others'),
  winRateDifferenceInterval: interval.describe('Where it holds 0, the two may well be the same (Newcombe)'),
});

const answerSchema = z
  .object({
    from: time,
    to: time,
    asOf: askedAt,
    by: z.enum(OPPORTUNITY_DIMENSIONS),
    currency: z.string().nullable(),
    ...figures,
    groups: z.array(groupSchema).describe('Those with the most closed opportunities first'),
  })
  .meta({ id: 'WinRates' });

const EXAMPLE_FIGURES = {
  won: 30,
  lost: 20,
  open: 40,
  created: 60,
  winRate: 0.6,
  winRateInterval: { low: 0.462, high: 0.724 },
  meanCycleDays: 45,
  medianCycleDays: 38,
  withoutCycle: 0,
  revenue: 300_000,
  meanValue: 10_000,
  velocity: 12_000,
  reason: null,
};
const EXAMPLE = {
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-04-01T00:00:00.000Z',
  asOf: '2026-04-02T00:00:00.000Z',
  by: 'targetList',
  currency: 'EUR',
  ...EXAMPLE_FIGURES,
  groups: [{ group: 'true', ...EXAMPLE_FIGURES, winRateDifference: 0.2, winRateDifferenceInterval: { low: -0.07, high: 0.43 } }],
} satisfies z.input<typeof answerSchema>;

interface Options extends Pick<QueryOptions, 'kpiSettings' | 'store'> {
  readonly kept: KeptAnswers;
}

/** How opportunities of one kind do against the others. */
export function registerWinRateRoutes(app: QueryApp, { kept, kpiSettings, store }: Options): void {
  app.get(
    '/v1/win-rates',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getWinRates',
        summary: 'Win rate, cycle and value of opportunities, the target list against the rest, with intervals',
        description:
          'Of opportunities closed in the period, by their newest version. Small samples mislead, so that rates come with intervals. With `Accept: text/csv` as lines.',
        tags: ['kpis'],
        querystring: winRatesQuery,
        response: {
          200: {
            description: 'The figures of all opportunities and of each group',
            content: {
              'application/json': { schema: answerSchema, example: EXAMPLE } as { schema: typeof answerSchema },
              'text/csv': { schema: z.string(), description: 'All, then one line a group' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { by, currency: asked, ...query } = request.query;
      const {
        answer: { rows, wanted },
        asOf,
      } = await kept.get(['outcomes', query, by], async (now) => {
        const wanted: OutcomeQuery = { ...periodOf(query, now), filters: filtersOf(query), by };
        return { wanted, rows: await store.outcomes(wanted) };
      });
      const present = new Set(rows.filter(({ wonWithAmount }) => wonWithAmount > 0).map((row) => row.currency));
      const choice = chooseCurrency(asked ?? null, present, kpiSettings.rates);
      const revenueOf = (some: readonly OpportunityOutcomes[]): Figure => {
        const sums = new Map<string, number>();
        for (const row of some) if (row.wonWithAmount > 0) sums.set(row.currency, (sums.get(row.currency) ?? 0) + row.wonAmount);
        return inCurrency(sums, choice, kpiSettings.rates);
      };
      const groups = [...Map.groupBy(rows, ({ group }) => group)].map(([group, some]) => {
        const others = rows.filter((row) => row.group !== group);
        const [one, rest] = [sampleOf(some), sampleOf(others)];
        return {
          group: group || null,
          ...figuresOf(some, revenueOf(some)),
          winRateDifference: one.trials === 0 || rest.trials === 0 ? null : one.successes / one.trials - rest.successes / rest.trials,
          winRateDifferenceInterval: newcombe(one, rest),
        };
      });
      const answer = {
        from: timeText(wanted.from),
        to: timeText(wanted.to),
        asOf: timeText(asOf),
        by,
        currency: choice.currency,
        ...figuresOf(rows, revenueOf(rows)),
        groups: groups.toSorted((one, other) => other.won + other.lost - one.won - one.lost),
      };
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(answer);
      const lines = [{ ...answer, group: '' }, ...answer.groups.map(({ group, ...rest }) => ({ ...rest, group: group ?? '(none)' }))];
      return reply.type(CSV).serializer(String).send(csvOf(COLUMNS, lines));
    },
  );
}

function sampleOf(rows: readonly OpportunityOutcomes[]): { successes: number; trials: number } {
  const won = sum(rows, 'won');
  return { successes: won, trials: won + sum(rows, 'lost') };
}

type Counted = 'won' | 'lost' | 'open' | 'created' | 'wonWithAmount' | 'wonTimed' | 'wonMs';

function sum(rows: readonly OpportunityOutcomes[], column: Counted): number {
  return rows.reduce((all, row) => all + row[column], 0);
}

/** Of `revenue` the reason is why amounts that there are can not be told. */
function figuresOf(rows: readonly OpportunityOutcomes[], revenue: Figure): z.input<z.ZodObject<typeof figures>> {
  const [won, lost, withAmount] = [sum(rows, 'won'), sum(rows, 'lost'), sum(rows, 'wonWithAmount')];
  const meanValue = revenue.value === null || withAmount === 0 ? null : revenue.value / withAmount;
  const timed = sum(rows, 'wonTimed');
  const meanCycleDays = timed === 0 ? null : sum(rows, 'wonMs') / timed / DAY_MS;
  const medianHours = medianOf(rows.flatMap(({ wonHours }) => wonHours));
  const { reason, value, winRate } = salesVelocity({
    closed: won + lost,
    won,
    inWork: sum(rows, 'open') + won + lost,
    meanValue,
    cycleDays: meanCycleDays,
  });
  return {
    won,
    lost,
    open: sum(rows, 'open'),
    created: sum(rows, 'created'),
    winRate,
    winRateInterval: wilson(won, won + lost),
    meanCycleDays,
    medianCycleDays: medianHours === null ? null : medianHours / 24,
    withoutCycle: won - timed,
    revenue: withAmount === 0 ? null : revenue.value,
    meanValue,
    velocity: value,
    reason: (withAmount > 0 ? revenue.reason : null) ?? reason,
  };
}

const COLUMNS = ['group', ...Object.keys(groupSchema.shape).filter((column) => column !== 'group' && !column.endsWith('Interval'))];
