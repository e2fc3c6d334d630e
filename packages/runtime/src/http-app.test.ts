import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { InjectOptions } from 'fastify';
import type { HttpApp } from './http-app-type.ts';
import { createHttpApp } from './http-app.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { bearer, createTestApp } from './test-app.ts';

let app: HttpApp;
let logged: readonly Record<string, unknown>[];
beforeAll(async () => ({ app, logged } = await createTestApp({ readiness: { store: () => ({ ready: true, detail: 'answers' }) } })));
afterAll(() => app.close());

const post = (payload: string | Buffer, headers: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  url: '/v1/items',
  payload,
  headers: { 'content-type': 'application/json', ...bearer('sk_all'), ...headers },
});

describe('errors are problem documents', () => {
  const json = '{"name":"a"}';
  const cases: readonly (readonly [string, InjectOptions, number, string])[] = [
    ['unknown path', { url: '/v1/nothing' }, 404, 'not_found'],
    ['unknown path with a body that is no JSON', { ...post('{'), url: '/v1/nothing' }, 404, 'not_found'],
    ['another method', { method: 'DELETE', url: '/v1/items/1' }, 405, 'method_not_allowed'],
    ['broken percent-encoding', { url: '/v1/items/%ff', headers: bearer('sk_all') }, 400, 'invalid_request'],
    ['a longer path parameter than any id', { url: `/v1/items/${'a'.repeat(2000)}` }, 404, 'not_found'],
    ['no key', { url: '/v1/items/1' }, 401, 'unauthenticated'],
    ['another authorization scheme', { url: '/v1/items/1', headers: { authorization: 'Basic YTpi' } }, 401, 'unauthenticated'],
    ['an unknown key', { url: '/v1/items/1', headers: bearer('sk_none') }, 401, 'unauthenticated'],
    ['a key named like a method of objects', { url: '/v1/items/1', headers: bearer('constructor') }, 401, 'unauthenticated'],
    ['a key without the scope', { ...post(json), headers: bearer('sk_reader') }, 403, 'forbidden'],
    ['a write key', { url: '/v1/items/1', headers: bearer('wk_page') }, 403, 'forbidden'],
    [
      'a secret key in a web page',
      { url: '/v1/items/1', headers: { ...bearer('sk_all'), origin: 'https://shop.example' } },
      403,
      'forbidden',
    ],
    ['a secret key in a sandboxed page', { url: '/v1/items/1', headers: { ...bearer('sk_all'), origin: 'null' } }, 403, 'forbidden'],
    ['broken JSON', post('{"name":'), 400, 'malformed_json'],
    ['an empty body', post(''), 400, 'empty_body'],
    ['no body at all', { method: 'POST', url: '/v1/items', headers: bearer('sk_all') }, 400, 'invalid_request'],
    ['bytes that are not UTF-8', post(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), 400, 'malformed_body'],
    ['nesting of 10^5', post('['.repeat(1e5)), 413, 'body_too_large'],
    ['a body over the limit', post(JSON.stringify({ name: 'a'.repeat(5000) })), 413, 'body_too_large'],
    ['another media type', post('<a/>', { 'content-type': 'application/xml' }), 415, 'unsupported_media_type'],
    ['plain text', post(json, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    ['a media type that is none', post(json, { 'content-type': 'json' }), 415, 'unsupported_media_type'],
    ['an unknown encoding', post(json, { 'content-encoding': 'lzma' }), 415, 'unsupported_encoding'],
    ['two encodings', post(json, { 'content-encoding': 'gzip, gzip' }), 415, 'unsupported_encoding'],
    ['an encoding named like a method of objects', post(json, { 'content-encoding': 'constructor' }), 415, 'unsupported_encoding'],
    ['a wrong Content-Length', post(json, { 'content-length': '5' }), 400, 'malformed_body'],
    ['a query parameter twice', { url: '/v1/items/1?limit=1&limit=2', headers: bearer('sk_all') }, 400, 'invalid_request'],
    ['an unknown query parameter', { url: '/v1/items/1?limits=1', headers: bearer('sk_all') }, 400, 'invalid_request'],
  ];
  test.each(cases)('%s', async (_, request, status, code) => {
    const answer = await app.inject(request);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    const problem = answer.json<Record<string, unknown>>();
    expect(problem).toMatchObject({ type: `urn:touchstone:problem:${code}`, status, code });
    expect(problem['title']).toEqual(expect.any(String));
    expect(problem['detail']).toEqual(expect.any(String));
  });

  it.each(['{"name":"a","__proto__":{}}', '{"name":"a","size":[{"\\u005f_proto__":1}]}'])(
    'refuses %s before any schema sees it',
    async (body) => {
      expect((await app.inject(post(body))).json()).toMatchObject({ detail: 'the key __proto__ is not taken' });
    },
  );

  it('names every field at fault, with its limit', async () => {
    const answer = await app.inject(post('{"name":"too long","size":"1","colour":"red"}'));
    expect(answer.json()).toMatchObject({
      detail: 'name must have at most 5 characters (and 2 more)',
      errors: [
        { in: 'body', pointer: '#/name', detail: 'name must have at most 5 characters' },
        { in: 'body', pointer: '#/size', detail: 'size must be a number' },
        { in: 'body', pointer: '#', detail: 'the body has no field "colour"' },
      ],
    });
  });

  it('says what is missing, and that a number must be finite', async () => {
    const answer = await app.inject(post('{"size":1e999}'));
    expect(answer.json<{ errors: { detail: string }[] }>().errors.map(({ detail }) => detail)).toEqual([
      'name is missing',
      'size must be a finite number',
    ]);
  });

  it('tells the methods that a path takes', async () => {
    const answer = await app.inject({ method: 'PUT', url: '/v1/items/1?x=1' });
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });

  it('tells the scope that a key lacks', async () => {
    const answer = await app.inject({ ...post('{}'), headers: bearer('sk_reader') });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="touchstone", error="insufficient_scope", scope="ingest"');
    expect(answer.json()).toMatchObject({ detail: 'this needs an API key with scope ingest' });
  });

  it('keeps the reason of a failure to the log', async () => {
    const answer = await app.inject({ url: '/v1/broken' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(answer.body).not.toContain('.ts');
    expect(JSON.stringify(logged)).toContain('the secret inner reason');
    expect(answer.json<{ requestId: string }>().requestId).toEqual(logged.at(-1)?.['reqId']);
  });
});

describe('what every answer has', () => {
  it('writes numbers that are not finite as null', async () => {
    const answer = await app.inject({ url: '/v1/items/1?limit=0', headers: bearer('sk_reader') });
    expect(answer.body).toBe('{"name":"1","size":null}');
  });

  it.each(['/healthz', '/v1/nothing', '/docs'])('%s carries security headers', async (url) => {
    const { headers } = await app.inject({ url });
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  });
});

describe('keys and web pages', () => {
  it('takes a write key where pages may post, from any origin', async () => {
    const request = { ...post('{"name":"a"}', { ...bearer('wk_page'), origin: 'https://shop.example' }), url: '/v1/collect' };
    const answer = await app.inject(request);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect((await app.inject({ ...request, payload: '{' })).headers['access-control-allow-origin']).toBe('*');
    expect((await app.inject(post('{"name":"a"}'))).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('takes a secret key from a page of its own', async () => {
    const answer = await app.inject({
      url: '/v1/items/1',
      headers: { ...bearer('sk_all'), origin: 'http://127.0.0.1:8080', host: '127.0.0.1:8080' },
    });
    expect(answer.statusCode).toBe(200);
  });

  it('logs that a secret key leaked, without the key', async () => {
    await app.inject({ url: '/v1/items/1', headers: { ...bearer('sk_all'), origin: 'https://shop.example' } });
    expect(logged.at(-1)).toMatchObject({ keyId: 'all', level: 40 });
    expect(JSON.stringify(logged)).not.toContain('sk_all');
  });

  it('refuses a route under /v1 that declares no scope', async () => {
    const logger = createLogger({ service: 'test', level: 'silent' });
    const bare = await createHttpApp({ logger, metrics: createMetrics({ ofProcess: false }), keys: { verify: () => null } });
    expect(() => bare.get('/v1/open', () => 'open')).toThrow('GET /v1/open declares no scope');
    await bare.close();
  });
});

describe('operations', () => {
  it('is alive and ready', async () => {
    expect((await app.inject({ url: '/healthz' })).json()).toEqual({ status: 'ok' });
    expect((await app.inject({ url: '/readyz' })).json()).toEqual({ ready: true, checks: { store: { ready: true, detail: 'answers' } } });
  });

  it('is not ready while a check says so, and names it', async () => {
    const { app } = await createTestApp({ readiness: { state: () => ({ ready: false, detail: '3 of 8 partitions restored' }) } });
    const answer = await app.inject({ url: '/readyz' });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({
      code: 'not_ready',
      detail: 'state: 3 of 8 partitions restored',
      checks: { state: { ready: false } },
    });
    await app.close();
  });

  it('sends new requests elsewhere while it stops, but goes on answering probes', async () => {
    const { app } = await createTestApp({ draining: () => true });
    const answer = await app.inject(post('{"name":"a"}'));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers).toMatchObject({ 'retry-after': '2', connection: 'close' });
    expect((await app.inject({ url: '/readyz' })).statusCode).toBe(503);
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200);
    await app.close();
  });

  it('measures requests by route, never by path', async () => {
    await app.inject({ url: '/v1/items/one', headers: bearer('sk_reader') });
    await app.inject({ url: '/some/where' });
    const { body, headers } = await app.inject({ url: '/metrics' });
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toMatch(/touchstone_http_request_seconds_count\{route="\/v1\/items\/:id",method="GET",status="200"\} \d+/);
    expect(body).toMatch(/touchstone_http_request_seconds_count\{route="none",method="GET",status="404"\} \d+/);
    expect(body).not.toContain('items/one');
  });
});

describe('the OpenAPI document', () => {
  it('documents on each route what its hooks can answer', async () => {
    const document = (await app.inject({ url: '/openapi.json' })).json<{
      openapi: string;
      paths: Record<string, Record<string, { responses: object; security?: object; requestBody?: object }>>;
    }>();
    expect(document.openapi).toBe('3.1.0');
    const { responses, security, requestBody } = document.paths['/v1/items']!['post']!;
    expect(Object.keys(responses)).toEqual(['200', '400', '401', '403', '413', '415', '431', '503']);
    expect(security).toEqual([{ bearer: ['ingest'] }]);
    expect(requestBody).toEqual({ required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/TestItem' } } } });
    expect(Object.keys(document.paths['/v1/items/{id}']!['get']!.responses)).toEqual(['200', '400', '401', '403', '404', '431', '503']);
    expect(document.paths).not.toHaveProperty('/v1/broken');
  });

  it('holds each schema once, and only what is used', async () => {
    const { components } = (await app.inject({ url: '/openapi.json' })).json<{
      components: { schemas: Record<string, { properties: object }> };
    }>();
    expect(Object.keys(components.schemas)).toEqual(['FieldError', 'Health', 'NotReady', 'Problem', 'Ready', 'TestItem']);
    expect(components.schemas['Problem']!.properties).toMatchObject({ errors: { items: { $ref: '#/components/schemas/FieldError' } } });
  });

  it('is shown by a page that needs nothing from outside', async () => {
    const page = await app.inject({ url: '/docs' });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.body).not.toMatch(/https?:\/\//);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    const script = /src="([^"]+)"/.exec(page.body)![1]!;
    expect((await app.inject({ url: script })).body.length).toBeGreaterThan(1_000_000);
  });
});
