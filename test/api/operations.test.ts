import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { expectProblem } from './problem.ts';
import { openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

/** Would stand out in a list of metrics. */
const ACCOUNT = 'unmistakable-account';
const CONTACT = 'unmistakable-contact';

let running: TemporaryServer;
const get = (path: string): Promise<Response> => fetch(running.server.url + path);

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post('/v1/touches', [
    { accountId: ACCOUNT, contactId: CONTACT, kind: 'call', campaignId: 'unmistakable-campaign' },
    { accountId: ACCOUNT, contactId: CONTACT, kind: 'new_kind' },
    { contactId: CONTACT, kind: 'call' },
    { accountId: ACCOUNT, kind: 'Wrong Kind' },
  ]);
  await running.server.fetch(`/v1/accounts/${ACCOUNT}`);
  await running.server.fetch(`/v1/accounts/${ACCOUNT}/unmistakable-path`);
  await running.server.fetch(`/unmistakable-path/${CONTACT}`);
});
afterAll(() => running.close());

describe('probes and metrics', () => {
  it('say that it is alive', async () => {
    const response = await get('/healthz');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('say that it is ready', async () => {
    const response = await get('/readyz');
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        ready: true,
        checks: {
          ledgers: { ready: true, detail: 'state is restored' },
          experiments: { ready: true, detail: '0 experiments run' },
          alerts: { ready: true, detail: 'alerts are followed' },
        },
      },
    ]);
  });

  it('give every metric of the list, and only those of the list and of the runtime', async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const documented = readFileSync(new URL('../../packages/runtime/METRICS.md', import.meta.url), 'utf8');
    const listed = [...documented.matchAll(/^\| `(touchstone_\w+)` \| (\w+) \|/gm)].map(([, name, kind]) => `${name} ${kind}`);
    expect(listed.length).toBeGreaterThan(20);
    const given = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
    expect(given.filter((line) => line.startsWith('touchstone_')).sort()).toEqual(listed.sort());
    expect(given.filter((line) => !/^(touchstone|process|nodejs)_/.test(line))).toEqual([]);
    // A counter or gauge without labels shows from the start, so that an alert on it can tell zero from absent.
    for (const line of listed.filter((one) => !one.endsWith('histogram'))) {
      const [name] = line.split(' ') as [string];
      if (!documented.includes(`\`${name}\` | counter |  |`) && !documented.includes(`\`${name}\` | gauge |  |`)) continue;
      expect(text).toMatch(new RegExp(`^${name} [\\d.e+-]+$`, 'm'));
    }
    expect(text).toMatch(/^touchstone_touches_unknown_kind_total\{kind="new_kind"\} 1$/m);
    expect(text).toMatch(/^touchstone_touches_unresolved_total 1$/m);
    expect(text).toMatch(/^touchstone_ingest_rejected_total\{endpoint="touches",code="bad_format"\} 1$/m);
    expect(text).toMatch(/^touchstone_ledgers 1$/m);
  });

  it('name no account, contact or campaign anywhere', async () => {
    expect(await (await get('/metrics')).text()).not.toMatch(/unmistakable/);
    expect(running.server.output()).not.toMatch(/unmistakable/);
  });
});

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

