import { fastify, LogController } from 'fastify';
import { answerClientError, answerError, notFound } from './answer-errors.ts';
import { checkAnswers } from './check-answers.ts';
import { closeUnusedSockets } from './close-unused-sockets.ts';
import { describeRoutes } from './describe-routes.ts';
import { guardRoutes, type KeyVerifier } from './guard-routes.ts';
import { registerHealth, type ReadinessChecks } from './health-routes.ts';
import type { HttpApp } from './http-app-type.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { registerOpenApi } from './openapi.ts';
import { ProblemError } from './problem.ts';
import { HELD_BODY_BYTES_MAX, readBodies } from './read-body.ts';
import { requestLogger } from './request-logger.ts';
import { securityHeaders } from './security-headers.ts';
import { validateParts } from './validate-parts.ts';

/** Every way in which a client could hold on to the server for longer, or with more bytes, than it needs. */
export const HTTP_LIMITS = {
  /** Of a route that sets none; batch routes set their own. */
  bodyBytesMax: 1024 * 1024,
  /** Headers that dribble in are given up. */
  headersTimeoutMs: 10_000,
  /** The same for whole requests, bodies included. */
  requestTimeoutMs: 30_000,
  /** How often Node looks for connections that are over either time; its own 30 s would let them live twice as long. */
  connectionsCheckMs: 2_000,
  /** Longer than the minute after which common load balancers let go, so that it is not us who close under a request in flight. */
  keepAliveMs: 72_000,
  /** A socket over which nothing moves, such as one of a reader that stopped reading. Streams send a heartbeat more often. */
  idleSocketMs: 120_000,
  requestsPerSocketMax: 100_000,
  connectionsMax: 10_000,
  /** An id of 128 UTF-16 units takes at most 9 characters each when percent-encoded. */
  pathParameterMax: 1152,
} as const;

export interface HttpAppOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly keys: KeyVerifier;
  /** What must hold before the process should get traffic, by name. */
  readonly readiness?: ReadinessChecks;
  /** True once the process is on its way out: new requests are sent elsewhere with 503. */
  readonly draining?: () => boolean;
  readonly heldBodyBytesMax?: number;
  /** For tests: an answer that its route does not document, or documents otherwise, becomes an error. */
  readonly checkAnswers?: boolean;
}

/** Makes the app with everything that routes share; they are registered on it afterwards, and it listens when they are. */
export async function createHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { logger, metrics, keys, readiness = {}, draining = () => false } = options;
  const app: HttpApp = fastify({
    loggerInstance: logger,
    childLoggerFactory: requestLogger,
    // A line per request would cost more than the request, and its URL holds the ids of accounts.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: HTTP_LIMITS.bodyBytesMax,
    requestTimeout: HTTP_LIMITS.requestTimeoutMs,
    connectionTimeout: HTTP_LIMITS.idleSocketMs,
    keepAliveTimeout: HTTP_LIMITS.keepAliveMs,
    maxRequestsPerSocket: HTTP_LIMITS.requestsPerSocketMax,
    http: { headersTimeout: HTTP_LIMITS.headersTimeoutMs, connectionsCheckingInterval: HTTP_LIMITS.connectionsCheckMs },
    routerOptions: { maxParamLength: HTTP_LIMITS.pathParameterMax },
    // Draining answers in our own words, below.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    clientErrorHandler: answerClientError,
  });
  app.server.maxConnections = HTTP_LIMITS.connectionsMax;
  closeUnusedSockets(app);

  const headers = await securityHeaders();
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(() => {});
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers);
    if (request.is404) done(notFound(request));
    else if (draining() && request.routeOptions.config.scope !== undefined) done(goingAway());
    else done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const labels = { route: routeOptions.url ?? 'none', method, status: String(reply.statusCode) };
    metrics.observe('http_request_seconds', labels, reply.elapsedTime / 1000);
    done();
  });
  guardRoutes(app, keys);
  describeRoutes(app);
  readBodies(app, options.heldBodyBytesMax ?? HELD_BODY_BYTES_MAX);
  validateParts(app);
  if (options.checkAnswers) checkAnswers(app);
  await registerOpenApi(app);
  registerHealth(app, { metrics, readiness, draining });
  return app;
}

function goingAway(): ProblemError {
  return new ProblemError('unavailable', 'the service is stopping; another one, or this one after its start, will answer', {
    headers: { 'retry-after': '2', connection: 'close' },
  });
}
