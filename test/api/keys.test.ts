import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { KEY } from '../support/start-server.ts';
import { expectProblem } from './problem.ts';
import { openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const SCOPES = ['ingest', 'read', 'admin', 'privacy'] as const;
type Scope = (typeof SCOPES)[number];

interface Key {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly revokedAt: string | null;
}
interface CreatedKey extends Key {
  readonly key: string;
}

let running: TemporaryServer;
const keys = new Map<string, CreatedKey>();
const json = { 'content-type': 'application/json' };

async function create(wish: object): Promise<CreatedKey> {
  const response = await running.server.fetch('/v1/keys', { method: 'POST', headers: json, body: JSON.stringify(wish) });
  expect(response.status).toBe(201);
  return (await response.json()) as CreatedKey;
}
const list = async (): Promise<readonly Key[]> => (await running.server.get<{ data: readonly Key[] }>('/v1/keys')).data;

/** Sends a request with a key of one's own, or none. Streams are left at once. */
async function send(method: string, path: string, key: string | null, more: Record<string, string> = {}, body?: string): Promise<Response> {
  const abort = new AbortController();
  const response = await fetch(running.server.url + path, {
    method,
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...(body !== undefined && json), ...more },
    ...(body !== undefined && { body }),
    signal: abort.signal,
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) abort.abort();
  return response;
}

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post('/v1/touches', [{ accountId: 'acme', kind: 'call' }]);
  for (const scope of SCOPES) keys.set(scope, await create({ name: `only ${scope}`, scopes: [scope] }));
  keys.set('write', await create({ name: 'page', kind: 'write' }));
  keys.set('victim', await create({ name: 'to be revoked', scopes: ['read'] }));
});
afterAll(() => running.close());

const fact = (fields: object): string => JSON.stringify({ id: 'f', ...fields });
/** Every route that needs a key: method, path, scope, a body that it takes, and what it then answers. */
const ROUTES: readonly (readonly [string, string, Scope, string | undefined, number])[] = [
  ['POST', '/v1/touches', 'ingest', '{"accountId":"acme","kind":"call"}', 202],
  ['POST', '/v1/accounts', 'ingest', fact({}), 202],
  ['POST', '/v1/contacts', 'ingest', fact({ accountId: 'acme' }), 202],
  ['POST', '/v1/leads', 'ingest', fact({}), 202],
  ['POST', '/v1/opportunities', 'ingest', fact({ accountId: 'acme' }), 202],
  ['POST', '/v1/spend', 'ingest', fact({ date: '2026-03-01', amount: 1 }), 202],
  ['POST', '/v1/subscriptions', 'ingest', fact({ accountId: 'acme', mrr: 1 }), 202],
  ['POST', '/v1/models', 'admin', '{"version":"m","rules":[]}', 202],
  ['GET', '/v1/models/current', 'read', undefined, 200],
  ['GET', '/v1/accounts', 'read', undefined, 200],
  ['GET', '/v1/accounts/acme', 'read', undefined, 200],
  ['GET', '/v1/accounts/acme/timeline', 'read', undefined, 200],
  ['GET', '/v1/accounts/acme/history', 'read', undefined, 200],
  ['GET', '/v1/accounts/acme/stages', 'read', undefined, 200],
  ['GET', '/v1/accounts/acme/explain', 'read', undefined, 200],
  ['GET', '/v1/accounts/acme/explain/diff?from=0', 'read', undefined, 200],
  ['GET', '/v1/stream', 'read', undefined, 200],
  ['GET', '/v1/stages', 'read', undefined, 200],
  ['GET', '/v1/alert-rules', 'read', undefined, 200],
  ['POST', '/v1/alert-rules/test', 'read', '{"version":"m","rules":[]}', 200],
  ['GET', '/v1/alerts', 'read', undefined, 200],
  ['GET', '/v1/alerts/alr_0', 'read', undefined, 404],
  ['POST', '/v1/alerts/alr_0/ack', 'admin', '{}', 404],
  ['POST', '/v1/alerts/alr_0/snooze', 'admin', '{"for":"1h"}', 404],
  ['POST', '/v1/alerts/alr_0/useful', 'admin', '{}', 404],
  ['POST', '/v1/alerts/alr_0/not-useful', 'admin', '{}', 404],
  ['POST', '/v1/alerts/alr_0/resend', 'admin', '{}', 404],
  ['GET', '/v1/kpis', 'read', undefined, 200],
  ['GET', '/v1/kpis/cpl', 'read', undefined, 200],
  ['PUT', '/v1/kpis/cpl/target', 'admin', '{"value":1}', 200],
  ['GET', '/v1/lvr', 'read', undefined, 200],
  ['GET', '/v1/journey', 'read', undefined, 200],
  ['GET', '/v1/journey/stalled', 'read', undefined, 200],
  ['GET', '/v1/influence', 'read', undefined, 200],
  ['GET', '/v1/influence/opportunities', 'read', undefined, 200],
  ['GET', '/v1/attribution', 'read', undefined, 200],
  ['GET', '/v1/attribution/opportunities', 'read', undefined, 200],
  ['GET', '/v1/attribution/opportunities/opp_0', 'read', undefined, 404],
  ['GET', '/v1/win-rates', 'read', undefined, 200],
  ['GET', '/v1/creatives', 'read', undefined, 200],
  ['GET', '/v1/creatives/compare?campaignId=c&creativeIds=a,b', 'read', undefined, 404],
  ['GET', '/v1/experiments', 'read', undefined, 200],
  // What is taken is taken once: the second key would be told that it is there.
  ['POST', '/v1/experiments', 'admin', '{}', 400],
  ['GET', '/v1/experiments/exp_0', 'read', undefined, 404],
  ['GET', '/v1/experiments/exp_0/results', 'read', undefined, 404],
  ['GET', '/v1/experiments/exp_0/history', 'read', undefined, 404],
  ['POST', '/v1/experiments/exp_0/start', 'admin', '{}', 404],
  ['POST', '/v1/experiments/exp_0/stop', 'admin', '{}', 404],
  ['POST', '/v1/experiments/exp_0/undo', 'admin', '{}', 404],
  ['POST', '/v1/experiments/exp_0/swap', 'admin', '{"creativeId":"a"}', 404],
  ['POST', '/ofrep/v1/evaluate/flags', 'read', '{"context":{"targetingKey":"acme"}}', 200],
  ['POST', '/ofrep/v1/evaluate/flags/flag_0', 'read', '{"context":{"targetingKey":"acme"}}', 404],
  ['GET', '/v1/endpoints', 'admin', undefined, 200],
  ['POST', '/v1/endpoints', 'admin', '{"name":"CRM","url":"https://crm.example/"}', 201],
  ['GET', '/v1/endpoints/ep_0', 'admin', undefined, 404],
  ['PATCH', '/v1/endpoints/ep_0', 'admin', '{"name":"CRM"}', 404],
  ['DELETE', '/v1/endpoints/ep_0', 'admin', undefined, 404],
  ['GET', '/v1/endpoints/ep_0/deliveries', 'admin', undefined, 404],
  ['POST', '/v1/endpoints/ep_0/secrets', 'admin', '{}', 404],
  ['POST', '/v1/endpoints/ep_0/test', 'admin', '{}', 404],
  ['GET', '/v1/dead-letters', 'admin', undefined, 200],
  ['GET', '/v1/dead-letters/0/0', 'admin', undefined, 404],
  ['POST', '/v1/dead-letters/replay', 'admin', '{"open":{}}', 202],
  ['GET', '/v1/keys', 'admin', undefined, 200],
  ['POST', '/v1/keys', 'admin', '{"name":"another","scopes":["read"]}', 201],
  ['DELETE', '/v1/keys/{victim}', 'admin', undefined, 204],
];

