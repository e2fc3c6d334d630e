import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { REJECT_CODES } from './reject-codes.ts';
import { openTestIngest, type TestIngest } from './test-ingest.ts';

let ingest: TestIngest;
beforeAll(async () => {
  ingest = await openTestIngest();
});
afterAll(() => ingest.close());

function post(payload: string | Buffer, headers: Record<string, string> = {}, url = '/v1/touches'): InjectOptions {
  return { method: 'POST', url, payload, headers: { 'content-type': 'application/json', authorization: 'Bearer sk_all', ...headers } };
}

const visit = '{"accountId":"acme","kind":"web_visit"}';
const ndjson = { 'content-type': 'application/x-ndjson' };
const listOf = (count: number, item: string): string => `[${Array.from({ length: count }, () => item).join(',')}]`;
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const bomb = Buffer.alloc(64 * 1024 * 1024, ' ');

/** Requests that fail as a whole. */
const requests: readonly (readonly [string, InjectOptions, number, string])[] = [
  ['an empty body', post(''), 400, 'empty_body'],
  ['no body and no media type', { method: 'POST', url: '/v1/touches', headers: { authorization: 'Bearer sk_all' } }, 400, 'empty_body'],
  ['spaces', post('  \n '), 400, 'malformed_json'],
  ['an empty list', post('[]'), 400, 'empty_body'],
  ['an empty list of a fact', post('[]', {}, '/v1/leads'), 400, 'empty_body'],
  ['blank lines only', post('\n\r\n  \n', ndjson), 400, 'empty_body'],
  ['a JSON text cut short', post('[{"kind":'), 400, 'malformed_json'],
  ['NaN', post('[{"kind":"call","accountId":"a","minutes":NaN}]'), 400, 'malformed_json'],
  ['single quotes', post("{'kind':'call'}"), 400, 'malformed_json'],
  ['a raw NUL in a text', post('{"kind":"call","accountId":"a\u0000"}'), 400, 'malformed_json'],
  ['overlong UTF-8', post(Buffer.from([0x5b, 0x22, 0xc0, 0xaf, 0x22, 0x5d])), 400, 'malformed_body'],
  ['a surrogate in UTF-8', post(Buffer.from([0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d])), 400, 'malformed_body'],
  ['UTF-16', post(Buffer.from(visit, 'utf16le')), 400, 'malformed_json'],
  ['nesting of 10^5, not closed', post('['.repeat(1e5)), 400, 'malformed_json'],
  ['nesting of 10^6', post(nested(1e6)), 400, 'invalid_request'],
  ['nesting of objects of 10^6', post(`${'{"a":'.repeat(1e6)}1${'}'.repeat(1e6)}`), 400, 'invalid_request'],
  ['10,001 items', post(listOf(10_001, visit)), 413, 'too_many_items'],
  ['10,001 small items', post(listOf(10_001, '1')), 413, 'too_many_items'],
  ['10^6 items', post(listOf(1e6, '1')), 413, 'too_many_items'],
  ['10,001 lines', post(`${visit}\n`.repeat(10_001), ndjson), 413, 'too_many_items'],
  ['10^5 objects in one item', post(`[{"a":${listOf(1e5, '{}')}}]`), 413, 'too_many_items'],
  ['a body over 16 MiB', post(Buffer.alloc(16 * 1024 * 1024 + 1, ' ')), 413, 'body_too_large'],
  ['a gzip bomb', post(gzipSync(bomb), { 'content-encoding': 'gzip' }), 413, 'body_too_large'],
  ['a zstd bomb', post(zstdCompressSync(bomb), { 'content-encoding': 'zstd' }), 413, 'body_too_large'],
  ['a brotli bomb', post(brotliCompressSync(bomb, { params: { 1: 3 } }), { 'content-encoding': 'br' }), 413, 'body_too_large'],
  ['gzip cut short', post(gzipSync(visit).subarray(0, 20), { 'content-encoding': 'gzip' }), 400, 'malformed_body'],
  ['no gzip', post(visit, { 'content-encoding': 'gzip' }), 400, 'malformed_body'],
  ['an unknown encoding', post(visit, { 'content-encoding': 'snappy' }), 415, 'unsupported_encoding'],
  ['a wrong Content-Length', post(visit, { 'content-length': '3' }), 400, 'malformed_body'],
  ['plain text', post(visit, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
  ['a form', post('kind=call', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'unsupported_media_type'],
  ['XML', post('<touch/>', { 'content-type': 'application/xml' }), 415, 'unsupported_media_type'],
  ['no key', { ...post(visit), headers: { 'content-type': 'application/json' } }, 401, 'unauthenticated'],
  ['an unknown key', post(visit, { authorization: 'Bearer sk_unknown' }), 401, 'unauthenticated'],
  ['a write key for facts', post('{"id":"a"}', { authorization: 'Bearer wk_page' }, '/v1/accounts'), 403, 'forbidden'],
  ['a secret key in a page', post(visit, { origin: 'https://shop.example' }), 403, 'forbidden'],
  ['a key without the scope', post('{}', { authorization: 'Bearer sk_ingest' }, '/v1/models'), 403, 'forbidden'],
  ['another method', { method: 'GET', url: '/v1/touches' }, 405, 'method_not_allowed'],
  ['another path', post(visit, {}, '/v1/touch'), 404, 'not_found'],
  ['a model that is a list', post('[]', {}, '/v1/models'), 400, 'invalid_request'],
  [
    'a model with a key that poisons prototypes',
    post('{"version":"a","rules":[],"roles":{"__proto__":1}}', {}, '/v1/models'),
    400,
    'invalid_request',
  ],
  ['a model over 1 MiB', post(`{"version":"${'a'.repeat(2 ** 20)}"}`, {}, '/v1/models'), 413, 'body_too_large'],
];

/** Bodies whose only item is rejected; the table of items themselves is in validate-touch.test.ts. */
const items: readonly (readonly [string, InjectOptions, string])[] = [
  ['null', post('null'), 'not_an_object'],
  ['a text', post('"touch"'), 'not_an_object'],
  ['a number beyond all range', post('1e999'), 'not_an_object'],
  ['a list in a list', post(`[[${visit}]]`), 'not_an_object'],
  ['nesting of 10^5', post(nested(1e5)), 'not_an_object'],
  ['nesting of 10^5 in a field', post(`{"accountId":"a","kind":"call","properties":{"a":${nested(1e5)}}}`), 'wrong_type'],
  [
    '10^5 properties',
    post(`{"accountId":"a","kind":"call","properties":{${Array.from({ length: 1e5 }, (_, i) => `"k${i}":""`).join(',')}}}`),
    'too_long',
  ],
  ['a text of 1 MB', post(`{"accountId":"${'a'.repeat(1e6)}","kind":"call"}`), 'too_long'],
  ['an escaped __proto__', post('{"accountId":"a","kind":"call","\\u005f_proto__":1}'), 'forbidden_key'],
  ['an escaped lone surrogate', post('{"accountId":"a\\ud800","kind":"call"}'), 'invalid_unicode'],
  ['an escaped NUL', post('{"accountId":"\\u0000","kind":"call"}'), 'invalid_unicode'],
  ['DEL, which JSON lets through', post('{"accountId":"a\u007f","kind":"call"}'), 'invalid_unicode'],
  ['a C1 control, which JSON lets through', post('{"accountId":"a\u0085","kind":"call"}'), 'invalid_unicode'],
  ['1e400 minutes', post('{"accountId":"a","kind":"call","minutes":1e400}'), 'out_of_range'],
  ['a time in seconds', post('{"accountId":"a","kind":"call","occurredAt":1772366400}'), 'too_old'],
  ['time 0', post('{"accountId":"a","kind":"call","occurredAt":0}'), 'too_old'],
  ['time -1', post('{"accountId":"a","kind":"call","occurredAt":-1}'), 'too_old'],
  ['the year 2262', post('{"accountId":"a","kind":"call","occurredAt":"2262-04-11T23:47:16Z"}'), 'in_the_future'],
  ['a broken line', post('{"a"', ndjson), 'malformed_json'],
  ['a line of 1 MB', post(`{"accountId":"a","kind":"call"${' '.repeat(1e6)}}`, ndjson), 'too_large_item'],
  [
    'properties over 32 KiB, each within its limit',
    post(
      JSON.stringify({
        accountId: 'a',
        kind: 'call',
        properties: Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`k${i}`, '株'.repeat(1024)])),
      }),
    ),
    'too_large_item',
  ],
  [
    'attributes over 32 KiB, each within its limit',
    post(
      JSON.stringify({ id: 'a', attributes: Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`k${i}`, '株'.repeat(1024)])) }),
      {},
      '/v1/accounts',
    ),
    'too_large_item',
  ],
];