const FACTS = ['accounts', 'contacts', 'leads', 'opportunities', 'spend', 'subscriptions'];
const POSTED = '202 400 401 403 413 415 431 503';
/** Every route, with every status that it can answer but 404 and 405, which any path can, and 500, which none should. */
const ROUTES: readonly (readonly [string, string])[] = [
  ['get /healthz', '200'],
  ['get /readyz', '200 503'],
  ['get /metrics', '200'],
  ['post /v1/touches', POSTED],
  ...FACTS.map((path): [string, string] => [`post /v1/${path}`, POSTED]),
  ['post /v1/models', '202 400 401 403 409 413 415 431 503'],
  ['get /v1/alerts', '200 400 401 403 431 503'],
  ['get /v1/alerts/{alertId}', '200 400 401 403 404 431 503'],
  ...['ack', 'snooze', 'useful', 'not-useful'].map((action): [string, string] => [
    `post /v1/alerts/{alertId}/${action}`,
    '200 400 401 403 404 413 415 431 503',
  ]),
  ['get /v1/alert-rules', '200 400 401 403 431 503'],
  ['post /v1/alert-rules/test', '200 400 401 403 413 415 431 503'],
  ['get /v1/stages', '200 400 401 403 431 503'],
  ['get /v1/attribution', '200 400 401 403 431 503'],
  ['get /v1/attribution/opportunities', '200 400 401 403 431 503'],
  ['get /v1/attribution/opportunities/{opportunityId}', '200 400 401 403 404 431 503'],
  ['get /v1/influence', '200 400 401 403 431 503'],
  ['get /v1/influence/opportunities', '200 400 401 403 431 503'],
  ['get /v1/journey', '200 400 401 403 431 503'],
  ['get /v1/journey/stalled', '200 400 401 403 431 503'],
  ['get /v1/lvr', '200 400 401 403 431 503'],
  ['get /v1/kpis', '200 400 401 403 431 503'],
  ['get /v1/kpis/{name}', '200 400 401 403 404 431 503'],
  ['put /v1/kpis/{name}/target', '200 400 401 403 404 413 415 431 503'],
  ['get /v1/creatives', '200 400 401 403 404 431 503'],
  ['get /v1/creatives/compare', '200 400 401 403 404 431 503'],
  ['get /v1/win-rates', '200 400 401 403 431 503'],
  ['get /v1/models/current', '200 401 403 431 503'],
  ['get /v1/accounts', '200 400 401 403 431 503'],
  ['get /v1/accounts/{accountId}', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/stages', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/explain', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/explain/diff', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/timeline', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/history', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/explain', '200 400 401 403 404 431 503'],
  ['get /v1/accounts/{accountId}/explain/diff', '200 400 401 403 404 431 503'],
  ['get /v1/dead-letters', '200 400 401 403 431 503'],
  ['get /v1/dead-letters/{partition}/{offset}', '200 400 401 403 404 431 503'],
  ['post /v1/dead-letters/replay', POSTED],
  ['get /v1/stream', '200 400 401 403 406 431 503'],
  ['get /v1/keys', '200 401 403 431 503'],
  ['post /v1/keys', '201 400 401 403 413 415 431 503'],
  ['delete /v1/keys/{keyId}', '204 400 401 403 404 413 415 431 503'],
  ['post /v1/experiments', '201 400 401 403 409 413 415 431 503'],
  ['get /v1/experiments', '200 400 401 403 431 503'],
  ...['start', 'stop', 'undo', 'swap'].map((step): [string, string] => [
    `post /v1/experiments/{experimentId}/${step}`,
    '200 400 401 403 404 409 413 415 431 503',
  ]),
  ...['', '/results', '/history'].map((path): [string, string] => [
    `get /v1/experiments/{experimentId}${path}`,
    '200 400 401 403 404 431 503',
  ]),
  ['post /ofrep/v1/evaluate/flags/{key}', '200 400 401 403 404 413 415 431 503'],
  ['post /ofrep/v1/evaluate/flags', '200 304 400 401 403 413 415 431 503'],
  ['get /ofrep/v1/events', '200 400 401 429 431 503'],
  ['get /v1/alert-links/{token}', '200 400 404 410 431 503'],
  ['post /v1/alert-links/{token}', '200 400 404 410 413 415 431 503'],
  ['get /v1/endpoints', '200 401 403 431 503'],
  ['post /v1/endpoints', '201 400 401 403 409 413 415 431 503'],
  ['get /v1/endpoints/{endpointId}', '200 400 401 403 404 431 503'],
  ['patch /v1/endpoints/{endpointId}', '200 400 401 403 404 413 415 431 503'],
  ['delete /v1/endpoints/{endpointId}', '204 400 401 403 404 413 415 431 503'],
  ['get /v1/endpoints/{endpointId}/deliveries', '200 400 401 403 404 431 503'],
  ['post /v1/endpoints/{endpointId}/secrets', '201 400 401 403 404 409 413 415 431 503'],
  ['post /v1/endpoints/{endpointId}/test', '200 400 401 403 404 413 415 431 503'],
  ['post /v1/alerts/{alertId}/resend', '202 400 401 403 404 413 415 431 503'],
];

describe('the OpenAPI document', () => {
  it('is of version 3.1, and lists every route with every status', async () => {
    const response = await get('/openapi.json');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const document = (await response.json()) as OpenApi;
    expect(document.openapi).toMatch(/^3\.1\./);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
    );
    const listed = operations.map(([route, { responses }]) => [route, Object.keys(responses).sort().join(' ')]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(ROUTES));

    expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
    const tags = document.tags.map(({ name }) => name);
    for (const [route, operation] of operations) {
      // Another protocol has its own words for what is wrong with a request; and a page that people open from a message tells them in words.
      const isOurs = (status: string): boolean =>
        !(route.includes('/ofrep/v1/evaluate') && ['400', '404'].includes(status)) &&
        !(route.includes('/v1/alert-links/') && ['404', '410'].includes(status));
      expect(operation.summary).toMatch(/\w/);
      for (const tag of operation.tags) expect(tags).toContain(tag);
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (Number(status) >= 400 && isOurs(status)) expect(Object.keys(content!)).toEqual(['application/problem+json']);
      }
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
    expect(new Set(references)).toEqual(new Set(Object.keys(document.components.schemas)));
  });
});

