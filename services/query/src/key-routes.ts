import type { FastifyBaseLogger } from 'fastify';
import { createApiKey, ProblemError, SCOPES } from '@touchstone/runtime';
import { z } from 'zod';
import { time, timeText, timeTextOrNull } from './answers.ts';
import type { QueryApp, QueryOptions } from './query-options.ts';

const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: time,
    revokedAt: time.nullable(),
  })
  .meta({ id: 'ApiKey' });

const newKeySchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(128)
      .refine(isPlainText, { error: 'must be well-formed Unicode without control characters', params: { code: 'invalid_unicode' } })
      .describe('For people: who or what uses the key'),
    kind: z.enum(['secret', 'write']).default('secret').describe('A write key is public: it can only post touches'),
    scopes: z.array(z.enum(SCOPES)).max(SCOPES.length).default([]).describe('Of a secret key: what it may do'),
  })
  .refine(({ kind, scopes }) => kind === 'write' || scopes.length > 0, {
    path: ['scopes'],
    message: 'must name at least one scope for a secret key',
  })
  .meta({ id: 'NewApiKey' });

/** The store keeps UTF-8, which has no half surrogate pairs; and names stand in tables on terminals. */
function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}]/u.test(text);
}

const createdKeySchema = keySchema.extend({ key: z.string().describe('The key itself, shown this once') }).meta({ id: 'CreatedApiKey' });

/** API keys over HTTP, for admins. */
export function registerKeyRoutes(app: QueryApp, { clock, keys, store }: QueryOptions): void {
  /** The change is kept already: should the keys not be readable now, it comes into force a moment later, when they are. */
  async function takeOver(log: FastifyBaseLogger): Promise<void> {
    try {
      await keys.refresh();
    } catch (err) {
      log.warn({ err }, 'the API keys could not be read again after a change; it takes a moment longer');
    }
  }

  app.post(
    '/v1/keys',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'createKey',
        summary: 'Make an API key',
        tags: ['keys'],
        body: newKeySchema,
        response: { 201: createdKeySchema },
      },
    },
    async (request, reply) => {
      const { text, row } = createApiKey({ ...request.body, now: clock() });
      await store.saveApiKey(row);
      await takeOver(request.log);
      return reply.code(201).send({ ...answer(row), key: text });
    },
  );

  app.get(
    '/v1/keys',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listKeys',
        summary: 'All API keys, revoked ones too',
        tags: ['keys'],
        response: { 200: z.object({ data: z.array(keySchema) }).meta({ id: 'ApiKeys' }) },
      },
    },
    async () => ({ data: (await store.apiKeys()).map(answer) }),
  );

  app.delete(
    '/v1/keys/:keyId',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke an API key',
        description: 'Works within five seconds everywhere. Revoking a revoked key changes nothing.',
        tags: ['keys'],
        params: z.object({ keyId: z.string().min(1).max(128) }),
        response: { 204: z.null().describe('Revoked') },
      },
    },
    async (request, reply) => {
      const row = (await store.apiKeys()).find(({ id }) => id === request.params.keyId);
      if (row === undefined) throw new ProblemError('not_found', 'there is no key with this id');
      if (row.revokedAt === null) await store.saveApiKey({ ...row, revokedAt: clock() });
      await takeOver(request.log);
      return reply.code(204).send(null);
    },
  );
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

function answer({ id, name, scopes, createdAt, revokedAt }: KeyRow): z.input<typeof keySchema> {
  return { id, name, scopes: [...scopes], createdAt: timeText(createdAt), revokedAt: timeTextOrNull(revokedAt) };
}
