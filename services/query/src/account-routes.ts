import { earliestInstant } from '@touchstone/engine';
import { ProblemError } from '@touchstone/runtime';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { AskedInstant } from './account-pasts.ts';
import { askInstant, findAccount, notKnownYet, nowOf } from './ask-instant.ts';
import { AccountTexts } from './account-texts.ts';
import { accountAnswer, accountSchema, historySchema, timelineSchema, timeText } from './answers.ts';
import { currentInstant } from './current-instant.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { accountParams, instant, limit, TIME_MAX } from './query-parameters.ts';

const DAY_MS = 86_400_000;
const HISTORY_DAYS = 30;
const HISTORY_HOURS_MAX = 400 * 24;

const timelinePlace = z.object({ occurredAt: z.int().min(0).max(TIME_MAX), offset: z.int().min(0) });

/** What is known of one account: its figures, its touches, its score over time. */
export function registerAccountRoutes(app: QueryApp, options: QueryOptions): void {
  const { pasts, store } = options;
  const texts = new AccountTexts(options.ledgers);

  async function answerThen(asked: AskedInstant, reply: FastifyReply): Promise<z.input<typeof accountSchema> | undefined> {
    const { asOf, place } = asked;
    const { account, ledgers } = place;
    const model = await pasts.modelAt(asked, nowOf(options, place));
    // What is in memory has gone on since it was asked: only its last change counts.
    if (asOf >= earliestInstant(ledgers, account) && model.version === ledgers.model.version) {
      sendText(reply, texts.of(place, asOf));
      return undefined;
    }
    const past = await pasts.known(asked, { model });
    if (past.account < 0) throw notKnownYet('at', past.firstKnownAt);
    const { qualification, stage } = past.standing;
    const fact = past.ledgers.accounts.facts.get(past.account) ?? null;
    return accountAnswer(past.view!, fact, { stage, qualified: qualification?.isQualified ?? null });
  }

  app.get(
    '/v1/accounts/:accountId',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'getAccount',
        summary: 'One account: score, windows, reach',
        description:
          'Counts are exact; points and score are not rounded. From memory; for an instant before the last change from the stored touches, as known then. ' +
          'For instants since the last change, stage and qualification are those of now.',
        tags: ['accounts'],
        params: accountParams,
        querystring: z.strictObject({
          at: instant.optional().describe('Any instant since the account is known, as it was known then; default now'),
        }),
        response: { 200: accountSchema },
      },
    },
    (request, reply) => {
      options.assertReady();
      const asked = askInstant(options, request.params.accountId, request.query.at);
      if (asked.isPast) return answerThen(asked, reply);
      // Most ask about now, and nothing has to be waited for: not even a promise is made.
      sendText(reply, texts.of(asked.place, asked.asOf));
      return undefined;
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
        querystring: z.strictObject({ limit: limit(500, 50), cursor: z.string().max(200).optional() }),
        response: { 200: timelineSchema },
      },
    },
    async (request) => {
      options.assertReady();
      const { accountId } = request.params;
      findAccount(options, accountId);
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
        querystring: z.strictObject({ from: instant.optional(), to: instant.optional() }),
        response: { 200: historySchema },
      },
    },
    async (request) => {
      options.assertReady();
      const { accountId } = request.params;
      findAccount(options, accountId);
      const to = request.query.to ?? currentInstant(options) + 1;
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

/** Of JSON that is a text already. */
function sendText(reply: FastifyReply, text: string): void {
  void reply.header('content-type', 'application/json; charset=utf-8').send(text);
}
