import { ProblemError, type Metrics } from '@touchstone/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { QueryApp } from '../query-options.ts';
import { etagOf, type Decider, type Evaluation } from './decider.ts';
import type { DecisionStreams } from './decision-streams.ts';

/** Longer ids are taken nowhere. */
const KEY_MAX = 128;
const INACTIVITY_SECONDS = 120;

const bodySchema = z
  .looseObject({
    context: z
      .looseObject({ targetingKey: z.unknown().optional().describe('Id of the account: a text of 1 to 128 characters. Needed') })
      .optional()
      .describe('Whatever else it holds is not looked at: what is known of the account decides'),
  })
  .meta({ id: 'EvaluationRequest', example: { context: { targetingKey: 'acme.example' } } });

const evaluationSchema = z
  .object({
    key: z.string(),
    value: z
      .string()
      .optional()
      .describe('Id of the creative; absent where the account is held out: then the default of the caller stands'),
    variant: z.string().describe('The creative again, or holdout'),
    reason: z
      .enum(['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DISABLED', 'UNKNOWN'])
      .describe(
        'SPLIT: the experiment decided; TARGETING_MATCH: it has one creative left; STATIC: not in it; DISABLED: none runs; UNKNOWN: no such account',
      ),
    metadata: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .describe(
        'experiment, revision, cause; counted: whether an impression of the creative is one of the experiment, and names the creative; of a known account score, band, modelVersion, and stage and qualified where the model has them',
      ),
  })
  .meta({ id: 'Evaluation' });

const failure = {
  errorCode: z.enum(['PARSE_ERROR', 'TARGETING_KEY_MISSING', 'INVALID_CONTEXT', 'GENERAL']),
  errorDetails: z.string(),
};
const failureSchema = z.object({ key: z.string(), ...failure }).meta({ id: 'EvaluationFailure' });
const notFoundSchema = z
  .object({ key: z.string(), errorCode: z.literal('FLAG_NOT_FOUND'), errorDetails: z.string() })
  .meta({ id: 'FlagNotFound' });

const bulkSchema = z
  .object({
    flags: z.array(evaluationSchema),
    eventStreams: z.array(
      z.object({
        type: z.literal('sse'),
        endpoint: z.object({
          requestUri: z.string().describe('Path and query, at the origin of this answer. It holds a signature: keep it to yourself'),
        }),
        inactivityDelaySec: z.int(),
      }),
    ),
  })
  .meta({ id: 'BulkEvaluation' });

export interface OfrepOptions {
  readonly decider: Decider;
  readonly streams: DecisionStreams;
  readonly metrics: Metrics;
  /** @throws ProblemError `not_ready` */
  readonly assertReady: () => void;
}

/** What is wrong with a request, in OFREP's words. */
class EvaluationError extends Error {
  readonly errorCode: z.input<typeof failureSchema>['errorCode'];

  constructor(errorCode: EvaluationError['errorCode'], message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

/** Decisions for ad platforms, by the OpenFeature Remote Evaluation Protocol 0.3. */
export function registerOfrepRoutes(app: QueryApp, { assertReady, decider, metrics, streams }: OfrepOptions): void {
  const config = { scope: 'read', apiKeyHeader: true } as const;
  const tags = ['decisions'];

  app.post(
    '/ofrep/v1/evaluate/flags/:key',
    {
      config,
      errorHandler: answerFailure,
      schema: {
        operationId: 'evaluateFlag',
        summary: 'Which creative an account should see now, by one flag',
        description:
          'OFREP 0.3. The key of a flag is the `flagKey` of experiments; the targeting key is the id of the account. From memory, as of this moment. The key may come as `X-API-Key` too.',
        tags,
        params: z.object({ key: z.string().min(1).max(KEY_MAX) }),
        body: bodySchema,
        response: { 200: evaluationSchema, 400: failureSchema, 404: notFoundSchema },
      },
    },
    async (request, reply) => {
      assertReady();
      const { key } = request.params;
      const evaluation = decider.evaluate(key, accountOf(request.body));
      if (evaluation === null) {
        return reply.code(404).send({ key, errorCode: 'FLAG_NOT_FOUND', errorDetails: 'no experiment has this flagKey' });
      }
      count([evaluation]);
      return reply.send(evaluation);
    },
  );

  app.post(
    '/ofrep/v1/evaluate/flags',
    {
      config,
      errorHandler: answerFailure,
      schema: {
        operationId: 'evaluateFlags',
        summary: 'Which creatives an account should see now, by all flags',
        description:
          'OFREP 0.3. Flags whose experiments are all stopped are left out. `If-None-Match` with the ETag of an earlier answer gives 304 while nothing is decided otherwise: a score that moves within its band is no change. `eventStreams` says where `refetchEvaluation` is told as soon as something is.',
        tags,
        headers: z.looseObject({ 'if-none-match': z.string().max(2000).optional().describe('ETag of the last answer') }),
        querystring: z.looseObject({
          flagConfigEtag: z.string().max(2000).optional().describe('As an event told it'),
          flagConfigLastModified: z.string().max(100).optional().describe('As an event told it'),
        }),
        body: bodySchema,
        response: {
          200: bulkSchema,
          304: z.null().describe('Nothing is decided otherwise'),
          400: z.object(failure).meta({ id: 'BulkEvaluationFailure' }),
        },
      },
    },
    async (request, reply) => {
      assertReady();
      const accountId = accountOf(request.body);
      const flags = decider.evaluateAll(accountId);
      const etag = etagOf(flags);
      const requestUri = streams.addressOf(accountId, request.caller!.keyId);
      // Another address is another answer: one that was told 304 would go on with an address whose time is over.
      const whole = `${etag.slice(0, -1)}.${requestUri.slice(-6)}"`;
      void reply.header('etag', whole).header('cache-control', 'private, no-cache');
      if (isKnown(request.headers['if-none-match'], whole)) return reply.code(304).send(null);
      count(flags);
      return reply.send({
        flags,
        eventStreams: [{ type: 'sse' as const, endpoint: { requestUri }, inactivityDelaySec: INACTIVITY_SECONDS }],
      });
    },
  );

  function count(evaluations: readonly Evaluation[]): void {
    for (const { metadata, reason, variant } of evaluations) {
      metrics.count('decisions_total', { experiment: String(metadata['experiment']), creative: variant, reason });
    }
  }
}

function isKnown(header: unknown, etag: string): boolean {
  if (typeof header !== 'string') return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}

function accountOf({ context }: z.output<typeof bodySchema>): string {
  const key = context?.targetingKey;
  if (key === undefined || key === null || key === '') {
    throw new EvaluationError('TARGETING_KEY_MISSING', 'context.targetingKey must be the id of an account');
  }
  if (typeof key !== 'string' || key.length > KEY_MAX) {
    throw new EvaluationError(
      'INVALID_CONTEXT',
      `context.targetingKey must be a text of at most ${KEY_MAX} characters: the id of an account`,
    );
  }
  return key;
}

/** Errors of the request in OFREP's form; what keys and the service are at fault for is answered as everywhere. */
function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const isBad = error instanceof ProblemError && error.statusCode === 400;
  if (!(error instanceof EvaluationError) && !isBad) throw error;
  const { key } = request.params as { key?: string };
  const errorCode = error instanceof EvaluationError ? error.errorCode : 'PARSE_ERROR';
  void reply.code(400).send({ ...(key !== undefined && { key }), errorCode, errorDetails: (error as Error).message });
}
