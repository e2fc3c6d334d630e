import { csvOf, linkToNext, prefersCsv, ProblemError, type HttpApp } from '@touchstone/runtime';
import type { DeliveryRow } from '@touchstone/store';
import { z } from 'zod';
import { attemptsOf } from './attempt.ts';
import { endpointParams, time, type NotifierRoutes } from './endpoint-routes.ts';
import { answered } from './notifier-store.ts';
import { messageOf } from './take-alerts.ts';
import { timeText } from './webhook-body.ts';

const STATES = ['pending', 'delivered', 'failed', 'held', 'digested'] as const;
const PAGE_MAX = 200;
const PAGE_USUAL = 50;

const attemptAnswer = z
  .object({ at: time, ms: z.int(), status: z.int().nullable(), error: z.string().nullable() })
  .meta({ id: 'DeliveryAttempt' });

const deliverySchema = z
  .object({
    id: z.string().describe('webhook-id: the id of the alert, digest or decision'),
    endpointId: z.string(),
    kind: z.enum(['alert', 'digest', 'test', 'decision']),
    owner: z.string().nullable(),
    state: z.enum(STATES).describe('held and digested: beyond the budget, told by a digest'),
    at: time.describe('The instant of the alert'),
    takenAt: time.describe('When it was taken up, or sent again by hand'),
    nextAttemptAt: time.nullable().describe('Null unless pending'),
    attempts: z.array(attemptAnswer).describe('The last 30, oldest first'),
  })
  .meta({ id: 'Delivery' });

const pageSchema = z
  .object({
    data: z.array(deliverySchema),
    nextCursor: z.string().nullable().describe('Give it back as `cursor` for the next page; null on the last'),
  })
  .meta({ id: 'DeliveryPage' });

/** A place in the list, as text: the instant and the id. */
const cursor = z
  .string()
  .max(200)
  .regex(/^\d{1,15}-[\w-]{1,128}$/, 'must be the nextCursor of the page before, unchanged')
  .transform((text) => ({ at: Number(text.slice(0, text.indexOf('-'))), id: text.slice(text.indexOf('-') + 1) }));

const listQuery = z.strictObject({
  state: z.enum(STATES).optional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(PAGE_MAX)).default(PAGE_USUAL).describe(`At most so many; ${PAGE_USUAL} by default`),
  cursor: cursor.optional().describe('nextCursor of the page before; keep the other parameters'),
});

const resendSchema = z
  .strictObject({
    endpointIds: z
      .array(z.string().min(1).max(128))
      .min(1)
      .max(200)
      .optional()
      .describe('Any endpoints, whether it was for them or not. Default: all that it was for'),
  })
  .meta({ id: 'Resend' });

/** What became of messages, and sending them again; for admins. */
export function registerDeliveryRoutes(app: HttpApp, { book, clock, dispatcher, store }: NotifierRoutes): void {
  /** An alert that no endpoint was to hear of, as a message. It is in the store with the checkpoint after it was told. */
  async function neverMade(alertId: string, now: number): Promise<DeliveryRow> {
    const [stored] = await store.alerts({ id: alertId, now, limit: 1 });
    if (stored === undefined) throw new ProblemError('not_found', 'there is no alert with this id');
    return messageOf(stored.alert, '', 'pending', now);
  }

  app.get(
    '/v1/endpoints/:endpointId/deliveries',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listDeliveries',
        summary: 'Messages to an endpoint, newest first',
        description: 'With `Accept: text/csv` the page comes as CSV, with the last attempt of each.',
        tags: ['endpoints'],
        params: endpointParams,
        querystring: listQuery,
        response: {
          200: {
            description: 'A page of messages',
            content: {
              'application/json': { schema: pageSchema },
              'text/csv': { schema: z.string(), description: 'One line a message' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const { endpointId } = request.params;
      const { cursor: before, limit, state } = request.query;
      if (book.get(endpointId) === null) throw new ProblemError('not_found', 'there is no endpoint with this id');
      const rows = await store.deliveries({
        endpointId,
        limit: limit + 1,
        ...(state !== undefined && { state }),
        ...(before !== undefined && { before }),
      });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      const data = page.map(answer);
      const nextCursor = last === undefined ? null : `${last.at}-${last.id}`;
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data, nextCursor });
      if (nextCursor !== null) reply.header('link', linkToNext(request.url, nextCursor));
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(LINE_COLUMNS, data.map(lineOf)));
    },
  );

  app.post(
    '/v1/alerts/:alertId/resend',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'resendAlert',
        summary: 'Send an alert again, with all attempts',
        description:
          'Any alert that was ever told, also to endpoints that never had it. Under the same id, so receivers that drop repeated ids hear of it only if they missed it. Budgets do not hold it back.',
        tags: ['endpoints'],
        params: z.object({ alertId: z.string().regex(/^[\w-]{1,128}$/) }),
        body: resendSchema,
        response: { 202: z.object({ data: z.array(deliverySchema) }).meta({ id: 'Resent' }) },
      },
    },
    async (request, reply) => {
      const { alertId } = request.params;
      const now = clock();
      const rows = await store.deliveriesOf(alertId);
      const message = rows[0] ?? (await neverMade(alertId, now));
      const ids = request.body.endpointIds ?? rows.map(({ endpointId }) => endpointId).filter((id) => book.get(id) !== null);
      const unknown = ids.find((id) => book.get(id) === null);
      if (unknown !== undefined || ids.length === 0) {
        const detail = `endpointIds must name endpoints that there are${unknown === undefined ? ': none of them was to hear of this alert' : ''}`;
        throw new ProblemError('invalid_request', detail, { errors: [{ in: 'body', pointer: '#/endpointIds', detail }] });
      }
      const again = [...new Set(ids)].map((endpointId): DeliveryRow => {
        const before = rows.find((row) => row.endpointId === endpointId);
        return {
          ...(before ?? { ...message, attemptLog: '[]' }),
          endpointId,
          revision: (before?.revision ?? -1) + 1,
          state: 'pending',
          attempts: 0,
          takenAt: now,
          nextAttemptAt: now,
        };
      });
      await answered(dispatcher.save(again));
      dispatcher.take(again, Promise.resolve());
      return reply.code(202).send({ data: again.map(answer) });
    },
  );
}

function answer(row: DeliveryRow): z.input<typeof deliverySchema> {
  const { at, endpointId, id, kind, nextAttemptAt, owner, state, takenAt } = row;
  return {
    id,
    endpointId,
    kind,
    owner,
    state,
    at: timeText(at),
    takenAt: timeText(takenAt),
    nextAttemptAt: state === 'pending' ? timeText(nextAttemptAt) : null,
    attempts: attemptsOf(row).map((attempt) => ({ ...attempt, at: timeText(attempt.at) })),
  };
}

const LINE_COLUMNS = 'id endpointId kind owner state at takenAt nextAttemptAt attempts lastAttemptAt lastMs lastStatus lastError'.split(
  ' ',
);

/** One line of a table: how many attempts are in the log, and the last of them. */
function lineOf({ attempts, ...rest }: z.input<typeof deliverySchema>): object {
  const last = attempts.at(-1);
  return {
    ...rest,
    attempts: attempts.length,
    lastAttemptAt: last?.at,
    lastMs: last?.ms,
    lastStatus: last?.status,
    lastError: last?.error,
  };
}
