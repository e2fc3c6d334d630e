import { problemResponse, ProblemError } from '@touchstone/runtime';
import { z } from 'zod';
import type { QueryApp } from '../query-options.ts';
import { STREAMS_MAX, type DecisionStreams } from './decision-streams.ts';

const EVENT_STREAM = 'text/event-stream';
/** A revoked key, or an address whose time is over, ends its streams within the five seconds that are promised. */
const KEY_CHECK_MS = 2000;
const RETRY_MS = 1000;

const query = z.strictObject({
  account: z.string().min(1).max(128),
  key: z.string().min(1).max(128),
  until: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  signature: z.string().max(100),
});

/** Where `eventStreams` of bulk answers point to. It needs the plugin for server-sent events, which the stream of scores registers. */
export function registerDecisionStreamRoute(app: QueryApp, streams: DecisionStreams, assertReady: () => void): void {
  const open = new Set<() => void>();
  app.addHook('preClose', async () => {
    for (const end of open) end();
  });

  app.get(
    '/ofrep/v1/events',
    {
      sse: 'manual',
      // The answer to HEAD would never end.
      exposeHeadRoute: false,
      config: { scope: 'public' },
      schema: {
        operationId: 'streamRefetches',
        summary: 'Tells when something is decided otherwise for an account, as server-sent events',
        description:
          'The address is that of `eventStreams` in a bulk answer, which is signed. Each event says `{"type":"refetchEvaluation"}`: ask again. Each connection begins with one.',
        tags: ['decisions'],
        querystring: query,
        headers: z.looseObject({ 'last-event-id': z.string().optional() }),
        response: {
          200: { description: 'A stream that does not end', content: { [EVENT_STREAM]: { schema: z.string() } } },
          401: problemResponse('The address is not signed by a key in force, or its time is over'),
          429: problemResponse('Too many streams are open'),
        },
      },
    },
    async (request, reply) => {
      assertReady();
      const { account } = request.query;
      if (!streams.isValid(request.query))
        throw new ProblemError('unauthenticated', 'the address is not signed by a key in force, or its time is over');
      if (streams.count >= STREAMS_MAX) {
        throw new ProblemError('too_many_requests', `${STREAMS_MAX} streams are open already`, { headers: { 'retry-after': '10' } });
      }
      const over = Promise.withResolvers<void>();
      const keyCheck = setInterval(() => {
        if (!streams.isValid(request.query)) over.resolve();
      }, KEY_CHECK_MS);
      let close = (): void => {};
      const end = (): void => {
        clearInterval(keyCheck);
        close();
        open.delete(over.resolve);
        over.resolve();
      };
      open.add(over.resolve);
      reply.sse.onClose(end);
      reply.header('connection', 'close');
      reply.raw.useChunkedEncodingByDefault = false;
      try {
        reply.sse.sendHeaders();
        reply.raw.write(`retry: ${RETRY_MS}\n\n`);
        if (reply.sse.isConnected) close = streams.open(account, reply.raw, reply.sse.lastEventId);
        await over.promise;
      } finally {
        end();
      }
    },
  );
}
