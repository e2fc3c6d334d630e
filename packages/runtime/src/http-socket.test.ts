import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it, test } from 'vitest';
import type { HttpApp } from './http-app-type.ts';
import type { HttpAppOptions } from './http-app.ts';
import { bearer, createTestApp } from './test-app.ts';

let app: HttpApp;
afterEach(() => app.close());

async function listen(options: Partial<HttpAppOptions> = {}): Promise<string> {
  ({ app } = await createTestApp(options));
  return app.listen({ port: 0, host: '127.0.0.1' });
}

const post = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', ...bearer('sk_all'), ...headers },
  ...(body instanceof ReadableStream && { duplex: 'half' }),
});

const json = JSON.stringify({ name: 'a', size: 1 });
const bomb = Buffer.alloc(64 * 1024 * 1024, ' ');

async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code;
}

describe('encoded bodies', () => {
  test.each([
    ['gzip', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['GZIP', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['br', brotliCompressSync(json)],
    ['zstd', zstdCompressSync(json)],
    ['identity', Buffer.from(json)],
  ])('%s is undone', async (encoding, body) => {
    const base = await listen();
    const answer = await fetch(`${base}/v1/items`, post(body, { 'content-encoding': encoding }));
    expect([answer.status, await answer.text()]).toEqual([200, json]);
  });

  test.each([
    ['a gzip bomb', 'gzip', gzipSync(bomb), 413, 'body_too_large'],
    ['a zstd bomb', 'zstd', zstdCompressSync(bomb), 413, 'body_too_large'],
    ['a brotli bomb', 'br', brotliCompressSync(bomb, { params: { 1: 4 } }), 413, 'body_too_large'],
    ['gzip cut short', 'gzip', gzipSync(json).subarray(0, -6), 400, 'malformed_body'],
    ['no gzip at all', 'gzip', Buffer.from(json), 400, 'malformed_body'],
    ['an empty gzip', 'gzip', gzipSync(''), 400, 'empty_body'],
    ['gzip of broken JSON', 'gzip', gzipSync('{'), 400, 'malformed_json'],
  ])('%s', async (_, encoding, body, status, code) => {
    const base = await listen();
    const answer = await fetch(`${base}/v1/items`, post(body, { 'content-encoding': encoding }));
    expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
  });
});

describe('encoded bodies that nobody reads', () => {
  test.each([
    ['no gzip, refused for its media type', Buffer.from(json), { 'content-encoding': 'gzip', 'content-type': 'text/plain' }, 415],
    ['no zstd, refused for its media type', Buffer.from(json), { 'content-encoding': 'zstd', 'content-type': 'text/plain' }, 415],
    [
      'more gzip than the limit, that never inflates',
      Buffer.concat([gzipSync(json).subarray(0, 10), Buffer.alloc(200_000, 3)]),
      { 'content-encoding': 'gzip' },
      400,
    ],
    ['more stored bytes than the limit', gzipSync(Buffer.alloc(200_000, ' '), { level: 0 }), { 'content-encoding': 'gzip' }, 413],
  ])('%s: the process lives on', async (_, body, headers, status) => {
    const base = await listen();
    for (const whole of [body, new Blob([body]).stream()]) {
      const answer = await fetch(`${base}/v1/items`, post(whole, headers)).catch(() => null);
      // A body still on its way may find the connection closed before the answer is read.
      if (answer !== null) expect([status, 413]).toContain(answer.status);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });
});

it('lives on when a body breaks after it was refused', async () => {
  await listen();
  // A gzip header with a name of 8,000 bytes is over the limit of the route, but shows it only with the first byte that it inflates to.
  const header = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.alloc(8000, 'n'), Buffer.from([0])]);
  const stored = Buffer.from([0, 1, 0, 0xfe, 0xff, 0x20]);
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.concat([header, stored]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    yield Buffer.alloc(100, 7);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', ...bearer('sk_all') };
  const answer = await app.inject({ method: 'POST', url: '/v1/items', headers, payload: Readable.from(body()) });
  expect(answer.json()).toMatchObject({ code: 'body_too_large' });
  // An error that nobody hears ends the process, and here the run.
  await new Promise((resolve) => setTimeout(resolve, 60));
});

describe('bodies that are refused while they arrive', () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 'a');
  const chunked = (body: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  const length = `Content-Length: ${large.length}`;
  const chunks = 'Transfer-Encoding: chunked';
  const inflated = Buffer.concat([gzipSync(bomb), large]);
  test.each([
    ['for their length', length, large, 413],
    ['for their length, in chunks', chunks, chunked(large), 413],
    ['for what they inflate to', `Content-Encoding: gzip\r\nContent-Length: ${inflated.length}`, inflated, 413],
    ['for what they inflate to, in chunks', `Content-Encoding: gzip\r\n${chunks}`, chunked(inflated), 413],
    ['for their encoding', `Content-Encoding: lzma\r\n${length}`, large, 415],
    ['for their key', `Authorization: Bearer sk_none\r\n${length}`, large, 401],
  ])('%s get their answer, and the connection goes on', async (_, headers, body, status) => {
    const base = await listen();
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    let answers = '';
    socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
    const ended = once(socket, 'close');
    const key = headers.includes('Authorization') ? '' : 'Authorization: Bearer sk_all\r\n';
    socket.write(`POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${key}${headers}\r\n\r\n`);
    socket.write(body);
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await ended;
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, code]) => Number(code))).toEqual([status, 200]);
  });
});

