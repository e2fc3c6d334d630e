import { gzipSync } from 'node:zlib';
import { defaultModel } from '@touchstone/engine';
import { partitionOfKey } from '@touchstone/event-log';
import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { NOW, openTestIngest, type LoggedTouch, type TestIngest } from './test-ingest.ts';

let ingest: TestIngest;
beforeEach(async () => {
  ingest = await openTestIngest();
});
afterEach(() => ingest.close());

function post(path: string, body: unknown, headers: Record<string, string> = {}): InjectOptions {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return {
    method: 'POST',
    url: `/v1/${path}`,
    payload,
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk_all', ...headers },
  };
}

const send = async (...args: Parameters<typeof post>): Promise<{ status: number; json: Record<string, unknown> }> => {
  const answer = await ingest.app.inject(post(...args));
  return { status: answer.statusCode, json: answer.json() };
};

const touchesOnLog = async (): Promise<LoggedTouch[]> =>
  (await ingest.read()).flatMap(({ record }) => ('touch' in record ? [record.touch] : []));

const visit = (id: string, accountId = 'acme'): object => ({ id, accountId, kind: 'web_visit', minutes: 2 });
const ndjson = { 'content-type': 'application/x-ndjson' };

describe('POST /v1/touches', () => {
  test.each([
    ['one object', visit('a'), {}],
    ['a list', [visit('a')], {}],
    ['NDJSON', JSON.stringify(visit('a')), ndjson],
    ['NDJSON under its other name', JSON.stringify(visit('a')), { 'content-type': 'application/jsonl' }],
    ['JSON with a charset', visit('a'), { 'content-type': 'application/json; charset=utf-8' }],
    ['a byte order mark', `\ufeff${JSON.stringify(visit('a'))}`, {}],
    ['a byte order mark before NDJSON', `\ufeff${JSON.stringify(visit('a'))}`, ndjson],
    ['gzip', gzipSync(JSON.stringify([visit('a')])), { 'content-encoding': 'gzip' }],
    ['a key that may only ingest', visit('a'), { authorization: 'Bearer sk_ingest' }],
    ['the key of a web page', visit('a'), { authorization: 'Bearer wk_page', origin: 'https://shop.example' }],
  ])('takes %s', async (_, body, headers) => {
    expect(await send('touches', body, headers)).toEqual({ status: 202, json: { accepted: 1, rejected: [] } });
    expect(await ingest.read()).toEqual([
      {
        partition: partitionOfKey(Buffer.from('acme'), 4),
        key: 'acme',
        record: {
          touch: { id: 'a', accountId: 'acme', contactId: null, kind: 'web_visit', occurredAt: NOW, minutes: 2, url: null, properties: 0 },
        },
      },
    ]);
  });

  it('keys a touch without an account by its contact', async () => {
    await send('touches', { contactId: 'jané', kind: 'call' });
    expect(await ingest.read()).toMatchObject([{ key: 'jané', record: { touch: { accountId: null, contactId: 'jané' } } }]);
  });

  it('takes the good items of a batch and tells the others, by index and id', async () => {
    const body = [visit('a'), { ...visit('b'), kind: 'No' }, visit('c'), 7, { ...visit('d'), score: 1 }];
    const { status, json } = await send('touches', body);
    expect(status).toBe(202);
    expect(json).toEqual({
      accepted: 2,
      rejected: [
        { index: 1, id: 'b', code: 'bad_format', message: expect.stringContaining('kind must be') as string },
        { index: 3, id: null, code: 'not_an_object', message: 'the touch must be a JSON object' },
        { index: 4, id: 'd', code: 'unknown_field', message: 'the touch has no field "score"' },
      ],
    });
    expect((await touchesOnLog()).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('rejects broken lines of NDJSON by themselves, and skips blank ones', async () => {
    const lines = [JSON.stringify(visit('a')), '', '{"id":"b"', '  \t', JSON.stringify(visit('c')), 'nonsense', ''];
    const { status, json } = await send('touches', lines.join('\r\n'), ndjson);
    expect(status).toBe(202);
    expect(json).toEqual({
      accepted: 2,
      rejected: [
        {
          index: 1,
          id: null,
          code: 'malformed_json',
          message: 'line 3 is not valid JSON at position 9 (column 10): the text ends too early',
        },
        { index: 3, id: null, code: 'malformed_json', message: 'line 6 is not valid JSON at position 1 (column 2): unexpected "o"' },
      ],
    });
    expect((await touchesOnLog()).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  it('takes as many items as a request may have, in their order', async () => {
    const body = Array.from({ length: 10_000 }, (_, index) => visit(`t${index}`));
    expect(await send('touches', body)).toEqual({ status: 202, json: { accepted: 10_000, rejected: [] } });
    expect((await touchesOnLog()).map(({ id }) => id)).toEqual(body.map((_, index) => `t${index}`));
  });

  it('keeps requests apart that are worked on by turns', async () => {
    const body = (name: string): object[] =>
      Array.from({ length: 3000 }, (_, index) =>
        index % 2 === 0 ? visit(`${name}${index}`, name) : { ...visit(`${name}${index}`), kind: '' },
      );
    const answers = await Promise.all(['a', 'b', 'c'].map((name) => send('touches', body(name))));
    for (const { status, json } of answers) {
      expect([status, json['accepted'], (json['rejected'] as object[]).length]).toEqual([202, 1500, 1500]);
    }
    const logged = await touchesOnLog();
    for (const name of ['a', 'b', 'c']) {
      const ids = logged.filter(({ accountId }) => accountId === name).map(({ id }) => id);
      expect(ids).toEqual(Array.from({ length: 1500 }, (_, index) => `${name}${index * 2}`));
    }
  });

  it('tells a page the rules before it posts', async () => {
    const answer = await ingest.app.inject({ method: 'OPTIONS', url: '/v1/touches', headers: { origin: 'https://shop.example' } });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-methods': 'POST, OPTIONS' });
  });
});

describe('facts', () => {
  const updatedAt = '2026-02-28T00:00:00Z';
  const at = Date.UTC(2026, 1, 28);
  test.each([
    [
      'accounts',
      { id: 'acme', updatedAt, name: 'Acme', domains: ['acme.example'], employees: 12, targetList: true, attributes: { plan: 'pro' } },
      'acme',
      {
        type: 'account',
        name: 'Acme',
        domains: ['acme.example'],
        industry: null,
        employees: 12,
        tier: null,
        targetList: true,
        attributes: { plan: 'pro' },
      },
    ],
    [
      'contacts',
      { id: 'jane', updatedAt, accountId: 'acme', role: 'champion', email: 'j@acme.example' },
      'acme',
      { type: 'contact', role: 'champion', consent: null },
    ],
    ['leads', { id: 'l1', updatedAt, createdAt: at }, 'l1', { type: 'lead', accountId: null, createdAt: at, qualifiedAt: null }],
    ['leads', { id: 'l1', updatedAt, accountId: 'acme' }, 'acme', { type: 'lead', accountId: 'acme' }],
    [
      'opportunities',
      { id: 'o1', updatedAt, accountId: 'acme', amount: 5, currency: 'EUR', outcome: 'won' },
      'acme',
      { type: 'opportunity', amount: 5, outcome: 'won' },
    ],
    [
      'spend',
      { id: 's1', updatedAt, date: '2026-02-28', amount: -4.5 },
      's1',
      { type: 'spend', date: '2026-02-28', amount: -4.5, currency: null },
    ],
    [
      'subscriptions',
      { id: 'u1', updatedAt, accountId: 'acme', mrr: 99, from: at },
      'acme',
      { type: 'subscription', mrr: 99, from: at, to: null },
    ],
  ])('POST /v1/%s', async (path, item, key, fact) => {
    expect(await send(path, [item])).toEqual({ status: 202, json: { accepted: 1, rejected: [] } });
    expect(await ingest.read()).toMatchObject([
      { key, partition: partitionOfKey(Buffer.from(key), 4), record: { fact: { ...fact, id: item.id, updatedAt: at } } },
    ]);
  });

  it('dates a fact now when it says nothing', async () => {
    await send('accounts', { id: 'acme' });
    expect(await ingest.read()).toMatchObject([{ record: { fact: { id: 'acme', updatedAt: NOW, domains: [] } } }]);
  });

  test.each([
    ['accounts', { name: 'Acme' }, 'missing_field', 'id is missing'],
    ['accounts', { id: 'a', updatedAt: NOW + 300_001 }, 'in_the_future', 'updatedAt is more than 5 minutes ahead of the clock here'],
    ['accounts', { id: 'a', domains: ['not a domain'] }, 'bad_format', 'domains[0] must be a domain such as example.com'],
    ['accounts', { id: 'a', domains: Array.from({ length: 101 }, () => 'a.example') }, 'too_long', 'domains must have at most 100 members'],
    ['accounts', { id: 'a', employees: 1.5 }, 'wrong_type', 'employees must be a whole number'],
    ['accounts', { id: 'a', attributes: { constructor: 'x' } }, 'forbidden_key', 'the key constructor is not taken (in attributes)'],
    ['contacts', { id: 'j' }, 'missing_field', 'accountId is missing'],
    ['contacts', { id: 'j', accountId: 'a', email: 'nobody' }, 'bad_format', 'email must be an e-mail address'],
    ['leads', { id: 'l', accountId: '' }, 'too_short', 'accountId must have at least 1 character'],
    ['opportunities', { id: 'o', accountId: 'a', outcome: 'maybe' }, 'out_of_range', 'outcome must be "won" or "lost"'],
    [
      'opportunities',
      { id: 'o', accountId: 'a', currency: 'eur' },
      'bad_format',
      'currency must be an ISO 4217 code of three capital letters, such as EUR',
    ],
    ['spend', { id: 's', amount: 1, date: '2026-02-30' }, 'bad_format', 'date must be a day that exists'],
    ['spend', { id: 's', date: '2026-02-28' }, 'missing_field', 'amount is missing'],
    ['subscriptions', { id: 'u', accountId: 'a', mrr: -1 }, 'out_of_range', 'mrr must be at least 0'],
    [
      'subscriptions',
      { id: 'u', accountId: 'a', mrr: 1, to: 'never' },
      'bad_format',
      'to must be an RFC 3339 time such as 2026-03-01T09:30:00Z, or epoch milliseconds',
    ],
  ])('POST /v1/%s refuses %j', async (path, item, code, message) => {
    const { status, json } = await send(path, item);
    expect({ status, rejected: json['rejected'] }).toEqual({
      status: 400,
      rejected: [{ index: 0, id: (item as { id?: string }).id ?? null, code, message }],
    });
  });
});

describe('POST /v1/models', () => {
  const model = { ...defaultModel, version: 'spring', halfScorePoints: 50 };

  it('puts the model into every partition, complete with defaults', async () => {
    const { version, rules } = model;
    expect(await send('models', { version, rules, halfScorePoints: 50 })).toEqual({ status: 202, json: { version: 'spring' } });
    const records = await ingest.read();
    expect(records.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    expect(records).toMatchObject(Array.from({ length: 4 }, () => ({ key: null, record: { model: { ...model, roles: {} } } })));
  });

  it('takes the same model again, which brings it back into force', async () => {
    ingest.models.set('spring', model);
    expect((await send('models', model)).status).toBe(202);
    expect((await send('models', model)).status).toBe(202);
    expect(await ingest.read()).toHaveLength(8);
  });

  it('refuses another model under a version that was used, also when that was a moment ago', async () => {
    expect((await send('models', { ...defaultModel, halfScorePoints: 1 })).status).toBe(409);
    expect((await send('models', model)).status).toBe(202);
    const { status, json } = await send('models', { ...model, halfScorePoints: 51 });
    expect({ status, code: json['code'] }).toEqual({ status: 409, code: 'conflict' });
    expect(await ingest.read()).toHaveLength(4);
  });

  it('says what is wrong with one, by pointer', async () => {
    const { status, json } = await send('models', { version: 'x y', rules: [{ id: 'a', kind: 'call', dailyCap: 0 }] });
    expect(status).toBe(400);
    expect(json).toMatchObject({
      code: 'invalid_request',
      errors: [
        { in: 'body', pointer: '#/version', detail: expect.stringContaining('letters, digits') as string },
        { in: 'body', pointer: '#/rules/0/dailyCap', detail: 'rules[0].dailyCap must be at least 1' },
      ],
    });
  });

  it('is for admins', async () => {
    expect((await send('models', model, { authorization: 'Bearer sk_ingest' })).status).toBe(403);
    expect((await send('models', model, { authorization: 'Bearer wk_page' })).status).toBe(403);
  });
});

describe('a log that takes nothing', () => {
  const requests = [
    post('touches', [visit('a'), { kind: 'bad' }]),
    post('accounts', { id: 'a' }),
    post('models', { ...defaultModel, version: 'x' }),
  ];

  test.each([
    ['backlogged', 503, '1'],
    ['io', 503, '2'],
    ['closed', 503, '5'],
    ['disk_full', 503, '30'],
    ['corrupt', 500, undefined],
  ] as const)('%s: %i, and the same body may come again', async (code, status, retryAfter) => {
    ingest.failAppends(code);
    for (const request of requests) {
      // Not even what was wrong with some items is told: the client sends all of them again.
      const answer = await ingest.app.inject(request);
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([status, retryAfter]);
      expect(answer.json()).toMatchObject({ code: status === 503 ? 'unavailable' : 'internal' });
      expect(answer.json()).not.toHaveProperty('rejected');
    }
    const metrics = await ingest.metrics.text();
    expect(metrics).toContain(`touchstone_log_errors_total{code="${code}"} 3`);
    expect(metrics).toContain('touchstone_ingest_items_total{endpoint="touches",outcome="unavailable"} 1');

    expect(await ingest.read()).toEqual([]);
    ingest.failAppends(null);
    for (const request of requests) expect((await ingest.app.inject(request)).statusCode).toBe(202);
    expect(await ingest.read()).toHaveLength(1 + 1 + 4);
  });

  it('answers so when the disk is full', async () => {
    await ingest.close();
    ingest = await openTestIngest({ statFs: () => ({ bsize: 1, bavail: 1, blocks: 100 }) });
    const answer = await ingest.app.inject(requests[0]!);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '30']);
    expect(await ingest.read()).toEqual([]);
  });

  it('leaves the version of a model that was not taken to another model', async () => {
    ingest.failAppends('backlogged');
    expect((await send('models', { ...defaultModel, version: 'x' })).status).toBe(503);
    ingest.failAppends(null);
    expect((await send('models', { ...defaultModel, version: 'x', halfScorePoints: 1 })).status).toBe(202);
  });
});

it('counts what came in, what was accepted and why the rest was not', async () => {
  await send('touches', [visit('a'), visit('b'), { kind: 'x' }]);
  await send('touches', '[]');
  const text = await ingest.metrics.text();
  for (const line of [
    'touchstone_ingest_items_total{endpoint="touches",outcome="accepted"} 2',
    'touchstone_ingest_items_total{endpoint="touches",outcome="rejected"} 1',
    'touchstone_ingest_rejected_total{endpoint="touches",code="missing_field"} 1',
    'touchstone_ingest_seconds_count{endpoint="touches"} 1',
    'touchstone_log_append_seconds_count 1',
  ]) {
    expect(text).toContain(line);
  }
  expect(text).toMatch(/touchstone_ingest_bytes_total\{endpoint="touches"\} 1\d\d/);
});
