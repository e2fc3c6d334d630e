import { fastifySSE } from '@fastify/sse';
import { acceptQuality, ProblemError, problemResponse } from '@touchstone/runtime';
import { z } from 'zod';
import { alertEventSchema } from './alert-answers.ts';
import { scoreEventSchema } from './answers.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';
import { share } from './query-parameters.ts';
import { EVENT_NAMES, type EventName, type StreamEvent } from './stream-event.ts';
import { StreamReader } from './stream-reader.ts';

const EVENT_STREAM = 'text/event-stream';
const HEARTBEAT_MS = 15_000;
const ACCOUNTS_MAX = 100;
/** Each may leave events unread: together they are bounded too. */
const READERS_MAX = 2000;
/** Revoking a key ends its streams within the five seconds that are promised. */
const KEY_CHECK_MS = 2000;
const ALL_EVENTS: ReadonlySet<EventName> = new Set(EVENT_NAMES);
const fieldsOf = (schema: z.ZodObject): string => Object.keys(schema.shape).join(', ');

const NAME = EVENT_NAMES.join('|');
const names = z
  .string()
  .regex(new RegExp(`^(${NAME})(,(${NAME})){0,9}$`), `must be some of ${EVENT_NAMES.join(', ')}, separated by commas`)
  .transform((list) => new Set(list.split(',') as EventName[]));

const streamQuery = z.strictObject({
  accountId: z
    .union([z.string().min(1).max(128), z.array(z.string().min(1).max(128)).max(ACCOUNTS_MAX)], {
      error: `must be the id of an account, or at most ${ACCOUNTS_MAX} of them`,
    })
    .transform((ids) => new Set([ids].flat()))
    .optional()
    .describe(`Only these accounts; may be repeated, at most ${ACCOUNTS_MAX}`),
  owner: z.string().min(1).max(128).optional().describe('Only accounts of this owner'),
  minScore: share.optional().describe('Only scores of at least this; alerts and stages come all the same'),
  events: names.optional().describe('Names of the events wanted, separated by commas: score, alert, stage, experiment; all by default'),
});

/** Scores, alerts and changes of stage as server-sent events. */
export async function registerStreamRoutes(app: QueryApp, { feed, keys, metrics, assertReady }: QueryOptions): Promise<void> {
  await app.register(fastifySSE, { heartbeatInterval: HEARTBEAT_MS });
  metrics.beforeScrape(() => metrics.set('stream_clients', {}, feed.followerCount));
  // A stream never ends by itself: without this the server would wait for its readers to leave.
  const open = new Set<StreamReader>();
  app.addHook('preClose', async () => {
    for (const reader of open) reader.end();
  });

  app.get(
    '/v1/stream',
    {
      // Whether a stream is acceptable is decided here: the plugin would refuse in its own words.
      sse: 'manual',
      // The answer to HEAD would never end.
      exposeHeadRoute: false,
      config: { scope: 'read' },
      schema: {
        operationId: 'streamEvents',
        summary: 'Scores, alerts and changes of stage, live, as server-sent events',
        description:
          `Events \`score\` carry JSON with ${fieldsOf(scoreEventSchema)}; events \`alert\` and \`stage\` with ${fieldsOf(alertEventSchema)}. ` +
          'An event `experiment` tells a step of an experiment, such as a creative that was swapped out, to who listens then. Each alert comes once. `Last-Event-ID` resumes after that event; what is no longer kept is announced by an event `gap`, after which the accounts should be read anew. A reader that is too slow is cut off, and resumes the same way.',
        tags: ['accounts'],
        querystring: streamQuery,
        headers: z.looseObject({ 'last-event-id': z.string().optional().describe('Id of the last event received') }),
        response: {
          200: {
            description: 'A stream that does not end',
            content: { [EVENT_STREAM]: { schema: z.string().meta({ example: 'event: score' }) } },
          },
          406: problemResponse(`${EVENT_STREAM} is not accepted`),
        },
      },
    },
    async (request, reply) => {
      assertReady();
      if (acceptQuality(request.headers.accept, EVENT_STREAM) === 0) {
        throw new ProblemError('not_acceptable', `this is a stream of ${EVENT_STREAM}, which Accept leaves out`);
      }
      if (open.size >= READERS_MAX) {
        throw new ProblemError('unavailable', `${READERS_MAX} streams are open already`, { headers: { 'retry-after': '10' } });
      }
      const { accountId, events = ALL_EVENTS, minScore = 0, owner } = request.query;
      const { lastEventId } = reply.sse;
      if (lastEventId !== null) await feed.reaches(lastEventId, events);
      if (!reply.sse.isConnected) {
        // The reader has left meanwhile: nobody would end its stream.
        reply.hijack();
        return;
      }
      const reader = new StreamReader({
        feed,
        output: reply.raw,
        names: events,
        isWanted: ({ published }: StreamEvent) =>
          (published.score ?? minScore) >= minScore &&
          (accountId === undefined || accountId.has(published.accountId)) &&
          (owner === undefined || published.owner === owner),
        lastEventId,
        onTooSlow() {
          request.log.warn({ keyId: request.caller?.keyId }, 'a reader of the stream was too slow and is cut off');
          // Ending the answer would wait for the reader to take what it leaves unread.
          request.raw.destroy();
        },
      });
      const token = request.headers.authorization?.split(' ').at(-1) ?? '';
      const keyCheck = setInterval(() => {
        if (keys.verify(token) === null) reader.end();
      }, KEY_CHECK_MS);
      const end = (): void => {
        clearInterval(keyCheck);
        reader.end();
        open.delete(reader);
      };
      open.add(reader);
      reply.sse.onClose(end);
      // Kept open for another request, the connection would hold up a server that stops until the client lets go of it.
      reply.header('connection', 'close');
      // The end of the connection is the end of the stream; framed in chunks, each write would be three.
      reply.raw.useChunkedEncodingByDefault = false;
      try {
        reply.sse.sendHeaders();
        reader.start();
        await reader.over;
      } finally {
        end();
      }
    },
  );
}
