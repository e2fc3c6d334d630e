import { clickRateDifference, type ComparedCreative } from '@touchstone/engine';
import { csvOf, linkToNext, prefersCsv, ProblemError, problemResponse } from '@touchstone/runtime';
import { z } from 'zod';
import { timeText } from './answers.ts';
import { comparisonSchema, creativeAnswer, creativePageSchema, creativeRow, CSV_COLUMNS } from './creative-answers.ts';
import { CREATIVE_ORDERS, creativePlace, pageOfCreatives } from './creative-order.ts';
import { accountTestOf, assertKnown, daysOf, dayText, period, segment } from './creative-query.ts';
import { CreativeReports } from './creative-reports.ts';
import { currentInstant } from './current-instant.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { limit } from './query-parameters.ts';

const id = z.string().min(1).max(128);
const COMPARED_MAX = 10;

const listQuery = z.strictObject({
  campaignId: id.optional(),
  creativeId: id.optional(),
  groupBy: z.enum(['creative', 'campaign']).default('creative').describe('`campaign` takes the creatives of each campaign together'),
  ...period,
  ...segment,
  sort: z.enum(CREATIVE_ORDERS).default('-impressions').describe('Field to order by; `-` for descending'),
  limit: limit(500, 50),
  cursor: z.string().max(2000).optional().describe('nextCursor of the page before; keep the other parameters'),
});

const compareQuery = z.strictObject({
  campaignId: id,
  creativeIds: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => (typeof given === 'string' ? given.split(',') : given))
    .pipe(z.array(id).min(2).max(COMPARED_MAX))
    .refine((ids) => new Set(ids).size === ids.length, 'must name each creative once')
    .describe('Separated by commas, or the parameter several times: the others are compared with the first'),
  ...period,
  ...segment,
});

const UNKNOWN = problemResponse('No touch has this campaign or creative');
const csvPage = { description: 'The same as CSV', schema: z.string() };

/** What campaigns and their creatives did, from memory. */
export function registerCreativeRoutes(app: QueryApp, options: Pick<QueryOptions, 'assertReady' | 'clock' | 'ledgers'>): void {
  const { ledgers } = options;
  const reports = new CreativeReports(ledgers);

  app.get(
    '/v1/creatives',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listCreatives',
        summary: 'What campaigns and creatives did, by segment and period',
        description:
          'Exact counts from memory, live: a touch shows as soon as it does in scores. Of touches with a campaign or a creative, by the UTC day of occurredAt. The ' +
          'account is the unit of the interval. Pages are of the moment each is asked for. With `Accept: text/csv` the page comes as CSV.',
        tags: ['creatives'],
        querystring: listQuery,
        response: {
          200: { description: 'A page of creatives', content: { 'application/json': { schema: creativePageSchema }, 'text/csv': csvPage } },
          404: UNKNOWN,
        },
      },
    },
    async (request, reply) => {
      options.assertReady();
      const { campaignId, creativeId, cursor, from, groupBy, limit: most, sort, to, ...accounts } = request.query;
      const place = cursor === undefined ? null : decodeCursor(cursor, creativePlace);
      if (place !== null && place.sort !== sort) {
        throw new ProblemError('invalid_request', `cursor belongs to a list sorted by ${place.sort}`, {
          errors: [{ in: 'query', pointer: '#/sort', detail: `must be ${place.sort}, as on the page before` }],
        });
      }
      const asOf = currentInstant(options);
      const days = daysOf(ledgers, place ?? { from, to }, asOf);
      assertKnown(ledgers, campaignId, creativeId);
      const { figures, modelVersion } = await reports.make({
        ...days,
        ...(campaignId !== undefined && { campaignId }),
        ...(creativeId !== undefined && { creativeId }),
        groupBy,
        accountFilter: accountTestOf(accounts, asOf),
        asOf,
      });
      const page = pageOfCreatives(figures.map(creativeAnswer), sort, most, place);
      const period = { from: dayText(days.from), to: dayText(days.to) };
      const nextCursor = page.next === null ? null : encodeCursor({ ...period, ...page.next });
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) {
        return reply.send({ ...period, asOf: timeText(asOf), modelVersion, data: page.data, nextCursor });
      }
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(CSV_COLUMNS, page.data.map(creativeRow)));
    },
  );

  app.get(
    '/v1/creatives/compare',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'compareCreatives',
        summary: 'Creatives of a campaign side by side, with the difference of their click rates',
        description:
          'Exact counts from memory, live. The interval of a difference takes accounts as the unit, and those that saw both creatives into account. It holds for one look at ' +
          'a time fixed in advance.',
        tags: ['creatives'],
        querystring: compareQuery,
        response: { 200: comparisonSchema, 404: UNKNOWN },
      },
    },
    async (request) => {
      options.assertReady();
      const { campaignId, creativeIds, from, to, ...accounts } = request.query;
      const asOf = currentInstant(options);
      const days = daysOf(ledgers, { from, to }, asOf);
      for (const creativeId of creativeIds) assertKnown(ledgers, campaignId, creativeId);
      const query = { ...days, accountFilter: accountTestOf(accounts, asOf), asOf };
      const { compared, modelVersion } = await reports.compare(campaignId, creativeIds, query);
      const [first, ...others] = compared as [ComparedCreative, ...ComparedCreative[]];
      const differences = others.map(({ figures, withFirst: { accountsOfBoth, ...cross } }) => ({
        creativeId: figures.creativeId!,
        against: first.figures.creativeId!,
        clickRate: clickRateDifference(figures, first.figures, cross),
        accountsOfBoth,
      }));
      const period = { from: dayText(days.from), to: dayText(days.to) };
      const data = compared.map(({ figures }) => creativeAnswer(figures));
      return { ...period, asOf: timeText(asOf), modelVersion, campaignId, data, differences };
    },
  );
}
