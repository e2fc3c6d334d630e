import { pino } from 'pino';
import { z } from 'zod';
import type { HttpApp } from './http-app-type.ts';
import { createHttpApp, type HttpAppOptions } from './http-app.ts';
import type { Caller } from './key-ring.ts';
import { createMetrics } from './metrics.ts';

/** Tokens of the tests, with what their keys may do. */
const CALLERS: ReadonlyMap<string, Caller> = new Map([
  ['sk_reader', { keyId: 'reader', kind: 'secret', scopes: new Set(['read']) }],
  ['sk_all', { keyId: 'all', kind: 'secret', scopes: new Set(['ingest', 'read', 'admin', 'privacy']) }],
  ['wk_page', { keyId: 'page', kind: 'write', scopes: new Set(['collect']) }],
]);

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

const item = z.strictObject({ name: z.string().min(1).max(5), size: z.number().nullish() }).meta({ id: 'TestItem' });

interface TestApp {
  readonly app: HttpApp;
  /** Log lines, parsed. */
  readonly logged: readonly Record<string, unknown>[];
}

/** An app with one route of each kind; answers are held against the document. */
export async function createTestApp(options: Partial<HttpAppOptions> = {}): Promise<TestApp> {
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) });
  const app = await createHttpApp({
    logger,
    metrics: createMetrics({ ofProcess: false }),
    keys: { verify: (token) => CALLERS.get(token) ?? null },
    checkAnswers: true,
    ...options,
  });

  app.post(
    '/v1/items',
    { config: { scope: 'ingest' }, bodyLimit: 4096, schema: { operationId: 'postItem', body: item, response: { 200: item } } },
    (request) => request.body,
  );
  app.get(
    '/v1/items/:id',
    {
      config: { scope: 'read' },
      schema: {
        params: z.strictObject({ id: z.string().max(8) }),
        querystring: z.strictObject({ limit: z.coerce.number().int().max(9).default(1) }),
        response: { 200: item },
      },
    },
    (request) => ({ name: request.params.id, size: request.query.limit / 0 - Infinity }),
  );
  app.post(
    '/v1/collect',
    { config: { scope: 'ingest', collect: true }, schema: { body: item, response: { 200: item } } },
    (request) => request.body,
  );
  app.get('/v1/broken', { config: { scope: 'public' }, schema: { hide: true } }, () => {
    throw new Error('the secret inner reason');
  });
  await app.ready();
  return { app, logged };
}
