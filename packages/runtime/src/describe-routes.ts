import type { RouteOptions } from 'fastify';
import type { z } from 'zod';
import type { HttpApp } from './http-app-type.ts';
import { PROBLEMS, problemSchema, type ProblemCode } from './problem.ts';

/** A response as a route declares it: a zod schema, which means application/json, or schemas by media type. */
export type DeclaredResponse =
  | z.ZodType
  | { readonly description: string; readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>> };

interface DeclaredSchema {
  hide?: boolean;
  description?: string;
  body?: unknown;
  querystring?: unknown;
  params?: unknown;
  security?: readonly Readonly<Record<string, readonly string[]>>[];
  response?: Record<string, DeclaredResponse>;
}

/** Bodies of these are read and parsed before the route gets a say, whether it has a use for one or not. */
/** Bodies of these are read and parsed before the route gets a say, whether it has a use for one or not. */
const READS_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** A response of problem+json for a route to declare, for statuses that are its own. */
export function problemResponse(description: string, schema: z.ZodType = problemSchema): DeclaredResponse {
  return { description, content: { 'application/problem+json': { schema } } };
}

/**
 * Adds to each route the errors that hooks, parsers and validation can answer with, so that no route repeats them and the OpenAPI document
 * leaves none out. What a route declares itself stands.
 */
export function describeRoutes(app: HttpApp): void {
  app.addHook('onRoute', (route) => {
    const schema = route.schema as DeclaredSchema | undefined;
    if (!schema || schema.hide) return;
    const response: Record<string, DeclaredResponse> = { ...schema.response };
    for (const [status, codes] of errorsOf(route, schema)) {
      response[status] ??= problemResponse(codes.map((code) => PROBLEMS[code].title).join(', or '));
    }
    const { scope, collect } = route.config ?? {};
    const guarded = scope !== undefined && scope !== 'public';
    const needs = collect ? `Needs a key with scope \`${scope}\`, or a write key.` : `Needs a key with scope \`${scope}\`.`;
    route.schema = {
      ...schema,
      response,
      ...(guarded && {
        security: [{ bearer: [scope] }],
        description: schema.description === undefined ? needs : `${schema.description}\n\n${needs}`,
      }),
    };
  });
}

function errorsOf(route: RouteOptions, schema: DeclaredSchema): Map<string, ProblemCode[]> {
  const codes: ProblemCode[] = [];
  const { scope } = route.config ?? {};
  const reads = [route.method].flat().some((method) => READS_BODY.has(method));
  if (reads && schema.body !== undefined) codes.push('empty_body');
  if (reads) codes.push('malformed_json', 'body_too_large', 'unsupported_media_type', 'unsupported_encoding');
  if (reads || schema.querystring !== undefined || schema.params !== undefined) codes.push('invalid_request');
  if (schema.params !== undefined) codes.push('not_found');
  if (scope !== undefined && scope !== 'public') codes.push('unauthenticated', 'forbidden');
  if (scope !== undefined) codes.push('headers_too_large', 'unavailable');
  const byStatus = new Map<string, ProblemCode[]>();
  for (const code of codes) {
    const status = String(PROBLEMS[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
