import { chooseCurrency, inCurrency, type KpiSettings } from '@touchstone/kpis';
import { csvOf, linkToNext, prefersCsv } from '@touchstone/runtime';
import { INFLUENCES, OPPORTUNITY_DIMENSIONS, type InfluenceScope } from '@touchstone/store';
import { z } from 'zod';
import { askedAt, time, timeText } from '../answers.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import { limit, TIME_MAX } from '../query-parameters.ts';
import { opportunityAnswer, opportunityFields } from './attribution-schemas.ts';
import type { KeptAnswers } from '../kept-answers.ts';
import { basisAnswer, basisSchema, type AmountOf, type Telling } from './influence-answers.ts';
import {
  currency,
  filtersOf,
  kindsOf,
  lookbackMsOf,
  opportunityFilters,
  PASSIVE_KINDS,
  period,
  periodOf,
  touchParameters,
} from './revenue-query.ts';

const CSV = 'text/csv; charset=utf-8';
const SOURCES_MAX = 100;

const scope = {
  ...period,
  ...touchParameters,
  marketingSources: z
    .string()
    .max(4000)
    .optional()
    .describe(
      'Sources of opportunities that are marketing’s own, with commas between, in any case; default: those of the settings, ads among them. Empty: the first touch alone decides who sourced one',
    ),
  ...opportunityFilters,
};
const by = z.enum(OPPORTUNITY_DIMENSIONS).optional().describe('Told by this besides');
const influenceQuery = z.strictObject({ ...scope, by, currency });
const listQuery = z.strictObject({
  basis: z.enum(['pipeline', 'revenue']).default('revenue').describe('Opportunities made in the period, or those won in it'),
  ...scope,
  influence: z
    .enum([...INFLUENCES, 'none'])
    .optional()
    .describe('Only those with this influence, or with none at all'),
  limit: limit(1000, 100),
  cursor: z.string().max(500).optional().describe('nextCursor of the page before; keep the other parameters'),
});

const answerSchema = z
  .object({
    from: time,
    to: time,
    lookbackDays: z.number(),
    asOf: askedAt,
    currency: z.string().nullable(),
    by: z.enum(OPPORTUNITY_DIMENSIONS).nullable(),
    pipeline: basisSchema.describe('Opportunities made in the period'),
    revenue: basisSchema.describe('Opportunities won in the period'),
  })
  .meta({ id: 'Influence' });

const pageSchema = z
  .object({
    data: z.array(
      z.object({
        ...opportunityFields,
        influenced: z.boolean(),
        responded: z.boolean(),
        sourced: z.boolean(),
        touches: z.int().describe('Of marketing, before it was made'),
        firstTouchAt: time.nullable(),
        lastTouchAt: time.nullable(),
      }),
    ),
    nextCursor: z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last'),
  })
  .meta({ id: 'InfluencedOpportunityPage' });

const place = z.object({ at: z.int().min(0).max(TIME_MAX), id: z.string().max(128) });

const noPart = { opportunities: 0, amount: 0, percentOfOpportunities: 0, percentOfAmount: 0, reason: null };
const EXAMPLE = {
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-04-01T00:00:00.000Z',
  lookbackDays: 90,
  asOf: '2026-04-02T00:00:00.000Z',
  currency: 'EUR',
  by: null,
  pipeline: {
    opportunities: 40,
    amount: 400_000,
    withoutAmount: 0,
    reason: null,
    influenced: { opportunities: 30, amount: 320_000, percentOfOpportunities: 75, percentOfAmount: 80, reason: null },
    responded: { opportunities: 24, amount: 280_000, percentOfOpportunities: 60, percentOfAmount: 70, reason: null },
    sourced: { opportunities: 10, amount: 100_000, percentOfOpportunities: 25, percentOfAmount: 25, reason: null },
    groups: [],
  },
  revenue: {
    opportunities: 8,
    amount: 90_000,
    withoutAmount: 1,
    reason: null,
    influenced: noPart,
    responded: noPart,
    sourced: noPart,
    groups: [],
  },
} satisfies z.input<typeof answerSchema>;

interface Options extends Pick<QueryOptions, 'kpiSettings' | 'store'> {
  readonly kept: KeptAnswers;
}

