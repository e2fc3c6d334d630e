import { createHttpApp, createLogger, createMetrics, type HttpApp, type Metrics } from '@touchstone/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Decider, Evaluation } from './decider.ts';
import type { DecisionStreams } from './decision-streams.ts';
import { registerOfrepRoutes } from './ofrep-routes.ts';

const ANSWER: Evaluation = { key: 'hero', value: 'a', variant: 'a', reason: 'SPLIT', metadata: { experiment: 'spring', score: 50 } };

let app: HttpApp;
let metrics: Metrics;
let flags: Evaluation[] = [];
let period = '1';

beforeAll(async () => {
  metrics = createMetrics({ ofProcess: false });
  app = await createHttpApp({
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics,
    keys: { verify: () => ({ keyId: 'reader', kind: 'secret', scopes: new Set(['read']) }) },
    checkAnswers: true,
  });
  const decider = { evaluate: (key: string) => flags.find((flag) => flag.key === key) ?? null, evaluateAll: () => flags };
  const streams = {
    addressOf: (accountId: string, keyId: string) => `/ofrep/v1/events?account=${accountId}&key=${keyId}&signature=period${period}`,
  };
  registerOfrepRoutes(app, {
    decider: decider as unknown as Decider,
    streams: streams as unknown as DecisionStreams,
    metrics,
    assertReady() {},
  });
  await app.ready();
});
beforeEach(() => {
  flags = [ANSWER];
  period = '1';
});
afterAll(() => app.close());

async function ask(path: string, targetingKey: unknown, headers: Record<string, string> = {}) {
  const response = await app.inject({
    method: 'POST',
    url: `/ofrep/v1/evaluate/flags${path}`,
    headers: { authorization: 'Bearer sk_reader', ...headers },
    payload: { context: { targetingKey } },
  });
  const body: unknown = response.body === '' ? null : response.json();
  return { status: response.statusCode, etag: response.headers['etag'] as string, body, headers: response.headers };
}
const known = (etag: string): Promise<{ status: number }> => ask('', 'acme', { 'if-none-match': etag });

describe('a bulk answer', () => {
  it('has the flags, and where to be told of others', async () => {
    const { body, headers, status } = await ask('', 'acme');
    expect(status).toBe(200);
    const requestUri = '/ofrep/v1/events?account=acme&key=reader&signature=period1';
    expect(body).toEqual({ flags: [ANSWER], eventStreams: [{ type: 'sse', endpoint: { requestUri }, inactivityDelaySec: 120 }] });
    // What one account sees is nobody else's to keep.
    expect(headers['cache-control']).toBe('private, no-cache');
  });

  it('is not sent again to who has it, however that is said', async () => {
    const { etag } = await ask('', 'acme');
    for (const header of [etag, `W/${etag}`, `"other", ${etag}`, `${etag},"other"`, '*'])
      expect(await known(header), header).toMatchObject({ status: 304, body: null, etag });
    for (const header of ['"other"', etag.slice(1, -1), '']) expect(await known(header), header).toMatchObject({ status: 200 });
  });

  it('is sent again when something is decided otherwise, and when the address is another one', async () => {
    const { etag } = await ask('', 'acme');
    flags = [{ ...ANSWER, metadata: { ...ANSWER.metadata, score: 51 } }];
    expect(await known(etag)).toMatchObject({ status: 304 });
    flags = [{ ...ANSWER, variant: 'b', value: 'b' }];
    expect(await known(etag)).toMatchObject({ status: 200 });
    flags = [ANSWER];
    period = '2';
    // Whoever was told 304 would go on with an address whose time is over.
    expect(await known(etag)).toMatchObject({ status: 200 });
  });

  it('counts as decisions, unless it is known already', async () => {
    const counted = async (): Promise<number> => {
      const line = (await metrics.text()).split('\n').find((one) => one.startsWith('touchstone_decisions_total{experiment="spring"'));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const before = await counted();
    const { etag } = await ask('', 'acme');
    expect(await counted()).toBe(before + 1);
    await known(etag);
    expect(await counted()).toBe(before + 1);
    await ask('/hero', 'acme');
    expect(await counted()).toBe(before + 2);
  });
});

describe.each(['', '/hero'])('the targeting key of flags%s', (path) => {
  it.each([
    [undefined, 'TARGETING_KEY_MISSING'],
    [null, 'TARGETING_KEY_MISSING'],
    ['', 'TARGETING_KEY_MISSING'],
    [7, 'INVALID_CONTEXT'],
    ['a'.repeat(129), 'INVALID_CONTEXT'],
  ])('%j is refused', async (targetingKey, errorCode) => {
    const { body, status } = await ask(path, targetingKey);
    expect(status).toBe(400);
    expect(body).toEqual({ ...(path !== '' && { key: 'hero' }), errorCode, errorDetails: expect.any(String) as string });
  });

  it('may have 128 characters', async () => {
    expect(await ask(path, 'a'.repeat(128))).toMatchObject({ status: 200 });
  });
});