describe('bodies in chunks', () => {
  it('refuses one that grows over the limit, and takes a small one', async () => {
    const base = await listen();
    const small = await fetch(`${base}/v1/items`, post(new Blob([json]).stream()));
    expect(small.status).toBe(200);
    const answer = await fetch(`${base}/v1/items`, post(new Blob([JSON.stringify({ name: 'a'.repeat(100_000) })]).stream()));
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'body_too_large']);
  });

  it('bounds what all bodies hold together, and lets go when they are answered', async () => {
    const base = await listen({ heldBodyBytesMax: 3000 });
    const large = JSON.stringify({ name: 'a', size: null, [' '.repeat(1800)]: 0 });
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    socket.write(
      `POST /v1/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_all\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{`,
    );
    await expect.poll(async () => (await fetch(`${base}/v1/items`, post(large))).status).toBe(503);
    for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
      const body = 'content-encoding' in headers ? gzipSync(large) : new Blob([large]).stream();
      const answer = await fetch(`${base}/v1/items`, post(body, headers));
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    }
    socket.destroy();
    await expect.poll(async () => (await fetch(`${base}/v1/items`, post(large))).status).toBe(400);
  });
});

it('closes at once when connections are open that never asked anything', async () => {
  const base = await listen();
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  await once(app.server, 'connection');
  await app.close();
  await once(socket.resume(), 'close');
});

describe('what is no request', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['two lengths', 'POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello', 400, 'invalid_request'],
    [
      'a length and chunks, as request smuggling uses',
      'POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_request',
    ],
    ['headers of 20 kB', `GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ])('%s', async (_, bytes, status, code) => {
    const base = await listen();
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(bytes);
    await once(socket, 'close');
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain(`"code":"${code}"`);
  });

  it('gives up headers that dribble in, well before they are through', async () => {
    const base = await listen();
    // The limits are ten and thirty seconds; only what is set can be looked at here, as waiting would take as long.
    const { headersTimeout, requestTimeout, keepAliveTimeout, timeout, maxConnections } = app.server;
    expect({ base: base !== '', headersTimeout, requestTimeout, keepAliveTimeout, timeout, maxConnections }).toEqual({
      base: true,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 72_000,
      timeout: 120_000,
      maxConnections: 10_000,
    });
  });
});
