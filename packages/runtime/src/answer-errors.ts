import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEMS, problemDocument, ProblemError, type ProblemCode } from './problem.ts';
import { bodyTooLarge } from './read-body.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const PROBLEM_TYPE = 'application/problem+json';

/** What the framework throws by itself, in our words. Anything else is a fault of ours. */
const FRAMEWORK_ERRORS: ReadonlyMap<string, ProblemCode> = new Map([
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 'malformed_body'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_ERR_BAD_URL', 'invalid_request'],
  // An id longer than any that exists.
  ['FST_ERR_MAX_PARAM_LENGTH', 'not_found'],
]);

const BY_STATUS: ReadonlyMap<number, ProblemCode> = new Map([
  [400, 'invalid_request'],
  [404, 'not_found'],
  [406, 'not_acceptable'],
  [408, 'request_timeout'],
  [413, 'body_too_large'],
  [415, 'unsupported_media_type'],
  [429, 'too_many_requests'],
  [503, 'unavailable'],
]);

/** The one error handler: every error leaves as problem+json, none with a stack or an inner message of ours. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error, request);
  if (problem.statusCode >= 500) {
    const { method } = request;
    const log = { method, route: request.routeOptions.url, status: problem.statusCode, code: problem.code };
    if (problem.statusCode === 500) request.log.error({ ...log, err: problem.cause ?? error }, 'a request failed');
    // Probes ask many times a second until it is ready.
    else if (problem.code === 'not_ready') request.log.debug(log, problem.message);
    else request.log.warn(problem.cause === undefined ? log : { ...log, err: problem.cause }, problem.message);
  }
  if (!request.raw.complete) dropRest(request, reply);
  sendProblem(reply, problem, problem.statusCode >= 500 ? { requestId: request.id } : {});
}

/**
 * A client that is still sending would have its connection reset, and not see why. So what it sends is read and dropped, for as long as a
 * request may take, instead of closing the connection as the framework would.
 */
function dropRest({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection');
  raw.unpipe();
  raw.resume();
}

function sendProblem(reply: FastifyReply, problem: ProblemError, members: Readonly<Record<string, unknown>> = {}): void {
  const errors = problem.errors ? { errors: problem.errors } : {};
  const document = problemDocument(problem.code, problem.message, { ...errors, ...problem.members, ...members });
  void reply
    .code(problem.statusCode)
    .headers({ ...problem.headers, 'content-type': PROBLEM_TYPE })
    .send(document);
}

function toProblem(error: unknown, request: FastifyRequest): ProblemError {
  if (error instanceof ProblemError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge(request.routeOptions.bodyLimit);
  const known = FRAMEWORK_ERRORS.get(String(code)) ?? (typeof statusCode === 'number' ? BY_STATUS.get(statusCode) : undefined);
  switch (known) {
    case undefined:
      return new ProblemError('internal', 'the request failed; the log of the service says why', { cause: error });
    case 'unsupported_media_type':
      return unsupportedMediaType(request);
    case 'malformed_body':
      return new ProblemError(known, 'the body does not have the length that Content-Length says', { cause: error });
    default:
      return new ProblemError(known, error instanceof Error ? error.message : PROBLEMS[known].title, { cause: error });
  }
}

function unsupportedMediaType(request: FastifyRequest): ProblemError {
  const given = request.headers['content-type'];
  const body = (request.routeOptions.schema as { body?: { content?: object } } | undefined)?.body;
  const accepted = Object.keys(body?.content ?? { 'application/json': null });
  const what =
    given === undefined ? 'the body has no Content-Type' : `Content-Type ${JSON.stringify(given.slice(0, 100))} is not taken here`;
  return new ProblemError('unsupported_media_type', `${what}; send ${accepted.join(' or ')}`, {
    headers: { 'accept-post': accepted.join(', ') },
  });
}

/** For a path that no route has: 405 when another method has it, else 404. Thrown before the body is read. */
export function notFound(request: FastifyRequest): ProblemError {
  const path = request.url.split('?', 1)[0]!;
  const allowed = METHODS.filter((method) => request.server.findRoute({ method, url: path }) !== null);
  if (allowed.length === 0) return new ProblemError('not_found', 'no route has this path');
  const detail = `${request.method} is not taken here; ${allowed.join(', ')} ${allowed.length === 1 ? 'is' : 'are'}`;
  return new ProblemError('method_not_allowed', detail, { headers: { allow: allowed.join(', ') } });
}

const CLIENT_ERRORS: ReadonlyMap<string, readonly [ProblemCode, string]> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', ['request_timeout', 'the request did not arrive in time']],
  ['HPE_HEADER_OVERFLOW', ['headers_too_large', 'the headers are longer than 16 KiB']],
]);

/** Answers what never became a request: broken HTTP, or headers and bodies that dribble in. There is no reply object, only the socket. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [code, detail] = CLIENT_ERRORS.get(error.code ?? '') ?? ['invalid_request', 'this is not valid HTTP'];
  const { status } = PROBLEMS[code];
  const body = problemDocument(code, detail);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
