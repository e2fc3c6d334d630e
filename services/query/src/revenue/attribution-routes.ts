import { ATTRIBUTION_MODELS, creditsOf, CREDIT_UNITS, type AttributionModel } from '@touchstone/kpis';
import { csvOf, linkToNext, prefersCsv, ProblemError } from '@touchstone/runtime';
import { TOUCH_DIMENSIONS, type AttributionQuery, type CreditScope, type OpportunityTouches } from '@touchstone/store';
import { z } from 'zod';
import { timeText } from '../answers.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import type { QueryApp, QueryOptions } from '../query-options.ts';
import { days, limit, TIME_MAX } from '../query-parameters.ts';
import {
  ATTRIBUTION_EXAMPLE,
  attributionSchema,
  creditedPageSchema,
  opportunityAnswer,
  opportunityFields,
  pathSchema,
} from './attribution-schemas.ts';
import { byModel, creditTable, type CreditLine } from './credit-answers.ts';
import type { KeptAnswers } from '../kept-answers.ts';
import { currency, filtersOf, kindsOf, lookbackMsOf, opportunityFilters, period, periodOf, touchParameters } from './revenue-query.ts';

const CSV = 'text/csv; charset=utf-8';
const DAY_MS = 86_400_000;
const HALF_LIFE_DAYS = 7;

const basis = z
  .enum(['pipeline', 'revenue'])
  .default('revenue')
  .describe(
    'pipeline: opportunities made in the period, by touches before they were made. revenue: those won in it, by touches before they were closed',
  );
const model = z.enum(ATTRIBUTION_MODELS).default('linear').describe('By whose credit lines are ordered; all models are told');
const halfLifeDays = days(3660)
  .refine((value) => value >= 0.01, 'must be at least 0.01')
  .default(HALF_LIFE_DAYS)
  .describe(`Of time_decay: after so long a touch has half the weight; ${HALF_LIFE_DAYS} days by default`);
const by = z
  .enum(TOUCH_DIMENSIONS)
  .default('campaign')
  .describe('What of the touches the credit is told by; a role is that of the contact now');
const cursor = z.string().max(500).optional().describe('nextCursor of the page before; keep the other parameters');

const scope = { basis, ...period, ...touchParameters, halfLifeDays, ...opportunityFilters };
const attributionQuery = z.strictObject({ ...scope, by, model, currency, limit: limit(1000, 100), cursor });
const listQuery = z.strictObject({
  ...scope,
  by,
  key: z
    .string()
    .max(128)
    .optional()
    .describe(
      'Only opportunities that touches of this campaign, channel, creative, kind or role have a part in; empty for touches without one',
    ),
  unattributed: z.literal('true').optional().describe('Only opportunities that no touch has a part in'),
  limit: limit(1000, 100),
  cursor,
});
const pathQuery = z.strictObject({ basis, ...touchParameters, halfLifeDays });

const placeOfLine = z.object({ skip: z.int().min(0).max(10_000_000) });
const placeOfOpportunity = z.object({ at: z.int().min(0).max(TIME_MAX), id: z.string().max(128) });

const MODELS =
  'Models: `first` and `last` give all to one touch, `linear` the same to each, `u_shaped` 40 % to the first and to the last and 20 % to those between, `w_shaped` 30 % ' +
  'to the first, to the last one before the account’s first lead was made, to the last one before the opportunity was made, and 10 % to the rest; `time_decay` ' +
  'by half-life. Where a touch is missing for a milestone, or none is left for the rest, the others share in proportion. Credit of an opportunity always adds up to 1, and ' +
  'what no touch has a part in is told as a line of its own, so that the lines add up to the whole.';

interface Options extends Pick<QueryOptions, 'clock' | 'kpiSettings' | 'store'> {
  readonly kept: KeptAnswers;
}

