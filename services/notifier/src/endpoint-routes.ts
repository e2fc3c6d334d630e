import { csvOf, prefersCsv, problemResponse, ProblemError, type Clock, type HttpApp } from '@touchstone/runtime';
import { z } from 'zod';
import type { AddressGuard } from './address-guard.ts';
import type { Dispatcher } from './dispatcher.ts';
import { filterSchema, type Endpoint } from './endpoint.ts';
import type { EndpointBook } from './endpoint-book.ts';
import { answered, type RouteStore } from './notifier-store.ts';
import { sampleAlert } from './sample-alert.ts';
import { createSecret, secretProblem } from './webhook-secret.ts';
import { timeText } from './webhook-body.ts';

export interface NotifierRoutes {
  readonly book: EndpointBook;
  readonly dispatcher: Dispatcher;
  readonly guard: AddressGuard;
  readonly store: RouteStore;
  readonly clock: Clock;
  /** Alerts an hour and owner of a Slack endpoint that says nothing else. */
  readonly ownerBudget: number;
}

/** Each has a queue and connections of its own. */
const ENDPOINTS_MAX = 200;
/** While receivers change over from one to the other. */
const SECRETS_MAX = 2;

export const time = z.iso.datetime({ precision: 3 }).describe('RFC 3339, UTC, milliseconds');

const url = z.string().min(1).max(2000).describe('https, port 443 or 8443, a public address; the settings may allow more');
const endpointName = z
  .string()
  .min(1)
  .max(128)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
    error: 'must be well-formed Unicode without control characters',
    params: { code: 'invalid_unicode' },
  })
  .describe('For people');
const secret = z
  .string()
  .max(128)
  .superRefine((text, context) => {
    const problem = secretProblem(text);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  })
  .describe('whsec_ and 24 to 64 bytes in base64');
const ownerBudget = z
  .int()
  .min(1)
  .max(100_000)
  .nullable()
  .describe('Alerts an hour for each owner of accounts, the rest goes into a ranked digest; null sends them all');

const newEndpointSchema = z
  .strictObject({
    name: endpointName,
    kind: z.enum(['webhook', 'slack']).default('webhook').describe('Standard Webhooks 1.0, or the incoming webhook of a Slack channel'),
    url,
    secret: secret.optional().describe('Of a webhook: whsec_ and 24 to 64 bytes in base64; one is made when it is absent'),
    filter: filterSchema.default({}),
    ownerBudget: ownerBudget.optional().describe('Alerts an hour for each owner; default null for a webhook, 20 for Slack'),
  })
  .refine(({ kind, secret: given }) => kind === 'webhook' || given === undefined, {
    path: ['secret'],
    message: 'is not for Slack, whose URL is the secret',
  })
  .meta({ id: 'NewEndpoint' });