describe('scopes', () => {
  const pathOf = (path: string): string => path.replace('{victim}', keys.get('victim')!.id);

  it('are those of every guarded route of the API', async () => {
    const { paths } = await running.server.get<{ paths: Record<string, Record<string, { security?: { bearer: string[] }[] }>> }>(
      '/openapi.json',
    );
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { security }]) => security !== undefined)
        .map(([method, { security }]) => `${method.toUpperCase()} ${path} ${security![0]!.bearer.join()}`),
    );
    const templateOf = (path: string): string =>
      path
        .split('?')[0]!
        .replace('acme', '{accountId}')
        .replace('{victim}', '{keyId}')
        .replace('alr_0', '{alertId}')
        .replace('ep_0', '{endpointId}')
        .replace('exp_0', '{experimentId}')
        .replace('flag_0', '{key}')
        .replace('cpl', '{name}')
        .replace('opp_0', '{opportunityId}')
        .replace('/0/0', '/{partition}/{offset}');
    const tested = ROUTES.map(([method, path, scope]) => `${method} ${templateOf(path)} ${scope}`);
    expect(documented.sort()).toEqual(tested.sort());
  });

  test.each(ROUTES)('%s %s takes keys with %s only', async (method, path, scope, body, status) => {
    const request = (key: string | null, more: Record<string, string> = {}): Promise<Response> =>
      send(method, pathOf(path), key, more, body);
    const none = await request(null);
    expect(none.headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
    await expectProblem(none, 401, 'unauthenticated');
    await expectProblem(await request('sk_unknown'), 401, 'unauthenticated');
    await expectProblem(await request(null, { authorization: `Basic ${btoa(`${KEY}:`)}` }), 401, 'unauthenticated');
    for (const [name, { key }] of keys) {
      if (name === 'victim') continue;
      const response = await request(key);
      if (name === scope || (name === 'write' && path === '/v1/touches')) {
        expect([name, response.status]).toEqual([name, status]);
        continue;
      }
      expect(response.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
      await expectProblem(response, 403, 'forbidden');
    }
    expect((await request(KEY)).status).toBe(status);
    await expectProblem(await request(KEY, { origin: 'https://shop.example' }), 403, 'forbidden');
    expect((await request(KEY, { origin: running.server.url })).status).toBe(status);
  });

  test.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'])('GET %s needs no key', async (path) => {
    expect((await send('GET', path, null)).status).toBe(200);
    expect((await send('GET', path, 'sk_unknown', { origin: 'https://shop.example' })).status).toBe(200);
  });

  it('let pages of any origin post touches with a write key', async () => {
    const origin = 'https://shop.example';
    const preflight = await send('OPTIONS', '/v1/touches', null, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type/);
    const posted = await send('POST', '/v1/touches', keys.get('write')!.key, { origin }, '{"accountId":"acme","kind":"call"}');
    expect([posted.status, posted.headers.get('access-control-allow-origin')]).toEqual([202, '*']);
    const refused = await send('POST', '/v1/touches', keys.get('write')!.key, { origin }, '{"kind":"call"}');
    // The page may read why.
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([400, '*']);
  });
});

