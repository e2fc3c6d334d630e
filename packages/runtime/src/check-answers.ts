import { z } from 'zod';
import type { DeclaredResponse } from './describe-routes.ts';
import type { HttpApp } from './http-app-type.ts';

/** Holds every answer of a documented route against the schema that the OpenAPI document shows, as it goes over the wire. For tests. */
export function checkAnswers(app: HttpApp): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const { url, schema } = request.routeOptions;
    const declared = (schema as { hide?: boolean; response?: Record<string, DeclaredResponse> } | undefined) ?? {};
    if (url === undefined || declared.hide || declared.response === undefined || request.method === 'HEAD') return payload;
    // A fault of ours is no documented answer, and shows itself.
    if (reply.statusCode === 500) return payload;
    const where = `${request.method} ${url} answered ${reply.statusCode}`;
    const response = declared.response[reply.statusCode];
    if (response === undefined) throw new Error(`${where}, which its schema does not document`);
    if (typeof payload !== 'string') return payload;

    const mediaType = String(reply.getHeader('content-type')).split(';', 1)[0]!;
    const content = response instanceof z.ZodType ? { 'application/json': { schema: response } } : response.content;
    const expected = Object.hasOwn(content, mediaType) ? content[mediaType] : undefined;
    if (expected === undefined) throw new Error(`${where} as ${mediaType}, which its schema does not document`);
    const checked = expected.schema.safeParse(mediaType.endsWith('json') ? JSON.parse(payload) : payload);
    if (!checked.success)
      throw new Error(`${where} otherwise than documented: ${z.prettifyError(checked.error)}\n${payload.slice(0, 500)}`);
    return payload;
  });
}
