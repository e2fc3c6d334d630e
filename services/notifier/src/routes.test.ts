import { createHttpApp, createLogger, createMetrics, type HttpApp } from '@touchstone/runtime';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { alertOf } from './test-alerts.ts';
import { answers, TestWorld, unreachable } from './test-world.ts';

const admin = { authorization: 'Bearer sk_all' };
const reader = { authorization: 'Bearer sk_reader' };

describe('endpoints over HTTP', () => {
  let world: TestWorld;
  let app: HttpApp;
  const lines: string[] = [];

  beforeEach(async () => {
    lines.length = 0;
    world = await TestWorld.start({});
    app = await createHttpApp({
      logger: createLogger({ service: 'test', level: 'trace', destination: { write: (line) => void lines.push(line) } }),
      metrics: createMetrics({ ofProcess: false }),
      keys: {
        verify: (token) => ({ keyId: token, kind: 'secret', scopes: new Set(token === 'sk_all' ? ['read', 'admin'] : ['read']) }),
      },
      checkAnswers: true,
    });
    world.notifier.registerRoutes(app, () => world.scheduler.now());
    await app.ready();
  });

  afterEach(() => app.close());

  async function call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object,
  ): Promise<{ status: number; body: unknown }> {
    let isAnswered = false;
    const answer = app.inject({ method, url, headers: admin, ...(payload !== undefined && { payload }) }).then((response) => {
      isAnswered = true;
      return response;
    });
    // What is to be stored may be gathered for a tenth of a second.
    while (!isAnswered) await world.scheduler.advance(1);
    const response = await answer;
    return { status: response.statusCode, body: response.body === '' ? null : response.json<unknown>() };
  }
  const create = async (changes: object = {}): Promise<{ id: string; secret: string } & Record<string, unknown>> =>
    (await call('POST', '/v1/endpoints', { name: 'CRM', url: 'https://crm.example/hook', ...changes })).body as never;
  const tell = async (number: number): Promise<string> => {
    const id = `alr_${number}`;
    await world.topic.append(0, [alertOf({ id, at: world.scheduler.now() + number })]);
    await world.scheduler.advance(100);
    return id;
  };

  it('are made with a secret that is shown once', async () => {
    const { secret, ...endpoint } = await create();
    expect(endpoint).toMatchObject({ name: 'CRM', kind: 'webhook', filter: {}, ownerBudget: null, secrets: 1, state: 'active' });
    expect(secret).toMatch(/^whsec_/);
    const { body: listed } = await call('GET', '/v1/endpoints');
    expect(listed).toEqual({ data: [endpoint] });
    expect(await call('GET', `/v1/endpoints/${endpoint.id}`)).toEqual({ status: 200, body: endpoint });
    await tell(1);
    await call('POST', `/v1/endpoints/${endpoint.id}/test`, {});
    const said = JSON.stringify([listed, lines, world.received.map(({ headers }) => headers)]);
    expect(said).not.toContain(secret.slice('whsec_'.length));
  });

  it('of Slack have a budget, no secret, and a URL that is not shown whole', async () => {
    const made = await create({ kind: 'slack', url: 'https://hooks.slack.example/services/T0/B0/verysecret' });
    expect(made).toMatchObject({ ownerBudget: 20, secret: null, secrets: 0, url: 'https://hooks.slack.example/...' });
    expect(JSON.stringify([made, await call('GET', '/v1/endpoints'), lines])).not.toContain('verysecret');
    expect((await call('POST', `/v1/endpoints/${made.id}/secrets`, {})).status).toBe(409);
    await tell(1);
    expect(world.received[0]!.url).toBe('https://hooks.slack.example/services/T0/B0/verysecret');
  });

  test.each([
    ['a private address', { url: 'https://10.0.0.1/' }, '#/url'],
    ['localhost', { url: 'https://localhost/' }, '#/url'],
    ['http', { url: 'http://crm.example/' }, '#/url'],
    ['another port', { url: 'https://crm.example:25/' }, '#/url'],
    ['a password', { url: 'https://a:b@crm.example/' }, '#/url'],
    ['no URL', { url: 'crm' }, '#/url'],
    ['a secret that is none', { secret: 'whsec_short' }, '#/secret'],
    ['a secret for Slack', { kind: 'slack', secret: `whsec_${Buffer.alloc(32).toString('base64')}` }, '#/secret'],
    ['an unknown type', { filter: { types: ['account.sold'] } }, '#/filter/types/0'],
    ['an unknown filter', { filter: { tier: 'A' } }, '#/filter'],
    ['an unknown field of accounts', { filter: { account: { colour: 'A' } } }, '#/filter/account'],
    ['a budget of nothing', { ownerBudget: 0 }, '#/ownerBudget'],
    ['a name that breaks lines', { name: 'a\nb' }, '#/name'],
  ])('are not made with %s', async (_, changes, pointer) => {
    const { body, status } = await call('POST', '/v1/endpoints', { name: 'CRM', url: 'https://crm.example/', ...changes });
    expect(status).toBe(400);
    expect((body as { errors: { pointer: string }[] }).errors[0]!.pointer).toBe(pointer);
    expect(await world.store.endpoints()).toEqual([]);
  });

  it('are changed in part, and what is changed counts at once', async () => {
    const { id } = await create({ filter: { directions: ['down'] }, ownerBudget: 3 });
    await tell(1);
    expect(world.received).toHaveLength(0);
    const changed = await call('PATCH', `/v1/endpoints/${id}`, { filter: { minValue: 70 } });
    expect(changed.body).toMatchObject({ filter: { minValue: 70 }, ownerBudget: 3, name: 'CRM' });
    await tell(2);
    expect(world.received).toHaveLength(1);
    await call('PATCH', `/v1/endpoints/${id}`, { state: 'disabled' });
    await tell(3);
    expect(world.received).toHaveLength(1);
    expect((await call('PATCH', `/v1/endpoints/${id}`, { url: 'https://127.0.0.1/' })).status).toBe(400);
    expect((await call('PATCH', `/v1/endpoints/${id}`, {})).status).toBe(400);
    expect((await call('PATCH', '/v1/endpoints/ep_none', { name: 'x' })).status).toBe(404);
  });

  it('are deleted, with what is pending for them', async () => {
    const { id } = await create();
    world.receivers.set('crm.example', () => unreachable);
    await tell(1);
    expect(await call('DELETE', `/v1/endpoints/${id}`)).toEqual({ status: 204, body: null });
    expect((await call('DELETE', `/v1/endpoints/${id}`)).status).toBe(404);
    await world.scheduler.advance(3_600_000);
    await tell(2);
    expect(world.received).toHaveLength(1);
    expect((await call('GET', `/v1/endpoints/${id}`)).status).toBe(404);
  });

  it('get another secret beside the old one, until that is dropped', async () => {
    const { id, secret: old } = await create();
    const { body: rotated } = await call('POST', `/v1/endpoints/${id}/secrets`, {});
    const { secret: young } = rotated as { secret: string };
    await tell(1);
    const { at, body, headers } = world.received[0]!;
    const sign = (secret: string): string => new Webhook(secret).sign('alr_1', new Date(at), body);
    expect(headers['webhook-signature']).toBe(`${sign(young)} ${sign(old)}`);
    const given = `whsec_${Buffer.alloc(40, 7).toString('base64')}`;
    expect((await call('POST', `/v1/endpoints/${id}/secrets`, { secret: given, keepOld: false })).body).toEqual({
      secret: given,
      secrets: 1,
    });
    await tell(2);
    expect(world.received[1]!.headers['webhook-signature']!.split(' ')).toHaveLength(1);
  });

  it('are tested by one message, whose outcome is the answer and in the log', async () => {
    const { id } = await create({ filter: { ruleIds: ['none'] } });
    const { body } = await call('POST', `/v1/endpoints/${id}/test`, {});
    expect(body).toMatchObject({ outcome: 'delivered', status: 200, error: null });
    expect(JSON.parse(world.received[0]!.body)).toMatchObject({ data: { test: true, accountId: 'example.invalid' } });
    world.receivers.set('crm.example', () => answers(500));
    expect((await call('POST', `/v1/endpoints/${id}/test`, {})).body).toMatchObject({ outcome: 'failed', status: 500 });
    world.receivers.set('crm.example', () => unreachable);
    expect((await call('POST', `/v1/endpoints/${id}/test`, {})).body).toMatchObject({ status: null, error: 'unreachable: ECONNREFUSED' });
    await world.scheduler.advance(3_600_000);
    expect(world.received).toHaveLength(3);
    const { data } = (await call('GET', `/v1/endpoints/${id}/deliveries`)).body as { data: { kind: string; state: string }[] };
    expect(data.map(({ kind, state }) => `${kind} ${state}`).sort()).toEqual(['test delivered', 'test failed', 'test failed']);
  });

  it('have a log of deliveries, by pages and state', async () => {
    const { id } = await create();
    world.receivers.set('crm.example', ({ headers }) => (headers['webhook-id'] === 'alr_2' ? answers(500) : answers(204)));
    for (const number of [1, 2, 3]) await tell(number);
    interface Page {
      readonly data: { readonly id: string; readonly state: string; readonly attempts: readonly { readonly status: number }[] }[];
      readonly nextCursor: string | null;
    }
    const first = (await call('GET', `/v1/endpoints/${id}/deliveries?limit=2`)).body as Page;
    expect(first.data.map((one) => [one.id, one.state, one.attempts.map(({ status }) => status)])).toEqual([
      ['alr_3', 'delivered', [204]],
      ['alr_2', 'pending', [500]],
    ]);
    const second = (await call('GET', `/v1/endpoints/${id}/deliveries?limit=2&cursor=${first.nextCursor}`)).body as Page;
    expect([second.data.map((one) => one.id), second.nextCursor]).toEqual([['alr_1'], null]);
    const pending = (await call('GET', `/v1/endpoints/${id}/deliveries?state=pending`)).body as Page;
    expect(pending.data.map((one) => one.id)).toEqual(['alr_2']);
    for (const query of ['cursor=x', 'limit=0', 'limit=201', 'state=lost', 'other=1']) {
      expect((await call('GET', `/v1/endpoints/${id}/deliveries?${query}`)).status, query).toBe(400);
    }
    expect((await call('GET', '/v1/endpoints/ep_none/deliveries')).status).toBe(404);
  });

  it('come as CSV, and so do their deliveries, with the last attempt', async () => {
    const { id } = await create({ name: '=1+1', filter: { minValue: 0 } });
    world.receivers.set('crm.example', () => answers(500));
    for (const number of [1, 2]) await tell(number);
    const csv = async (url: string) => {
      const { body, headers } = await app.inject({ url, headers: { ...admin, accept: 'text/csv' } });
      expect(headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8', vary: expect.stringContaining('accept') });
      return { lines: body.split('\n'), link: headers.link };
    };
    const { lines: endpoints } = await csv('/v1/endpoints');
    expect(endpoints[0]).toBe('id,name,kind,url,filter,ownerBudget,secrets,state,stateReason,createdAt,updatedAt');
    expect(endpoints[1]).toMatch(new RegExp(`^${id},'=1\\+1,webhook,https://crm.example/hook,"{""minValue"":0}",,1,active,,2`));
    const { lines, link } = await csv(`/v1/endpoints/${id}/deliveries?limit=1`);
    expect(lines[0]).toBe('id,endpointId,kind,owner,state,at,takenAt,nextAttemptAt,attempts,lastAttemptAt,lastMs,lastStatus,lastError');
    expect(lines[1]).toMatch(new RegExp(`^alr_2,${id},alert,[^,]*,pending,2.*Z,2.*Z,2.*Z,1,2.*Z,0,500,$`));
    const next = /^<(.*)>; rel="next"$/.exec(String(link))![1]!;
    expect((await csv(next)).lines[1]).toMatch(/^alr_1,/);
  });

  it('are sent an alert again by hand, under the same id', async () => {
    const { id } = await create();
    world.receivers.set('crm.example', () => answers(410));
    await tell(1);
    world.receivers.delete('crm.example');
    await call('PATCH', `/v1/endpoints/${id}`, { state: 'active' });
    const other = await create({ name: 'other', url: 'https://other.example/' });
    const { body, status } = await call('POST', '/v1/alerts/alr_1/resend', {});
    expect([status, body]).toMatchObject([202, { data: [{ id: 'alr_1', endpointId: id, state: 'pending' }] }]);
    await world.scheduler.advance(100);
    expect(world.received.map((one) => one.id)).toEqual(['alr_1', 'alr_1']);
    expect(world.store.row('alr_1', id)).toMatchObject({ state: 'delivered' });
    // One that no endpoint ever was to hear of.
    world.store.told.push(alertOf({ id: 'alr_7', at: 7 }));
    expect((await call('POST', '/v1/alerts/alr_7/resend', {})).body).toMatchObject({ errors: [{ pointer: '#/endpointIds' }] });
    expect((await call('POST', '/v1/alerts/alr_7/resend', { endpointIds: [other.id] })).body).toMatchObject({
      data: [{ id: 'alr_7', endpointId: other.id, state: 'pending', at: '1970-01-01T00:00:00.007Z' }],
    });
    await world.scheduler.advance(100);
    expect(world.receivedBy('other.example').map((one) => one.id)).toEqual(['alr_7']);
    expect(world.store.row('alr_7')).toMatchObject({ state: 'delivered' });
    // To one that has not heard of it at all.
    await call('POST', '/v1/alerts/alr_1/resend', { endpointIds: [other.id] });
    await world.scheduler.advance(0);
    expect(world.receivedBy('other.example').map((one) => one.id)).toEqual(['alr_7', 'alr_1']);
    expect((await call('POST', '/v1/alerts/alr_9/resend', {})).status).toBe(404);
    expect((await call('POST', '/v1/alerts/alr_1/resend', { endpointIds: ['ep_none'] })).status).toBe(400);
    expect((await call('POST', '/v1/alerts/alr%0a1/resend', {})).status).toBe(400);
  });

  test.each([
    ['GET', '/v1/endpoints'],
    ['POST', '/v1/endpoints'],
    ['PATCH', '/v1/endpoints/ep_1'],
    ['DELETE', '/v1/endpoints/ep_1'],
    ['GET', '/v1/endpoints/ep_1/deliveries'],
    ['POST', '/v1/endpoints/ep_1/test'],
    ['POST', '/v1/endpoints/ep_1/secrets'],
    ['POST', '/v1/alerts/alr_1/resend'],
  ] as const)('need an admin: %s %s', async (method, url) => {
    expect((await app.inject({ method, url, headers: reader })).statusCode).toBe(403);
    expect((await app.inject({ method, url })).statusCode).toBe(401);
  });

  it('answer 503 while the store is away', async () => {
    const { id } = await create();
    world.store.isAway = true;
    expect((await call('POST', '/v1/endpoints', { name: 'x', url: 'https://x.example/' })).status).toBe(503);
    expect((await call('PATCH', `/v1/endpoints/${id}`, { name: 'x' })).status).toBe(503);
    expect((await call('GET', `/v1/endpoints/${id}/deliveries`)).status).toBe(503);
    expect((await call('POST', '/v1/alerts/alr_1/resend', {})).status).toBe(503);
    expect((await call('GET', '/v1/endpoints')).status).toBe(200);
  });

  it('are in the OpenAPI document', async () => {
    const { paths } = (await app.inject({ url: '/openapi.json' })).json<{ paths: Record<string, object> }>();
    expect(
      Object.keys(paths)
        .filter((path) => /endpoints|resend/.test(path))
        .toSorted(),
    ).toEqual([
      '/v1/alerts/{alertId}/resend',
      '/v1/endpoints',
      '/v1/endpoints/{endpointId}',
      '/v1/endpoints/{endpointId}/deliveries',
      '/v1/endpoints/{endpointId}/secrets',
      '/v1/endpoints/{endpointId}/test',
    ]);
  });
});