/** Which opportunities marketing had a part in. */
export function registerInfluenceRoutes(app: QueryApp, options: Options): void {
  const { kept, kpiSettings, store } = options;

  app.get(
    '/v1/influence',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getInfluence',
        summary: 'Pipeline and revenue that marketing influenced, got a response in, and sourced',
        description:
          'By touches before the opportunity was made, both for opportunities made in the period and for those won in it. With `Accept: text/csv` as lines.',
        tags: ['kpis'],
        querystring: influenceQuery,
        response: {
          200: {
            description: 'The influence',
            content: {
              'application/json': { schema: answerSchema, example: EXAMPLE } as { schema: typeof answerSchema },
              'text/csv': { schema: z.string(), description: 'One line a basis, group and influence' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { currency, ...query } = request.query;
      const {
        answer: { asked, isTouched, made, won },
        asOf,
      } = await kept.get(['influence', query], async (now) => {
        const asked = { ...scopeOf(query, now, kpiSettings), by: query.by ?? null };
        const [made, won] = await Promise.all((['created', 'won'] as const).map((basis) => store.influence({ ...asked, basis })));
        return { asked, made: made!, won: won!, isTouched: await store.hasTouches() };
      });
      const present = new Set([...made, ...won].filter(({ hundredths }) => hundredths !== 0).map((row) => row.currency));
      const choice = chooseCurrency(currency ?? null, present, kpiSettings.rates);
      const amountOf: AmountOf = (sums) => {
        const { reason, value } = inCurrency(sums, choice, kpiSettings.rates);
        return { amount: value === null ? null : value / 100, reason };
      };
      const tell: Telling = { amountOf, isTouched, bySource: asked.marketingSources.length > 0 };
      const answer = {
        from: timeText(asked.from),
        to: timeText(asked.to),
        lookbackDays: query.lookbackDays,
        asOf: timeText(asOf),
        currency: choice.currency,
        by: asked.by,
        pipeline: basisAnswer(made, asked.by !== null, tell),
        revenue: basisAnswer(won, asked.by !== null, tell),
      };
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send(answer);
      const lines = [...csvLines('pipeline', answer.pipeline), ...csvLines('revenue', answer.revenue)];
      return reply.type(CSV).serializer(String).send(csvOf(COLUMNS, lines));
    },
  );

  app.get(
    '/v1/influence/opportunities',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listInfluencedOpportunities',
        summary: 'The opportunities behind the influence, the latest first',
        description: 'With `Accept: text/csv` the page comes as CSV.',
        tags: ['kpis'],
        querystring: listQuery,
        response: {
          200: {
            description: 'A page of opportunities',
            content: {
              'application/json': { schema: pageSchema },
              'text/csv': { schema: z.string(), description: 'The same as CSV' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { basis, cursor, influence, limit: most, ...query } = request.query;
      const page = {
        basis: basis === 'pipeline' ? ('created' as const) : ('won' as const),
        limit: most + 1,
        ...(influence !== undefined && { influence }),
        ...(cursor !== undefined && { after: decodeCursor(cursor, place) }),
      };
      const { answer: found } = await kept.get(['influenced', query, page], async (now) =>
        store.influencedOpportunities({ ...scopeOf(query, now, kpiSettings), ...page }),
      );
      const shown = found.slice(0, most);
      const last = found.length > most ? shown.at(-1)! : null;
      const nextCursor = last && encodeCursor({ at: last.at, id: last.id });
      const data = shown.map(({ firstTouchAt, influenced, lastTouchAt, responded, sourced, touches, ...opportunity }) => ({
        ...opportunityAnswer(opportunity),
        influenced,
        responded,
        sourced,
        touches,
        firstTouchAt: firstTouchAt === null ? null : timeText(firstTouchAt),
        lastTouchAt: lastTouchAt === null ? null : timeText(lastTouchAt),
      }));
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      return reply
        .type(CSV)
        .serializer(String)
        .send(csvOf(Object.keys(pageSchema.shape.data.element.shape), data));
    },
  );
}

interface ScopeInput {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly lookbackDays: number;
  readonly kinds?: string | undefined;
  readonly marketingSources?: string | undefined;
}

function scopeOf(
  query: ScopeInput,
  now: number,
  { adSources, marketingSources }: Pick<KpiSettings, 'adSources' | 'marketingSources'>,
): Omit<InfluenceScope, 'basis'> {
  const sources =
    query.marketingSources === undefined
      ? [...marketingSources, ...adSources]
      : query.marketingSources.split(',').map((source) => source.trim().toLowerCase());
  return {
    ...periodOf(query, now),
    filters: filtersOf(query),
    lookbackMs: lookbackMsOf(query),
    kinds: kindsOf(query.kinds),
    passiveKinds: PASSIVE_KINDS,
    marketingSources: sources.filter((source) => source !== '').slice(0, SOURCES_MAX),
  };
}

const COLUMNS = ['basis', 'group', 'influence', 'opportunities', 'amount', 'percentOfOpportunities', 'percentOfAmount', 'reason'];

function csvLines(basis: string, { groups, ...whole }: z.input<typeof basisSchema>) {
  return [{ group: null, ...whole }, ...groups.map(({ group, ...rest }) => ({ ...rest, group: group ?? '(none)' }))].flatMap((one) => [
    { basis, group: one.group, influence: 'all', opportunities: one.opportunities, amount: one.amount, reason: one.reason },
    ...INFLUENCES.map((influence) => ({ basis, group: one.group, influence, ...one[influence] })),
  ]);
}