describe('requests that fail as a whole', () => {
  test.each(requests)('%s', async (_, request, status, code) => {
    const answer = await ingest.app.inject(request);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect({ status: answer.statusCode, code: answer.json<{ code: string }>().code }).toEqual({ status, code });
    expect(answer.body.length).toBeLessThan(1000);
  });

  it('say where a JSON text breaks', async () => {
    const answer = await ingest.app.inject(post(`[${visit},\n{"kind":}]`));
    expect(answer.json()).toMatchObject({ detail: 'not valid JSON at position 50 (line 2, column 9): unexpected "}"' });
  });

  it('say which limit was passed', async () => {
    const answer = await ingest.app.inject(post(listOf(10_001, visit)));
    expect(answer.json()).toMatchObject({ detail: 'a request takes at most 10000 items; send the rest in another one' });
  });
});

describe('bodies of one item that is rejected', () => {
  test.each(items)('%s', async (_, request, code) => {
    const answer = await ingest.app.inject(request);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'all_rejected', accepted: 0, rejected: [{ index: 0, code }] });
    expect(answer.body.length).toBeLessThan(1500);
  });

  it('put nothing on the log', async () => {
    expect(await ingest.read()).toEqual([]);
  });
});

it('README.md lists every code of a rejected item', () => {
  const table = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(table).toEqual(Object.entries(REJECT_CODES).map(([code, means]) => `| \`${code}\` | ${means} |`));
});