const changesSchema = z
  .strictObject({
    name: endpointName.optional(),
    url: url.optional(),
    filter: filterSchema.optional(),
    ownerBudget: ownerBudget.optional(),
    state: z.enum(['active', 'disabled']).optional().describe('A disabled endpoint misses what is told meanwhile'),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'must name at least one field to change')
  .meta({ id: 'EndpointChanges' });

const endpointSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['webhook', 'slack']),
    url: z.string().describe('Of Slack without what is secret in it'),
    filter: filterSchema,
    ownerBudget: z.int().nullable(),
    secrets: z.int().describe('How many secrets messages are signed with; a secret is shown when it is made, and never again'),
    state: z.enum(['active', 'disabled']),
    stateReason: z.string(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Endpoint' });

const withSecret = z.string().nullable().describe('Shown this once; null for Slack');
const createdSchema = endpointSchema.extend({ secret: withSecret }).meta({ id: 'CreatedEndpoint' });

const testedSchema = z
  .object({
    id: z.string().describe('webhook-id of the message'),
    outcome: z.enum(['delivered', 'failed']),
    status: z.int().nullable().describe('What the receiver answered; null without an answer'),
    error: z.string().nullable(),
    ms: z.int(),
  })
  .meta({ id: 'TestedEndpoint' });

export const endpointParams = z.object({ endpointId: z.string().min(1).max(128) });
const TAGS = ['endpoints'];

/** Endpoints over HTTP, for admins. */
export function registerEndpointRoutes(app: HttpApp, options: NotifierRoutes): void {
  const { book, clock, dispatcher, guard } = options;

  function assertAllowed(target: string): void {
    const refusal = guard.judgeUrl(target);
    if (refusal === null) return;
    const detail = `url ${refusal}`;
    throw new ProblemError('invalid_request', detail, { errors: [{ in: 'body', pointer: '#/url', detail }] });
  }

  app.post(
    '/v1/endpoints',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'createEndpoint',
        summary: 'Have alerts sent to a URL',
        description: 'It hears of what is told from now on. What a name stands for is judged again with each connection.',
        tags: TAGS,
        body: newEndpointSchema,
        response: { 201: createdSchema, 409: problemResponse(`There are ${ENDPOINTS_MAX} endpoints already`) },
      },
    },
    async (request, reply) => {
      const { filter, kind, name, ownerBudget: budget, secret: given, url: target } = request.body;
      assertAllowed(target);
      if (book.all.length >= ENDPOINTS_MAX) throw new ProblemError('conflict', `there are ${ENDPOINTS_MAX} endpoints already`);
      const shown = kind === 'slack' ? null : (given ?? createSecret());
      const endpoint = await answered(
        book.create({
          name,
          kind,
          url: target,
          filter,
          // That of Slack signs the links in its messages, and is never shown.
          secrets: [shown ?? createSecret()],
          ownerBudget: budget === undefined ? (kind === 'slack' ? options.ownerBudget : null) : budget,
        }),
      );
      return reply.code(201).send({ ...answer(endpoint), secret: shown });
    },
  );

  app.get(
    '/v1/endpoints',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listEndpoints',
        summary: 'All endpoints, oldest first',
        description: 'With `Accept: text/csv` as lines.',
        tags: TAGS,
        response: {
          200: {
            description: 'The endpoints',
            content: {
              'application/json': { schema: z.object({ data: z.array(endpointSchema) }).meta({ id: 'Endpoints' }) },
              'text/csv': { schema: z.string(), description: 'One line an endpoint' },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const data = book.all.map(answer);
      reply.header('vary', 'accept');
      if (!prefersCsv(request.headers.accept)) return reply.send({ data });
      // The schema of the answer covers JSON; CSV is text that no serializer touches.
      return reply
        .type('text/csv; charset=utf-8')
        .serializer(String)
        .send(csvOf(Object.keys(endpointSchema.shape), data));
    },
  );

  app.get(
    '/v1/endpoints/:endpointId',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'getEndpoint',
        summary: 'One endpoint',
        tags: TAGS,
        params: endpointParams,
        response: { 200: endpointSchema },
      },
    },
    (request) => answer(found(book.get(request.params.endpointId))),
  );

  app.patch(
    '/v1/endpoints/:endpointId',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'changeEndpoint',
        summary: 'Change an endpoint',
        description: 'What is pending is tried at once after a change.',
        tags: TAGS,
        params: endpointParams,
        body: changesSchema,
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const { body, params } = request;
      if (body.url !== undefined) assertAllowed(body.url);
      const changes = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const reason = body.state === undefined ? {} : { stateReason: body.state === 'disabled' ? 'by an admin' : '' };
      return answer(found(await answered(book.change(params.endpointId, { ...changes, ...reason }))));
    },
  );

  app.delete(
    '/v1/endpoints/:endpointId',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'deleteEndpoint',
        summary: 'Send nothing to an endpoint any more',
        description: 'What is pending for it is dropped.',
        tags: TAGS,
        params: endpointParams,
        response: { 204: z.null().describe('Deleted') },
      },
    },
    async (request, reply) => {
      if (!(await answered(book.remove(request.params.endpointId)))) throw notFound();
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/endpoints/:endpointId/secrets',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'rotateEndpointSecret',
        summary: 'Give a webhook another secret',
        description:
          'Messages are signed with the new one and, unless `keepOld` is false, with the one before as well: receivers change over, then a second call ends that.',
        tags: TAGS,
        params: endpointParams,
        body: z.strictObject({ secret: secret.optional(), keepOld: z.boolean().default(true) }).meta({ id: 'NewEndpointSecret' }),
        response: {
          201: z.object({ secret: z.string(), secrets: z.int() }).meta({ id: 'CreatedEndpointSecret' }),
          409: problemResponse('It is an endpoint of Slack'),
        },
      },
    },
    async (request, reply) => {
      const { keepOld, secret: given = createSecret() } = request.body;
      const before = found(book.get(request.params.endpointId));
      if (before.kind === 'slack') throw new ProblemError('conflict', 'a Slack endpoint has no secret but its URL');
      const rotated = (secrets: readonly string[]) =>
        [given, ...(keepOld ? secrets.filter((one) => one !== given) : [])].slice(0, SECRETS_MAX);
      const after = found(await answered(book.change(before.id, ({ secrets }) => ({ secrets: rotated(secrets) }))));
      return reply.code(201).send({ secret: given, secrets: after.secrets.length });
    },
  );

  app.post(
    '/v1/endpoints/:endpointId/test',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'testEndpoint',
        summary: 'Send an example alert, once, now',
        description: 'Whatever the filter and the state of the endpoint; the message says that it is a test.',
        tags: TAGS,
        params: endpointParams,
        response: { 200: testedSchema },
      },
    },
    async (request) => {
      const endpoint = found(book.get(request.params.endpointId));
      const { attempt, id } = await answered(dispatcher.sendTest(endpoint, sampleAlert(clock())));
      const { error, ms, status } = attempt;
      const isDelivered = status !== null && status >= 200 && status < 300;
      return { id, outcome: isDelivered ? ('delivered' as const) : ('failed' as const), status, error, ms };
    },
  );
}

function found(endpoint: Endpoint | null): Endpoint {
  if (endpoint === null) throw notFound();
  return endpoint;
}

function notFound(): ProblemError {
  return new ProblemError('not_found', 'there is no endpoint with this id');
}

function answer(endpoint: Endpoint): z.input<typeof endpointSchema> {
  const { createdAt, filter, id, kind, name, ownerBudget: budget, secrets, state, stateReason, updatedAt } = endpoint;
  return {
    id,
    name,
    kind,
    // Whoever has the URL of a Slack channel can write there.
    url: kind === 'slack' ? `${new URL(endpoint.url).origin}/...` : endpoint.url,
    filter,
    ownerBudget: budget,
    secrets: kind === 'slack' ? 0 : secrets.length,
    state: state === 'disabled' ? 'disabled' : 'active',
    stateReason,
    createdAt: timeText(createdAt),
    updatedAt: timeText(updatedAt),
  };
}