/** Which touches the credit of opportunities is shared among. */
export function registerAttributionRoutes(app: QueryApp, options: Options): void {
  const { clock, kept, kpiSettings, store } = options;

  app.get(
    '/v1/attribution',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getAttribution',
        summary: 'The credit of opportunities by campaign, channel, creative, kind of touch or role, under six models',
        description: `${MODELS} With \`Accept: text/csv\` the lines come as CSV.`,
        tags: ['kpis'],
        querystring: attributionQuery,
        response: {
          200: {
            description: 'The lines with the most credit first',
            content: {
              'application/json': { schema: attributionSchema, example: ATTRIBUTION_EXAMPLE } as { schema: typeof attributionSchema },
              'text/csv': { schema: z.string(), description: 'The lines as CSV' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { currency, cursor: after, limit: most, model: first, ...query } = request.query;
      const {
        answer: { asked, rows },
        asOf,
      } = await kept.get(['attribution', query], async (now) => {
        const asked: AttributionQuery = { ...scopeOf(query, now), by: query.by };
        return { asked, rows: await store.attribution(asked) };
      });
      const table = creditTable(rows, currency ?? null, kpiSettings.rates);
      const lines = table.lines.toSorted(
        (one, other) => other.credit[first] - one.credit[first] || (orderOf(one) < orderOf(other) ? -1 : 1),
      );
      const skip = after === undefined ? 0 : decodeCursor(after, placeOfLine).skip;
      const page = lines.slice(skip, skip + most);
      const nextCursor = skip + most < lines.length ? encodeCursor({ skip: skip + most }) : null;
      reply.header('vary', 'accept');
      if (prefersCsv(request.headers.accept)) {
        if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
        return reply
          .type(CSV)
          .serializer(String)
          .send(csvOf(LINE_COLUMNS, page.map(csvLine)));
      }
      const { attributed, amount, choice, opportunities, reason, unattributed, withoutAmount } = table;
      return reply.send({
        basis: query.basis,
        from: timeText(asked.from),
        to: timeText(asked.to),
        by: query.by,
        lookbackDays: query.lookbackDays,
        halfLifeDays: query.halfLifeDays,
        asOf: timeText(asOf),
        currency: choice.currency,
        reason,
        opportunities,
        amount,
        withoutAmount,
        attributed,
        unattributed,
        data: page.map(({ key, ...line }) => ({ key: key || null, isAttributed: key !== null, ...line })),
        nextCursor,
      });
    },
  );

  app.get(
    '/v1/attribution/opportunities',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listCreditedOpportunities',
        summary: 'The opportunities behind a line of the attribution, the latest first',
        description: 'With `Accept: text/csv` the page comes as CSV.',
        tags: ['kpis'],
        querystring: listQuery,
        response: {
          200: {
            description: 'A page of opportunities',
            content: {
              'application/json': { schema: creditedPageSchema },
              'text/csv': { schema: z.string(), description: 'The same as CSV' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { cursor: after, key, limit: most, unattributed, ...query } = request.query;
      const page = {
        by: query.by,
        limit: most + 1,
        ...(after !== undefined && { after: decodeCursor(after, placeOfOpportunity) }),
        ...(key !== undefined && { key }),
        ...(unattributed !== undefined && { key: null }),
      };
      const { answer: found } = await kept.get(['credited', query, page], async (now) =>
        store.creditedOpportunities({ ...scopeOf(query, now), ...page }),
      );
      const shown = found.slice(0, most);
      const last = found.length > most ? shown.at(-1)! : null;
      const nextCursor = last && encodeCursor({ at: last.at, id: last.id });
      const data = shown.map(({ touches, touchesOfKey, units, ...opportunity }) => ({
        ...opportunityAnswer(opportunity),
        touches,
        touchesOfKey,
        credit: byModel((one) => units[one] / CREDIT_UNITS),
      }));
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      return reply
        .type(CSV)
        .serializer(String)
        .send(
          csvOf(
            OPPORTUNITY_COLUMNS,
            data.map(({ credit, ...row }) => ({ ...row, ...prefixed('credit', credit) })),
          ),
        );
    },
  );

  app.get(
    '/v1/attribution/opportunities/:opportunityId',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getOpportunityTouches',
        summary: 'One opportunity, with the touches that have a part in it and what each gets',
        description: MODELS,
        tags: ['kpis'],
        params: z.object({ opportunityId: z.string().min(1).max(128) }),
        querystring: pathQuery,
        response: { 200: pathSchema },
      },
    },
    async (request) => {
      const { basis: wanted, kinds, ...query } = request.query;
      const cut = wanted === 'pipeline' ? ('created' as const) : ('closed' as const);
      const asked = { id: request.params.opportunityId, cut, lookbackMs: lookbackMsOf(query), kinds: kindsOf(kinds), now: clock() };
      const found = await store.opportunityTouches(asked);
      if (found === null) throw new ProblemError('not_found', 'there is no opportunity with this id');
      return pathAnswer(found, query.halfLifeDays * DAY_MS);
    },
  );
}

interface ScopeInput {
  readonly basis: 'pipeline' | 'revenue';
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly lookbackDays: number;
  readonly halfLifeDays: number;
  readonly kinds?: string | undefined;
}

function scopeOf(query: ScopeInput, now: number): CreditScope {
  const isPipeline = query.basis === 'pipeline';
  return {
    basis: isPipeline ? 'created' : 'won',
    cut: isPipeline ? 'created' : 'closed',
    ...periodOf(query, now),
    filters: filtersOf(query),
    lookbackMs: lookbackMsOf(query),
    halfLifeMs: Math.round(query.halfLifeDays * DAY_MS),
    kinds: kindsOf(query.kinds),
  };
}

function orderOf({ key }: CreditLine): string {
  return key === null ? '' : `=${key}`;
}

const LINE_COLUMNS = ['key', 'isAttributed', 'touches', 'opportunities', ...columnsOf('credit'), ...columnsOf('amount')];
const OPPORTUNITY_COLUMNS = [...Object.keys(opportunityFields), 'touches', 'touchesOfKey', ...columnsOf('credit')];

function columnsOf(what: string): string[] {
  return ATTRIBUTION_MODELS.map((one) => `${what}.${one}`);
}

function prefixed(what: string, values: Readonly<Record<AttributionModel, number | null>>): Record<string, number | null> {
  return Object.fromEntries(ATTRIBUTION_MODELS.map((one) => [`${what}.${one}`, values[one]]));
}

function csvLine({ amount, credit, key, ...line }: CreditLine) {
  return { key, isAttributed: key !== null, ...line, ...prefixed('credit', credit), ...prefixed('amount', amount) };
}

function pathAnswer({ isCutOff, leadCreatedAt, opportunity, touches }: OpportunityTouches, halfLifeMs: number): z.input<typeof pathSchema> {
  const path = {
    occurredAt: touches.map(({ occurredAt }) => occurredAt),
    leadCreatedAt,
    opportunityCreatedAt: opportunity.createdAt,
    halfLifeMs,
  };
  const credits = byModel((one) => (isCutOff ? [] : creditsOf(one, path)));
  return {
    ...opportunityAnswer(opportunity),
    leadCreatedAt: leadCreatedAt === null ? null : timeText(leadCreatedAt),
    isCutOff,
    touches: touches.map(({ id, occurredAt, ...touch }, at) => ({
      touchId: id,
      occurredAt: timeText(occurredAt),
      ...touch,
      credit: isCutOff ? null : byModel((one) => credits[one][at]! / CREDIT_UNITS),
    })),
  };
}