describe('the page of the API', () => {
  it('is our own, in a language, and loads nothing from elsewhere', async () => {
    const response = await get('/docs');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).not.toMatch(/https?:|\/\//);
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toMatch(/script-src 'self'(;| 'sha256-)/);
    expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/);
    // What stands inline would need its hash in the policy.
    const inline = [...page.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([^<]*)<\/script>/g)].filter(([, code]) => code!.trim() !== '');
    expect(inline).toEqual([]);
    const sources = [...page.matchAll(/<script[^>]*\bsrc="([^"]+)"/g)].map(([, source]) => source!);
    expect(sources).toHaveLength(1);
    const script = await get(sources[0]!);
    expect([script.status, script.headers.get('content-type')]).toEqual([200, 'application/javascript; charset=utf-8']);
    expect((await script.text()).length).toBeGreaterThan(100_000);
  });
});

describe('whatever is no route', () => {
  const cases: readonly (readonly [string, string, number, string, string | null])[] = [
    ['GET', '/', 404, 'not_found', null],
    ['GET', '/v1', 404, 'not_found', null],
    ['POST', '/v2/touches', 404, 'not_found', null],
    ['GET', '/v1/accounts/a/b', 404, 'not_found', null],
    ['GET', '/docs/../../etc/passwd', 404, 'not_found', null],
    ['GET', '/docs/js/%2e%2e%2fpackage.json', 404, 'not_found', null],
    ['DELETE', '/v1/accounts', 405, 'method_not_allowed', 'GET, HEAD, POST'],
    ['GET', '/v1/touches', 405, 'method_not_allowed', 'POST, OPTIONS'],
    ['PATCH', '/v1/accounts/a', 405, 'method_not_allowed', 'GET, HEAD'],
    ['GET', '/v1/keys/a', 405, 'method_not_allowed', 'DELETE'],
    ['POST', '/openapi.json', 405, 'method_not_allowed', 'GET, HEAD'],
    ['PUT', '/metrics', 405, 'method_not_allowed', 'GET, HEAD'],
  ];
  test.each(cases)('%s %s is answered as a problem', async (method, path, status, code, allow) => {
    for (const body of method === 'GET' ? [null] : [null, '{']) {
      const response = await fetch(running.server.url + path, { method, body });
      expect(response.headers.get('allow')).toBe(allow);
      await expectProblem(response, status, code);
    }
  });

  it('has headers that keep browsers from guessing', async () => {
    const response = await get('/v1/nothing');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('server')).toBeNull();
  });

  test.each(['/healthz', '/v1/accounts', '/openapi.json'])('HEAD %s answers as GET does, without the body', async (path) => {
    const [head, whole] = await Promise.all([running.server.fetch(path, { method: 'HEAD' }), running.server.fetch(path)]);
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-type')).toBe(whole.headers.get('content-type'));
    await whole.arrayBuffer();
  });
});

/** Enough to take a moment to restore. */
const BATCHES = 10;

describe('while it restores its state', () => {
  it('takes touches, and sends readers away with 503 until it is ready', async () => {
    const items = Array.from({ length: 10_000 }, (_, i) => ({ accountId: `a${i % 500}`, contactId: `c${i % 5000}`, kind: 'web_visit' }));
    for (let batch = 0; batch < BATCHES; batch++) await running.server.post('/v1/touches', items);
    await running.restart({ waitFor: 'alive' });

    const readers = ['/v1/accounts', `/v1/accounts/${ACCOUNT}`, `/v1/accounts/${ACCOUNT}/timeline`, '/v1/models/current', '/v1/stream'];
    const model = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"version":"m","rules":[]}' };
    const answers = await Promise.all([
      ...readers.map((path) => running.server.fetch(path)),
      running.server.fetch('/v1/models', model),
      running.server.fetch('/readyz'),
    ]);
    for (const answer of answers) await expectProblem(answer, 503, 'not_ready');
    expect((await running.server.fetch('/healthz')).status).toBe(200);
    expect((await running.server.fetch('/metrics')).status).toBe(200);
    expect(await running.server.post('/v1/touches', [{ accountId: 'meanwhile', kind: 'call' }])).toEqual({ accepted: 1, rejected: [] });

    // From the first answer on, a reader sees all of it.
    for (;;) {
      const response = await running.server.fetch('/v1/accounts/a1');
      if (response.status === 503) {
        await expectProblem(response, 503, 'not_ready');
        continue;
      }
      expect(response.status).toBe(200);
      expect(((await response.json()) as { windows: { '7d': { touches: number } } }).windows['7d'].touches).toBe(
        (BATCHES * items.length) / 500,
      );
      break;
    }
    expect((await running.server.fetch('/readyz')).status).toBe(200);
  });
});
