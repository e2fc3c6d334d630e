import { ACCOUNT_ORDERS, listAccounts, viewOf, type AccountFilter, type LedgerPlace } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import {
  accountAnswer,
  accountPageSchema,
  accountSchema,
  historySchema,
  listedAccountSchema,
  listedAnswer,
  timelineSchema,
  timeText,
} from './answers.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { QueryApp, QueryOptions } from './query.ts';
import { accountParams, flag, instant, limit, share } from './query-parameters.ts';

const DAY_MS = 86_400_000;
const HISTORY_DAYS = 30;
const HISTORY_HOURS_MAX = 400 * 24;

const listQuery = z.object({
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
  search: z.string().min(1).max(128).optional().describe('Beginning of the account id or name'),
});

/** Where a page of accounts ended, and the instant it was computed for: the next page is computed for the same. */
const listPlace = z.object({
  asOf: z.number(),
  sort: z.string(),
  key: z.union([z.number(), z.string()]),
  accountId: z.string(),
});

const timelinePlace = z.object({ occurredAt: z.int().min(0), offset: z.int().min(0) });

const csvPage = { description: 'The same as CSV', schema: z.string() };

export function registerAccountRoutes(app: QueryApp, options: QueryOptions): void {
  const { ledgers, clock, store } = options;

  /** The instant for which an answer about all accounts is computed: never before anything that was applied. */
  function currentInstant(): number {
    let now = clock();
    for (const partition of ledgers.partitions) now = Math.max(now, partition.now);
    return now;
  }

  function find(accountId: string): LedgerPlace {
    const place = ledgers.find(accountId);
    if (place === null) throw new ProblemError('not_found', 'no touch or fact has named this account');
    return place;
  }

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
      const asOf = place?.asOf ?? currentInstant();
      const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as AccountFilter;
      const page = listAccounts(ledgers, { filter: given, order: sort, limit: most, after: place, asOf });
      const data = page.accounts.map((account) => listedAnswer(account, asOf));
      const nextCursor = page.next === null ? null : encodeCursor({ asOf, sort, ...page.next });
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', `<?cursor=${nextCursor}>; rel="next"`);
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply.type('text/csv; charset=utf-8').serializer(String).send(csvOf(data));
    },
  );

  app.get(
    '/v1/accounts/:accountId',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getAccount',
        summary: 'One account: score, windows, reach',
        description: 'From memory. Counts are exact; points and score are not rounded.',
        tags: ['accounts'],
        params: accountParams,
        querystring: z.object({ at: instant.optional().describe('Instant to compute for, no earlier than the last change; default now') }),
        response: { 200: accountSchema },
      },
    },
    (request) => {
      options.assertReady();
      const { ledgers: found, account } = find(request.params.accountId);
      const changedAt = found.accounts.changedAt[account]!;
      const asOf = request.query.at ?? Math.max(clock(), found.now);
      if (asOf < changedAt) {
        const detail = `at must not be before the account's last change, ${timeText(changedAt)}`;
        throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: '#/at', detail }] });
      }
      return accountAnswer(viewOf(found, account, asOf), found.accounts.facts.get(account) ?? null);
    },
  );

  app.get(
    '/v1/accounts/:accountId/timeline',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getTimeline',
        summary: "An account's counted touches, newest first",
        description: 'From the store, a moment behind the score.',
        tags: ['accounts'],
        params: accountParams,
        querystring: z.object({ limit: limit(500, 50), cursor: z.string().max(200).optional() }),
        response: { 200: timelineSchema },
      },
    },
    async (request) => {
      options.assertReady();
      const { accountId } = request.params;
      find(accountId);
      const { cursor, limit: most } = request.query;
      const before = cursor === undefined ? undefined : decodeCursor(cursor, timelinePlace);
      const entries = await store.timeline(accountId, most + 1, before);
      const page = entries.slice(0, most);
      const last = entries.length > most ? page.at(-1) : undefined;
      return {
        data: page.map(({ offset: _, ...entry }) => ({
          ...entry,
          properties: { ...entry.properties },
          occurredAt: timeText(entry.occurredAt),
          appendedAt: timeText(entry.appendedAt),
        })),
        nextCursor: last === undefined ? null : encodeCursor({ occurredAt: last.occurredAt, offset: last.offset }),
      };
    },
  );

  app.get(
    '/v1/accounts/:accountId/history',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getHistory',
        summary: "An account's score over time, by UTC hour",
        description: 'The last score published in each hour in which it changed, oldest first. Default: the last 30 days.',
        tags: ['accounts'],
        params: accountParams,
        querystring: z.object({ from: instant.optional(), to: instant.optional() }),
        response: { 200: historySchema },
      },
    },
    async (request) => {
      options.assertReady();
      const { accountId } = request.params;
      find(accountId);
      const to = request.query.to ?? currentInstant() + 1;
      const from = request.query.from ?? to - HISTORY_DAYS * DAY_MS;
      if (to <= from || to - from > HISTORY_HOURS_MAX * 3_600_000) {
        const detail = 'to must be after from, by at most 400 days';
        throw new ProblemError('invalid_request', detail, { errors: [{ in: 'query', pointer: '#/to', detail }] });
      }
      const points = await store.history(accountId, Math.max(0, from), to);
      return { data: points.map((point) => ({ ...point, hour: timeText(point.hour), asOf: timeText(point.asOf) })) };
    },
  );
}

/** Whether CSV is named, and JSON is not or comes later. */
function prefersCsv(accept: string | undefined): boolean {
  const csv = accept?.indexOf('text/csv') ?? -1;
  if (csv < 0) return false;
  const json = accept!.indexOf('application/json');
  return json < 0 || csv < json;
}

/** Cells that a spreadsheet would take for formulas are escaped: names and ids come from outside. */
function csvOf(accounts: readonly z.input<typeof listedAccountSchema>[]): string {
  return stringify([...accounts], {
    header: true,
    columns: Object.keys(listedAccountSchema.shape),
    escape_formulas: true,
    cast: { boolean: String },
  });
}
