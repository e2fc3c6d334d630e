import { ALERT_CAUSES, ALERT_TYPES } from '@touchstone/engine';
import { csvOf, linkToNext, prefersCsv, ProblemError } from '@touchstone/runtime';
import type { AlertQuery, StoredAlert } from '@touchstone/store';
import { z } from 'zod';
import { ALERT_COLUMNS, alertRow, alertSchema, storedAlertAnswer } from './alert-answers.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { LiveFeed } from './live-feed.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { instant, limit, TIME_MAX } from './query-parameters.ts';

const idText = z.string().min(1).max(128);

/** What `state` asks for of what was done. */
const STATES = {
  open: { acked: false, snoozed: false },
  acked: { acked: true },
  snoozed: { acked: false, snoozed: true },
} as const satisfies Record<string, Pick<AlertQuery, 'acked' | 'snoozed'>>;

const listQuery = z.strictObject({
  accountId: idText.optional(),
  type: z.enum(ALERT_TYPES).optional(),
  ruleId: idText.optional().describe('Id of a threshold or watch; qualification, stages or surge'),
  owner: z.string().max(128).optional().describe('Owner of the account when it happened; empty for those without one'),
  direction: z.enum(['up', 'down']).optional(),
  cause: z.enum(ALERT_CAUSES).optional(),
  from: instant.optional().describe('Those that happened then or later: RFC 3339 with an offset, or epoch milliseconds'),
  to: instant.optional().describe('Those that happened before: RFC 3339 with an offset, or epoch milliseconds'),
  state: z
    .enum(Object.keys(STATES) as [keyof typeof STATES])
    .optional()
    .describe('Open, acked, or snoozed and not acked; all by default'),
  limit: limit(500, 50),
  cursor: z.string().max(500).optional().describe('nextCursor of the page before; keep the other parameters'),
});

const place = z.object({ at: z.int().min(0).max(TIME_MAX), id: idText });

const pageSchema = z
  .object({
    data: z.array(alertSchema),
    nextCursor: z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last'),
  })
  .meta({ id: 'AlertPage' });

type Options = Pick<QueryOptions, 'clock' | 'store'> & { readonly feed: Pick<LiveFeed, 'alertOf'> };

/** One alert: as stored, or as just told where that is still to come; null for none. */
export async function findAlert({ clock, feed, store }: Options, id: string): Promise<Omit<StoredAlert, 'offset'> | null> {
  const [stored] = await store.alerts({ id, now: clock(), limit: 1 });
  if (stored !== undefined) return stored;
  const told = feed.alertOf(id);
  return told === null ? null : { alert: told, acked: null, snoozedUntil: null, useful: null };
}

/** Alerts, from the store: a moment after they are told. */
export function registerAlertRoutes(app: QueryApp, options: Options): void {
  const { clock, store } = options;

  app.get(
    '/v1/alerts',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listAlerts',
        summary: 'Alerts, newest first',
        description:
          'Crossings, qualifications, changes of stage, surges and what became of buying committees: each once, with what was done about it. From ' +
          'the store, a moment after they are told. With `Accept: text/csv` the page comes as CSV.',
        tags: ['alerts'],
        querystring: listQuery,
        response: {
          200: {
            description: 'A page of alerts',
            content: {
              'application/json': { schema: pageSchema },
              'text/csv': { schema: z.string(), description: 'The same as CSV' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { cursor, from, limit: most, state, to, ...filter } = request.query;
      const now = clock();
      const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
      const alerts = await store.alerts({
        ...given,
        ...(from !== undefined && { since: from }),
        ...(to !== undefined && { until: to }),
        ...(state !== undefined && STATES[state]),
        ...(cursor !== undefined && { before: decodeCursor(cursor, place) }),
        now,
        limit: most + 1,
      });
      const page = alerts.slice(0, most);
      const data = page.map((alert) => storedAlertAnswer(alert, now));
      const last = alerts.length > most ? page.at(-1)!.alert : null;
      const nextCursor = last && encodeCursor({ at: last.at, id: last.id });
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(ALERT_COLUMNS, data.map(alertRow)));
    },
  );

  app.get(
    '/v1/alerts/:alertId',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getAlert',
        summary: 'One alert, with what was done about it',
        tags: ['alerts'],
        params: z.object({ alertId: idText }),
        response: { 200: alertSchema },
      },
    },
    async (request) => {
      const found = await findAlert(options, request.params.alertId);
      if (found === null) throw new ProblemError('not_found', 'there is no alert with this id');
      return storedAlertAnswer(found, clock());
    },
  );
}
