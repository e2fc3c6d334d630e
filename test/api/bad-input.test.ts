import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { KEY } from '../support/start-server.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

let running: TemporaryServer;
/** Touches that were accepted for the account of healthy traffic. */
let healthy = 0;

beforeAll(async () => {
  running = await openTemporaryServer();
});
afterAll(() => running.close());

type Body = string | Buffer;
const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

function post(body: Body | null, headers: Record<string, string> = JSON_TYPE, path = '/v1/touches'): Promise<Response> {
  return running.server.fetch(path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' || body === null ? body : new Blob([new Uint8Array(body)]),
  });
}

/** One touch as a well-behaved client posts it: taken whatever others send. */
async function postHealthy(): Promise<void> {
  expect(await running.server.post('/v1/touches', [{ id: `healthy-${healthy}`, accountId: 'healthy', kind: 'call' }])).toEqual({
    accepted: 1,
    rejected: [],
  });
  healthy++;
}

const visit = '{"accountId":"acme","kind":"web_visit"}';
const listOf = (count: number, item: string): string => `[${Array.from({ length: count }, () => item).join(',')}]`;
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const touch = (fields: string): string => `{"accountId":"acme","kind":"call",${fields}}`;

describe('requests that fail as a whole', () => {
  const rows: readonly (readonly [string, () => Promise<Response>, number, string])[] = [
    ['an empty body', () => post(''), 400, 'empty_body'],
    ['no body at all', () => post(null, {}), 400, 'empty_body'],
    ['an empty list', () => post('[]'), 400, 'empty_body'],
    ['JSON cut short', () => post('[{"accountId":'), 400, 'malformed_json'],
    ['JavaScript', () => post("{accountId:'acme'}"), 400, 'malformed_json'],
    ['bytes that are not UTF-8', () => post(Buffer.from([0x5b, 0x22, 0xc0, 0xaf, 0x22, 0x5d])), 400, 'malformed_body'],
    ['nesting of 10^6', () => post(nested(1e6)), 400, 'invalid_request'],
    ['10^5 items', () => post(listOf(1e5, visit)), 413, 'too_many_items'],
    ['10^5 lines', () => post(`${visit}\n`.repeat(1e5), NDJSON), 413, 'too_many_items'],
    ['17 MiB', () => post(Buffer.alloc(17 * 2 ** 20, ' ')), 413, 'body_too_large'],
    ['a gzip bomb', () => post(gzipSync(Buffer.alloc(2 ** 26, ' ')), { ...JSON_TYPE, 'content-encoding': 'gzip' }), 413, 'body_too_large'],
    ['no gzip', () => post(visit, { ...JSON_TYPE, 'content-encoding': 'gzip' }), 400, 'malformed_body'],
    ['an unknown encoding', () => post(visit, { ...JSON_TYPE, 'content-encoding': 'compress' }), 415, 'unsupported_encoding'],
    ['a form', () => post('kind=call', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'unsupported_media_type'],
    ['text', () => post(visit, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    ['no key', () => post(visit, { ...JSON_TYPE, authorization: '' }), 401, 'unauthenticated'],
    ['an unknown key', () => post(visit, { ...JSON_TYPE, authorization: 'Bearer sk_no' }), 401, 'unauthenticated'],
    ['a fact that is a list of lists', () => post(`[[${visit}]]`, JSON_TYPE, '/v1/accounts'), 400, 'all_rejected'],
    ['a model of 2 MiB', () => post(`{"version":"${'a'.repeat(2 ** 21)}"}`, JSON_TYPE, '/v1/models'), 413, 'body_too_large'],
    ['a key of nesting 10^5', () => post(`{"name":${nested(1e5)}}`, JSON_TYPE, '/v1/keys'), 400, 'invalid_request'],
  ];
  test.each(rows)('%s', async (_case, send, status, code) => {
    const [response] = await Promise.all([send(), postHealthy()]);
    const { detail } = await expectProblem(response, status, code);
    // Says why to a person, but not at the length of what was sent.
    expect(detail.length).toBeLessThan(300);
    await postHealthy();
  });
});

describe('items that are rejected', () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['null', 'null', 'not_an_object', ''],
    ['no kind', '{"accountId":"acme"}', 'missing_field', 'kind'],
    ['neither account nor contact', '{"kind":"call"}', 'missing_field', 'accountId'],
    ['a number for a text', '{"accountId":7,"kind":"call"}', 'wrong_type', 'accountId'],
    ['a text for a number', touch('"minutes":"5"'), 'wrong_type', 'minutes'],
    ['a list for a map', touch('"properties":[]'), 'wrong_type', 'properties'],
    ['an unknown field', touch('"account_id":"b"'), 'unknown_field', 'account_id'],
    ['__proto__', touch('"__proto__":{"kind":"call"}'), 'forbidden_key', '__proto__'],
    ['__proto__, escaped, in a map', touch('"properties":{"__\\u0070roto__":"x"}'), 'forbidden_key', '__proto__'],
    ['constructor', touch('"constructor":{}'), 'forbidden_key', 'constructor'],
    ['an empty id', touch('"id":""'), 'too_short', 'id'],
    ['an id of 129', touch(`"id":"${'a'.repeat(129)}"`), 'too_long', 'id'],
    ['half a surrogate pair', touch('"contactId":"\\udc00"'), 'invalid_unicode', 'contactId'],
    ['a NUL', touch('"contactId":"a\\u0000"'), 'invalid_unicode', 'contactId'],
    ['a kind in capitals', '{"accountId":"acme","kind":"Call"}', 'bad_format', 'kind'],
    ['minutes below none', touch('"minutes":-1'), 'out_of_range', 'minutes'],
    ['minutes beyond a day', touch('"minutes":1441'), 'out_of_range', 'minutes'],
    ['minutes beyond all numbers', touch('"minutes":1e999'), 'out_of_range', 'minutes'],
    ['a day that does not exist', touch('"occurredAt":"2026-02-30T00:00:00Z"'), 'bad_format', 'occurredAt'],
    ['a time without an offset', touch('"occurredAt":"2026-02-03T00:00:00"'), 'bad_format', 'occurredAt'],
    ['a time in seconds', touch('"occurredAt":1772366400'), 'too_old', 'occurredAt'],
    ['a time ten years ahead', touch(`"occurredAt":${Date.now() + 3.2e11}`), 'in_the_future', 'occurredAt'],
    ['a long text', touch(`"url":"${'a'.repeat(1e5)}"`), 'too_long', 'url'],
    ['33 properties', touch(`"properties":{${Array.from({ length: 33 }, (_, i) => `"k${i}":""`).join()}}`), 'too_long', 'properties'],
    ['nesting of 10^4', touch(`"properties":{"a":${nested(1e4)}}`), 'wrong_type', 'properties'],
  ];

  test.each(rows)('%s, alone', async (_case, item, code, field) => {
    const { rejected } = await expectProblem(await post(item), 400, 'all_rejected');
    expect(rejected).toMatchObject([{ index: 0, code }]);
    expect(rejected![0]!.message).toContain(field);
    expect(rejected![0]!.message.length).toBeLessThan(300);
  });

  it('leave the good ones of a list alone, and are told one by one', async () => {
    const good = (i: number): string => `{"accountId":"mixed","kind":"call","id":"mixed-${i}"}`;
    const items = rows.flatMap(([, item], i) => [good(i), item]);
    const response = await post(`[${items.join(',')}]`);
    expect(response.status).toBe(202);
    const { accepted, rejected } = (await response.json()) as { accepted: number; rejected: { index: number; code: string }[] };
    expect(accepted).toBe(rows.length);
    expect(rejected.map(({ index, code }) => [index, code])).toEqual(rows.map(([, , code], i) => [2 * i + 1, code]));
  });

  it('leave the good lines of NDJSON alone', async () => {
    const lines = [visit, '{"accountId":', '', 'null', `  ${visit}  `, '{} {}', '[1]', `\u001e${visit}`, '"', visit];
    const response = await post(lines.join('\r\n'), NDJSON);
    expect([response.status, await response.json()]).toEqual([
      202,
      {
        accepted: 3,
        rejected: [
          [1, 'malformed_json'],
          [2, 'not_an_object'],
          [4, 'malformed_json'],
          [5, 'not_an_object'],
          [6, 'malformed_json'],
          [7, 'malformed_json'],
        ].map(([index, code]) => ({ index, id: null, code, message: expect.any(String) })),
      },
    ]);
  });
});

describe('what is hardly HTTP', () => {
  const auth = `Host: x\r\nAuthorization: Bearer ${KEY}\r\n`;
  const head = `POST /v1/touches HTTP/1.1\r\n${auth}Content-Type: application/json\r\n`;
  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001', /^HTTP\/1\.1 400 /],
    ['a method that is none', `FETCH /v1/accounts HTTP/1.1\r\n${auth}\r\n`, /^HTTP\/1\.1 400 /],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a path that is none', `GET http:// HTTP/1.1\r\n${auth}Connection: close\r\n\r\n`, /^HTTP\/1\.1 40[04] /],
    // The connection is dropped with the rest unread, which can take the answer with it.
    ['headers of 64 KiB', `GET /healthz HTTP/1.1\r\n${auth}X: ${'a'.repeat(65_536)}\r\n\r\n`, /^(HTTP\/1\.1 431 |$)/],
    ['two lengths', `${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, /^HTTP\/1\.1 400 /],
    ['a length and chunks', `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a negative length', `${head}Content-Length: -1\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['chunks that are none', `${head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, /^HTTP\/1\.1 400 /],
    ['a folded header', `GET /healthz HTTP/1.1\r\n${auth}X: a\r\n b\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 (200|400) /],
    ['a body cut short', `${head}Content-Length: 100\r\n\r\n[`, /^HTTP\/1\.1 400 /],
  ];
  test.each(rows)('%s', async (_case, bytes, expected) => {
    const { hostname, port } = new URL(running.server.url);
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.end(Buffer.from(bytes, 'latin1'));
    await closed;
    expect(answer).toMatch(expected);
    await postHealthy();
  });
});

it('has not cost anybody else a touch, nor the process its life', async () => {
  expect(healthy).toBeGreaterThan(40);
  const { pid } = running.server;
  expect(await (await running.server.fetch('/readyz')).json()).toMatchObject({ ready: true });
  const touches = async (account: string): Promise<number> =>
    (await running.server.get<{ windows: { '7d': { touches: number } } }>(`/v1/accounts/${account}`)).windows['7d'].touches;
  await eventually(
    () => touches('healthy'),
    (count) => count === healthy,
  );
  expect(await touches('mixed')).toBe(25);
  expect(running.server.pid).toBe(pid);
  expect(running.server.output()).not.toMatch(/"level":"(error|fatal)"/);
  const metrics = await (await running.server.fetch('/metrics')).text();
  // But for probes while it started.
  const faults = metrics.split('\n').filter((line) => /_count\{.*status="5\d\d"/.test(line) && !line.includes('route="/readyz"'));
  expect(faults).toEqual([]);
});
