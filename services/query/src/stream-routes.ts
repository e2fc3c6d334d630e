import { fastifySSE, type SSEMessage } from '@fastify/sse';
import { z } from 'zod';
import type { QueryApp, QueryOptions } from './query.ts';
import { share } from './query-parameters.ts';
import type { ScoreEvent } from './score-feed.ts';

/** A reader this far behind is cut off: it comes back with the id of the last event it got, and catches up. */
const WAITING_MAX = 10_000;
const HEARTBEAT_MS = 15_000;
const ACCOUNTS_MAX = 100;

const streamQuery = z.object({
  accountId: z
    .union([z.string().min(1).max(128), z.array(z.string().min(1).max(128)).max(ACCOUNTS_MAX)])
    .transform((ids) => new Set([ids].flat()))
    .optional()
    .describe(`Only these accounts; may be repeated, at most ${ACCOUNTS_MAX}`),
  minScore: share.optional().describe('Only scores of at least this'),
});

/** Score changes as server-sent events. */
export async function registerStreamRoutes(app: QueryApp, { feed, metrics, assertReady }: QueryOptions): Promise<void> {
  await app.register(fastifySSE, { heartbeatInterval: HEARTBEAT_MS, serializer: String });
  metrics.beforeScrape(() => metrics.set('stream_clients', {}, feed.followerCount));
  // A stream never ends by itself: without this the server would wait for its readers to leave.
  const open = new Set<() => void>();
  app.addHook('preClose', async () => {
    for (const end of open) end();
  });

  app.get(
    '/v1/stream',
    {
      sse: 'only',
      config: { scope: 'read' },
      schema: {
        operationId: 'streamScores',
        summary: 'Score changes, live, as server-sent events',
        description:
          'Events `score` carry a ScoreEvent. `Last-Event-ID` resumes after that event; what is no longer kept is announced by an event ' +
          '`gap`, after which the accounts should be read anew.',
        tags: ['accounts'],
        querystring: streamQuery,
        response: {
          200: {
            description: 'A stream that does not end',
            content: { 'text/event-stream': { schema: z.string().meta({ example: 'event: score' }) } },
          },
        },
      },
    },
    async (request, reply) => {
      assertReady();
      const { accountId, minScore = 0 } = request.query;
      const isWanted = (event: ScoreEvent): boolean =>
        event.score >= minScore && (accountId === undefined || accountId.has(event.accountId));

      // Nothing runs between these two: no event is missed, and none is both among the missed and among the waiting.
      const { lastEventId } = reply.sse;
      const resumed = lastEventId === null ? { missed: [], isComplete: true } : feed.resume(lastEventId);
      const firstId = feed.currentId;
      const waiting: ScoreEvent[] = [];
      let wake = (): void => {};
      let isOver = false;
      const unfollow = feed.follow((event) => {
        if (!isWanted(event)) return;
        waiting.push(event);
        wake();
      });
      const end = (): void => {
        isOver = true;
        open.delete(end);
        unfollow();
        wake();
      };
      reply.sse.onClose(end);
      open.add(end);

      async function* messages(): AsyncGenerator<SSEMessage> {
        // The id of now goes out only when nothing is to be caught up: else a reader cut off here would skip it.
        yield { event: 'hello', data: '{}', retry: 1000, ...((resumed?.missed.length ?? 0) === 0 && { id: firstId }) };
        if (resumed?.isComplete !== true) yield { event: 'gap', data: '{}' };
        for (const event of resumed?.missed ?? []) if (isWanted(event)) yield messageOf(event);
        while (!isOver) {
          const event = waiting.shift();
          if (event !== undefined) yield messageOf(event);
          else {
            const turn = Promise.withResolvers<void>();
            wake = turn.resolve;
            await turn.promise;
          }
          if (waiting.length > WAITING_MAX) return;
        }
      }
      try {
        await reply.sse.send(messages());
      } finally {
        end();
      }
    },
  );
}

function messageOf({ id, json }: ScoreEvent): SSEMessage {
  return { id, event: 'score', data: json };
}