describe('keys', () => {
  it('are shown once, and never again', async () => {
    const created = await create({ name: 'Zürich "office" 😀', scopes: ['read', 'ingest'] });
    expect(Object.keys(created)).toEqual(['id', 'name', 'scopes', 'createdAt', 'revokedAt', 'key']);
    expect(created.key).toMatch(/^sk_[\w-]{43}$/);
    expect(keys.get('write')!.key).toMatch(/^wk_[\w-]{43}$/);
    const text = JSON.stringify(await list());
    const { key, ...shown } = created;
    expect(text).not.toContain(key);
    expect((await list()).find(({ id }) => id === created.id)).toEqual(shown);
    expect(text).not.toContain('hash');
    expect(text).not.toContain(KEY);
  });

  it('stop to work when they are revoked, and stay in the list', async () => {
    const created = await create({ name: 'short-lived', scopes: ['read'] });
    expect((await send('GET', '/v1/accounts', created.key)).status).toBe(200);
    const revoke = (): Promise<Response> => running.server.fetch(`/v1/keys/${created.id}`, { method: 'DELETE' });
    const revoked = await revoke();
    expect([revoked.status, await revoked.text()]).toEqual([204, '']);
    await expectProblem(await send('GET', '/v1/accounts', created.key), 401, 'unauthenticated');
    const before = (await list()).find(({ id }) => id === created.id);
    expect(before?.revokedAt).toEqual(expect.any(String));
    expect((await revoke()).status).toBe(204);
    expect((await list()).find(({ id }) => id === created.id)).toEqual(before);
  });

  it('are the same after a crash', async () => {
    const revoked = await create({ name: 'gone', scopes: ['read'] });
    await running.server.fetch(`/v1/keys/${revoked.id}`, { method: 'DELETE' });
    const before = await list();
    await running.restart();
    expect(await list()).toEqual(before);
    expect((await send('GET', '/v1/accounts', keys.get('read')!.key)).status).toBe(200);
    await expectProblem(await send('GET', '/v1/accounts', revoked.key), 401, 'unauthenticated');
  });

  it('can not be revoked when there are none', async () => {
    for (const id of ['key_0000000000000000', '%00', 'constructor', 'a'.repeat(2000)]) {
      await expectProblem(await running.server.fetch(`/v1/keys/${id}`, { method: 'DELETE' }), 404, 'not_found');
    }
  });

  const invalid: readonly (readonly [string, string, string])[] = [
    ['no name', '{"scopes":["read"]}', '#/name'],
    ['an empty name', '{"name":"","scopes":["read"]}', '#/name'],
    ['a long name', `{"name":"${'a'.repeat(129)}","scopes":["read"]}`, '#/name'],
    ['a control character', '{"name":"a\\u0007","scopes":["read"]}', '#/name'],
    ['half a surrogate pair', '{"name":"\\ud800","scopes":["read"]}', '#/name'],
    ['no scope', '{"name":"a"}', '#/scopes'],
    ['an unknown scope', '{"name":"a","scopes":["write"]}', '#/scopes/0'],
    ['the scope of write keys', '{"name":"a","scopes":["collect"]}', '#/scopes/0'],
    ['too many scopes', '{"name":"a","scopes":["read","read","read","read","read"]}', '#/scopes'],
    ['an unknown kind', '{"name":"a","kind":"public"}', '#/kind'],
    ['an unknown field', '{"name":"a","scopes":["read"],"key":"sk_mine"}', '#'],
    ['a list', '[]', '#'],
  ];
  test.each(invalid)('are not made with %s', async (_case, body, pointer) => {
    const response = await send('POST', '/v1/keys', KEY, {}, body);
    expect((await expectProblem(response, 400, 'invalid_request')).errors).toMatchObject([{ in: 'body', pointer }]);
  });
});
