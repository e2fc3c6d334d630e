import type { FastifyReply, FastifyRequest } from 'fastify';
import { COLLECT, type Scope } from './api-keys.ts';
import type { HttpApp } from './http-app-type.ts';
import type { Caller } from './key-ring.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key must be allowed to do to use the route; `public` needs no key. Every route under /v1 says one. */
    scope?: Scope | 'public';
    /** Write keys of web pages may use the route too, from any origin. */
    collect?: boolean;
    /** The key may come as X-API-Key too, where a protocol says so. */
    apiKeyHeader?: boolean;
  }
  interface FastifyRequest {
    /** Whose key the request carries; null on public routes. */
    caller: Caller | null;
  }
}

export interface KeyVerifier {
  /** Whom a bearer token belongs to; null when it is no key in force. */
  verify(token: string): Caller | null;
}

/** Lets a request through only with a key that has the scope its route declares. */
export function guardRoutes(app: HttpApp, keys: KeyVerifier): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/v1/') && route.config?.scope === undefined) {
      throw new Error(`${String(route.method)} ${route.url} declares no scope: give it config.scope, 'public' if it needs no key`);
    }
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { scope, collect = false, apiKeyHeader = false } = request.routeOptions.config;
    const apiKey = request.headers['x-api-key'];
    if (apiKeyHeader && typeof apiKey === 'string') request.headers.authorization ??= `Bearer ${apiKey}`;
    if (collect) reply.header('access-control-allow-origin', '*');
    if (scope !== undefined && scope !== 'public') request.caller = admit(request, keys, scope, collect);
    done();
  });
}

function admit(request: FastifyRequest, keys: KeyVerifier, scope: Scope, collect: boolean): Caller {
  const { authorization } = request.headers;
  if (authorization === undefined) throw unauthenticated('send an API key: Authorization: Bearer sk_...', '');
  const token = /^bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthenticated('the Authorization header must be: Bearer and an API key', ', error="invalid_request"');
  const caller = keys.verify(token);
  if (caller === null) throw unauthenticated('the API key is not known, or was revoked', ', error="invalid_token"');

  if (caller.kind === 'write') {
    if (collect && caller.scopes.has(COLLECT)) return caller;
    throw forbidden(`a write key can only post touches; this needs a secret key with scope ${scope}`, scope);
  }
  if (isCrossOrigin(request)) {
    request.log.warn({ keyId: caller.keyId }, 'a secret key was used by a page of another origin: revoke it');
    throw forbidden('this secret key was sent by a web page, where anyone can read it: revoke it, and give pages a write key', scope);
  }
  if (!caller.scopes.has(scope)) throw forbidden(`this needs an API key with scope ${scope}`, scope);
  return caller;
}

/** Browsers send Origin with every request to another site, and with posts to their own: our own pages may hold the visitor's key. */
function isCrossOrigin(request: FastifyRequest): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== request.headers.host;
}

function unauthenticated(detail: string, parameters: string): ProblemError {
  return new ProblemError('unauthenticated', detail, { headers: { 'www-authenticate': `Bearer realm="touchstone"${parameters}` } });
}

function forbidden(detail: string, scope: Scope): ProblemError {
  const challenge = `Bearer realm="touchstone", error="insufficient_scope", scope="${scope}"`;
  return new ProblemError('forbidden', detail, { headers: { 'www-authenticate': challenge } });
}

/** Answers a browser's preflight for a route that pages may post to. */
export function answerPreflight(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .headers({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'authorization, content-type, content-encoding',
      'access-control-max-age': '86400',
    })
    .send();
}
