import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestIngest, type TestIngest } from './test-ingest.ts';

/** More of them when asked for; the seed of a run that fails is printed. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2000);

let ingest: TestIngest;
beforeAll(async () => {
  ingest = await openTestIngest();
});
afterAll(() => ingest.close());

const oddText = fc.constantFrom(
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  '\ufeff',
  '\u202e',
  "'; DROP TABLE touches; --",
  '../../etc/passwd',
  '${jndi:ldap://x}',
  'xn--80ak6aa92e.com',
  'a@'.repeat(5000),
  'a.'.repeat(5000),
  '9999-12-31T23:59:59Z',
  '2016-12-31T23:59:60Z',
  '2026-02-30T00:00:00+25:00',
);
const oddNumber = fc.constantFrom(0, -0, -1, 1e308, 1e-308, 2 ** 53 + 2, -(2 ** 53), 1772366400, 1772366400000, 9.2e18, 1441, 0.5);
const value = fc.oneof(oddText, oddNumber, fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary', maxLength: 20 }), fc.constant(null));
const names = [
  'id',
  'accountId',
  'contactId',
  'kind',
  'occurredAt',
  'minutes',
  'channel',
  'url',
  'source',
  'properties',
  'updatedAt',
  'name',
];
const moreNames = [
  'domains',
  'employees',
  'attributes',
  'role',
  'email',
  'date',
  'amount',
  'mrr',
  'currency',
  'outcome',
  'from',
  'targetList',
];
const field = fc.oneof(fc.constantFrom(...names, ...moreNames), oddText, fc.string({ maxLength: 5 }));
const good = fc.constantFrom(
  { id: 'a', accountId: 'acme', kind: 'web_visit', minutes: 3 },
  { contactId: 'jane', kind: 'call', properties: { a: 'b' } },
  { id: 'l1', accountId: 'acme' },
  { id: 's1', date: '2026-02-28', amount: 4 },
);
const item = fc.oneof(
  { weight: 2, arbitrary: good },
  { weight: 3, arbitrary: fc.tuple(good, fc.dictionary(field, value, { maxKeys: 3 })).map(([item, more]) => ({ ...item, ...more })) },
  { weight: 1, arbitrary: fc.dictionary(field, value, { maxKeys: 8 }) },
  { weight: 1, arbitrary: value },
);
const document = fc.oneof(
  item.map((item) => JSON.stringify(item)),
  fc.array(item, { maxLength: 5 }).map((items) => JSON.stringify(items)),
  fc.array(item, { maxLength: 5 }).map((items) => items.map((item) => JSON.stringify(item)).join('\n')),
);
/** Bytes put in, taken out or changed at one place. */
const damage = fc.record({
  at: fc.nat(),
  remove: fc.nat(3),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc.constantFrom('"', '}', '1e999', '\\ud800', '[[').map((text) => Buffer.from(text)),
  ),
});
const bytes = fc.tuple(document, fc.option(damage, { freq: 2 })).map(([text, damage]) => {
  const whole = Buffer.from(text);
  if (damage === null) return whole;
  const at = damage.at % (whole.length + 1);
  return Buffer.concat([whole.subarray(0, at), damage.insert, whole.subarray(at + damage.remove)]);
});
const encodings: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  identity: (body) => body,
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  br: (body) => brotliCompressSync(body, { params: { 1: 1 } }),
  zstd: (body) => zstdCompressSync(body),
};
const rarely = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const requests = fc
  .record({
    path: fc.constantFrom(
      'touches',
      'touches',
      'touches',
      'accounts',
      'contacts',
      'leads',
      'opportunities',
      'spend',
      'subscriptions',
      'models',
    ),
    method: fc.oneof(
      { weight: 12, arbitrary: rarely<NonNullable<InjectOptions['method']>>('POST', 'GET', 'PUT', 'DELETE', 'HEAD') },
      // More of them: only preflights of pages, to paths that take these, are answered 204.
      { weight: 2, arbitrary: fc.constant<NonNullable<InjectOptions['method']>>('OPTIONS') },
    ),
    body: bytes,
    type: fc.oneof(
      fc.constantFrom('application/json', 'application/x-ndjson'),
      rarely('application/json', '', 'text/plain', 'application/json;charset=utf-16', '*/*', ';;'),
    ),
    encode: rarely('identity', 'gzip', 'deflate', 'br', 'zstd'),
    claim: rarely<string | null>(null, 'gzip', 'br', 'zstd', 'deflate', 'identity', 'x', ''),
    token: rarely('sk_all', 'sk_ingest', 'wk_page', '', 'nonsense', ' '),
    origin: rarely<string | null>(null, 'https://shop.example', 'null', '\u00ff'),
  })
  .map(({ path, method, body, type, encode, claim, token, origin }): InjectOptions => {
    const encoding = claim ?? encode;
    const headers = {
      'content-type': type,
      authorization: `Bearer ${token}`,
      'content-encoding': encoding,
      ...(origin !== null && { origin }),
    };
    return { method, url: `/v1/${path}`, headers, payload: encodings[encode]!(body) };
  });

it(`answers ${RUNS} odd requests as documented, and puts on the log exactly what it says it accepted`, async () => {
  let accepted = 0;
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const answer = await ingest.app.inject(request);
      expect(answer.statusCode, answer.body).toBeLessThan(500);
      statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
      if (answer.statusCode === 202) accepted += answer.json<{ accepted?: number }>().accepted ?? 0;
      else if (answer.statusCode >= 400) expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    }),
    { numRuns: RUNS },
  );
  const records = await ingest.read();
  expect(records.filter(({ record }) => !('model' in record))).toHaveLength(accepted);
  expect(records.filter(({ record }) => 'poison' in record)).toEqual([]);
  expect([...statuses.keys()].sort((a, b) => a - b)).toEqual([202, 204, 400, 401, 403, 405, 415]);
});
