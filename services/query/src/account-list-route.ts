import { ACCOUNT_ORDERS, listAccounts, type AccountFilter } from '@touchstone/engine';
import { csvOf, linkToNext, prefersCsv, ProblemError } from '@touchstone/runtime';
import { z } from 'zod';
import { accountPageSchema, listedAccountSchema, listedAnswer } from './answers.ts';
import { currentInstant } from './current-instant.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { flag, limit, share, TIME_MAX } from './query-parameters.ts';

/** Strict, as all queries here: a filter with a slip in its name would otherwise quietly filter nothing. */
const listQuery = z.strictObject({
  sort: z.enum(ACCOUNT_ORDERS).default('-score').describe('Field to order by; `-` for descending'),
  limit: limit(500, 50),
  cursor: z.string().max(2000).optional().describe('nextCursor of the page before; keep the other parameters'),
  minScore: share.optional(),
  maxScore: share.optional(),
  engaged: flag.optional(),
  targetList: flag.optional(),
  tier: z.string().max(128).optional(),
  owner: z.string().max(128).optional(),
  industry: z.string().max(128).optional(),
  stage: z.string().max(128).optional().describe('Id of a stage; empty for accounts in none'),
  qualified: flag.optional().describe('Marketing qualified accounts, or the others'),
  near: z
    .literal('true')
    .transform(() => true as const)
    .optional()
    .describe('`true`: only accounts that miss one criterion of the qualification, or only contacts; with what is missing'),
  search: z.string().min(1).max(128).optional().describe('Beginning of the account id or name'),
});

/** A page is computed for the instant of the first one; nobody reads on for longer than this. */
const CURSOR_AGE_MAX_MS = 3_600_000;
const CURSOR_AHEAD_MAX_MS = 60_000;

/** Where a page of accounts ended, and the instant it was computed for: the next page is computed for the same. */
const listPlace = z
  .object({
    asOf: z.int().min(0).max(TIME_MAX),
    sort: z.enum(ACCOUNT_ORDERS),
    key: z.union([z.number(), z.string()]),
    accountId: z.string(),
  })
  .refine(({ sort, key }) => (typeof key === 'string') === sort.endsWith('accountId'));

const csvPage = { description: 'The same as CSV', schema: z.string() };

/** The leaderboard, as JSON or CSV. */
export function registerAccountListRoute(app: QueryApp, options: QueryOptions): void {
  app.get(
    '/v1/accounts',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listAccounts',
        summary: 'Accounts by score, filtered and sorted',
        description: 'From memory, as of now. With `Accept: text/csv` the page comes as CSV.',
        tags: ['accounts'],
        querystring: listQuery,
        response: {
          200: { description: 'A page of accounts', content: { 'application/json': { schema: accountPageSchema }, 'text/csv': csvPage } },
        },
      },
    },
    async (request, reply) => {
      options.assertReady();
      const { cursor, limit: most, sort, ...filter } = request.query;
      const place = cursor === undefined ? null : decodeCursor(cursor, listPlace);
      if (place !== null && place.sort !== sort) {
        throw new ProblemError('invalid_request', `cursor belongs to a list sorted by ${place.sort}`, {
          errors: [{ in: 'query', pointer: '#/sort', detail: `must be ${place.sort}, as on the page before` }],
        });
      }
      const now = currentInstant(options);
      const asOf = place?.asOf ?? now;
      if (asOf < now - CURSOR_AGE_MAX_MS || asOf > now + CURSOR_AHEAD_MAX_MS) {
        const detail = 'cursor must not be older than an hour: begin again without it';
        throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: '#/cursor', detail }] });
      }
      const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as AccountFilter;
      const page = listAccounts(options.ledgers, { filter: given, order: sort, limit: most, after: place, asOf });
      const data = page.accounts.map((account) => listedAnswer(account));
      const nextCursor = page.next === null ? null : encodeCursor({ asOf, sort, ...page.next });
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(Object.keys(listedAccountSchema.shape), data.map(listedRow)));
    },
  );
}

/** One row of a table: lists as text, in one cell. */
function listedRow({ met, missing, ...rest }: z.input<typeof listedAccountSchema>): object {
  return { ...rest, met: met?.join(' '), missing: missing?.join(' ') };
}
