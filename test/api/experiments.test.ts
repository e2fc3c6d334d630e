import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settle } from '../support/settle.ts';
import { KEY } from '../support/start-server.ts';
import { openStream } from './open-stream.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

interface Experiment {
  readonly id: string;
  readonly status: string;
  readonly revision: number;
  readonly arms: readonly { readonly creativeId: string; readonly isOut: boolean; readonly weight: number }[];
}
interface Evaluation {
  readonly key: string;
  readonly value?: string;
  readonly variant: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}
interface Results {
  readonly isComplete: boolean;
  readonly contamination: object | null;
  readonly recommendation: { readonly swapOut: string } | null;
  readonly arms: readonly {
    readonly creativeId: string;
    readonly exposed: number;
    readonly accounts: number;
    readonly clicks: number;
    readonly value: number | null;
  }[];
}

let running: TemporaryServer;
beforeAll(async () => {
  running = await openTemporaryServer();
});
afterAll(() => running.close());

function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return running.server.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
async function sent<T>(path: string, body: unknown, status = 200): Promise<T> {
  const response = await send(path, body);
  const text = await response.text();
  expect(response.status, text).toBe(status);
  return JSON.parse(text) as T;
}
async function create(given: { readonly id: string; readonly [field: string]: unknown }): Promise<void> {
  const arms = [{ creativeId: `${given.id}-a` }, { creativeId: `${given.id}-b` }];
  await sent('/v1/experiments', { campaignId: `campaign-${given.id}`, arms, ...given }, 201);
  await sent(`/v1/experiments/${given.id}/start`, {});
}
const ask = (key: string, accountId: string): Promise<Evaluation> =>
  sent(`/ofrep/v1/evaluate/flags/${key}`, { context: { targetingKey: accountId } });
const touch = (touches: readonly object[]): Promise<unknown> => running.server.post('/v1/touches', touches);
const known = (accountId: string): Promise<unknown> =>
  eventually(
    () => running.server.fetch(`/v1/accounts/${accountId}`),
    ({ status }) => status === 200,
  );

describe('an experiment', () => {
  it('goes from a draft to running to stopped, and each step is on record', async () => {
    const given = { id: 'life', campaignId: 'spring', arms: [{ creativeId: 'a' }, { creativeId: 'b' }] };
    const draft = await sent<Experiment>('/v1/experiments', given, 201);
    expect(draft).toMatchObject({ id: 'life', status: 'draft', revision: 1, control: 'a', flagKey: 'life' });
    const { detail } = await expectProblem(await send('/v1/experiments', given), 409, 'conflict');
    expect(detail).toBe('there is an experiment with this id already');
    expect(await sent('/v1/experiments/life/start', { reason: 'spring is here' })).toMatchObject({ status: 'running', revision: 2 });
    expect((await send('/v1/experiments/life/stop', { revision: 1 })).status).toBe(409);
    expect(await sent('/v1/experiments/life/swap', { creativeId: 'b' })).toMatchObject({ arms: [{ isOut: false }, { isOut: true }] });
    expect(await sent('/v1/experiments/life/undo', {})).toMatchObject({ arms: [{ isOut: false }, { isOut: false }] });
    expect(await sent('/v1/experiments/life/stop', {})).toMatchObject({ status: 'stopped', revision: 5 });
    const history = await running.server.get<{ data: { action: string; by: string; reason: string | null }[] }>(
      '/v1/experiments/life/history',
    );
    expect(history.data.map(({ action }) => action)).toEqual(['stop', 'undo', 'swap', 'start', 'create']);
    expect(history.data[3]).toMatchObject({ by: 'configured-admin', reason: 'spring is here' });
    expect(await running.server.get<Results>('/v1/experiments/life/results')).toMatchObject({ status: 'stopped', isComplete: true });
  });

  it('is listed, as CSV too', async () => {
    const csv = await running.server.fetch('/v1/experiments?status=stopped', { headers: { accept: 'text/csv' } });
    expect((await csv.text()).split('\n')[0]).toContain('id,name,flagKey');
    expect((await running.server.get<{ data: Experiment[] }>('/v1/experiments?campaignId=spring')).data).toHaveLength(1);
  });

  it('says what is wrong with one that can not be', async () => {
    const response = await send('/v1/experiments', { id: 'x', campaignId: 'c', arms: [{ creativeId: 'a' }, { creativeId: 'a' }] });
    const problem = await expectProblem(response, 400, 'invalid_request');
    expect(problem.detail).toContain('no two arms');
    await expectProblem(await running.server.fetch('/v1/experiments/none'), 404, 'not_found');
    const lost = { id: 'x', campaignId: 'c', arms: [{ creativeId: 'much', weight: 1e6 }, { creativeId: 'tiny', weight: 0.001 }] }; // prettier-ignore
    const { errors: ofArm } = await expectProblem(await send('/v1/experiments', lost), 400, 'invalid_request');
    expect(ofArm).toMatchObject([{ in: 'body', pointer: '#/arms/1/weight', detail: expect.stringContaining('gives tiny none') }]);
    const misspelt = { id: 'x', campaignId: 'c', arms: [{ creativeId: 'a' }, { creativeId: 'b' }], targeting: { bands: ['hot', 'hott'] } };
    const { errors } = await expectProblem(await send('/v1/experiments', misspelt), 400, 'invalid_request');
    expect(errors).toMatchObject([{ in: 'body', pointer: '#/targeting/bands/1', detail: expect.stringContaining('cold, warm, hot') }]);
  });
});

describe('a decision by OFREP', () => {
  beforeAll(async () => {
    await create({
      id: 'hero',
      targeting: { bands: ['hot'] },
      control: 'hero-a',
      arms: [
        { creativeId: 'hero-a', weight: 0.1 },
        { creativeId: 'hero-b', weight: 999.9 },
      ],
    });
  });

  it('follows the band, with reason and metadata', async () => {
    await touch([{ accountId: 'acme', contactId: 'ann', kind: 'web_visit' }]);
    await known('acme');
    expect(await ask('hero', 'acme')).toMatchObject({
      value: 'hero-a',
      reason: 'STATIC',
      metadata: { band: 'cold', cause: 'not_targeted', experiment: 'hero' },
    });
    await touch(Array.from({ length: 8 }, (_, index) => ({ accountId: 'acme', contactId: `c${index}`, kind: 'meeting', minutes: 60 })));
    const hot = await eventually(
      () => ask('hero', 'acme'),
      ({ value }) => value === 'hero-b',
    );
    expect(hot).toMatchObject({ key: 'hero', variant: 'hero-b', reason: 'SPLIT', metadata: { band: 'hot', cause: 'assigned' } });
    expect(hot.metadata['score']).toBeGreaterThan(60);
    expect(hot.metadata['modelVersion']).toBeTypeOf('string');
  });

  it('gives an account that is not known the default', async () => {
    expect(await ask('hero', 'nobody')).toEqual({
      key: 'hero',
      value: 'hero-a',
      variant: 'hero-a',
      reason: 'UNKNOWN',
      metadata: { experiment: 'hero', revision: 2, cause: 'unknown_account', counted: false },
    });
  });

  it.each([
    ['no targeting key', { context: {} }, { errorCode: 'TARGETING_KEY_MISSING', key: 'hero' }],
    ['no context', {}, { errorCode: 'TARGETING_KEY_MISSING' }],
    ['a key that is no text', { context: { targetingKey: 7 } }, { errorCode: 'INVALID_CONTEXT' }],
    ['a body that is no object', [], { errorCode: 'PARSE_ERROR' }],
  ])("refuses %s in the protocol's words", async (_, body, expected) => {
    expect(await sent('/ofrep/v1/evaluate/flags/hero', body, 400)).toMatchObject(expected);
  });

  it('does not know other flags, and takes the key as X-API-Key', async () => {
    const context = { context: { targetingKey: 'acme' } };
    expect(await sent('/ofrep/v1/evaluate/flags/none', context, 404)).toMatchObject({ key: 'none', errorCode: 'FLAG_NOT_FOUND' });
    const post = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${running.server.url}/ofrep/v1/evaluate/flags`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(context),
      });
    expect((await post({ 'x-api-key': KEY })).status).toBe(200);
    expect((await post({ 'x-api-key': 'sk_none' })).status).toBe(401);
    expect((await post({})).status).toBe(401);
  });

  it('is the same in bulk, and 304 while nothing is decided otherwise', async () => {
    const first = await send('/ofrep/v1/evaluate/flags', { context: { targetingKey: 'acme' } });
    const { flags } = (await first.json()) as { flags: Evaluation[] };
    expect(flags.find(({ key }) => key === 'hero')?.value).toBe('hero-b');
    const again = await send(
      '/ofrep/v1/evaluate/flags',
      { context: { targetingKey: 'acme' } },
      { 'if-none-match': first.headers.get('etag')! },
    );
    expect(again.status).toBe(304);
    const other = await send(
      '/ofrep/v1/evaluate/flags',
      { context: { targetingKey: 'nobody' } },
      { 'if-none-match': first.headers.get('etag')! },
    );
    expect(other.status).toBe(200);
  });

  it('is told to be asked again when the account crosses a band, and when a creative is swapped out', async () => {
    await touch([{ accountId: 'globex', contactId: 'ann', kind: 'web_visit' }]);
    await known('globex');
    const bulk = await sent<{ eventStreams: { endpoint: { requestUri: string } }[] }>('/ofrep/v1/evaluate/flags', {
      context: { targetingKey: 'globex' },
    });
    const { requestUri } = bulk.eventStreams[0]!.endpoint;
    await expectProblem(await fetch(running.server.url + requestUri.replace('globex', 'acme')), 401, 'unauthenticated');
    const stream = await openStream(running.server.url + requestUri, {});
    const [first] = await stream.take(1);
    expect(first!.data).toMatchObject({ type: 'refetchEvaluation' });
    await touch(Array.from({ length: 8 }, (_, index) => ({ accountId: 'globex', contactId: `c${index}`, kind: 'meeting', minutes: 60 })));
    const [crossed] = await stream.take(1);
    expect(crossed!.data).toMatchObject({ type: 'refetchEvaluation' });
    await eventually(
      () => ask('hero', 'globex'),
      ({ value }) => value === 'hero-b',
    );
    await sent('/v1/experiments/hero/swap', { creativeId: 'hero-b' });
    await stream.take(1);
    expect(await ask('hero', 'globex')).toMatchObject({ value: 'hero-a' });
    await sent('/v1/experiments/hero/undo', {});
    expect(await ask('hero', 'globex')).toMatchObject({ value: 'hero-b' });
    stream.close();
  });
});

interface Shown {
  readonly accountId: string;
  readonly creativeId: string;
  readonly clicks: boolean;
}

describe('evidence', () => {
  const clicks = (id: string, from: number, count: number, rate: (creative: string) => number): Promise<Shown[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const accountId = `${id}-${from + index}`;
        const { value } = await ask(id, accountId);
        return { accountId, creativeId: value!, clicks: (index * 7919) % 1000 < rate(value!) * 1000 };
      }),
    );
  /** At one instant, so that however slow the machine is every click is within the outcome window. */
  const showAndClick = (id: string, shown: readonly Shown[]): Promise<unknown> => {
    const ad = (kind: string) => (one: Shown) => ({
      kind,
      accountId: one.accountId,
      creativeId: one.creativeId,
      campaignId: `campaign-${id}`,
    });
    return touch([...shown.map(ad('ad_impression')), ...shown.filter((one) => one.clicks).map(ad('ad_click'))]);
  };

  it('swaps what under-performs, once, and survives a kill', async () => {
    const id = 'auto';
    const made = { id, mode: 'auto', outcomeWindow: 1, grace: 0, leastSample: 100 };
    await create(made);
    // Decisions are about known accounts.
    await touch(Array.from({ length: 600 }, (_, index) => ({ accountId: `${id}-${index}`, kind: 'web_visit' })));
    await known(`${id}-599`);
    await eventually(
      () => ask(id, `${id}-599`),
      ({ reason }) => reason === 'SPLIT',
    );
    const shown = await clicks(id, 0, 600, (creative) => (creative === 'auto-a' ? 0.1 : 0.9));
    await showAndClick(id, shown);
    const swapped = await eventually(
      () => running.server.get<Experiment>(`/v1/experiments/${id}`),
      ({ revision }) => revision === 3,
    );
    expect(swapped.arms).toMatchObject([{ isOut: true }, { isOut: false }]);
    const { data } = await running.server.get<{ data: { by: string; creativeId: string; evidence: { judgement: object } }[] }>(
      `/v1/experiments/${id}/history?limit=1`,
    );
    expect(data[0]).toMatchObject({ by: 'auto', creativeId: 'auto-a', evidence: { judgement: { verdict: 'swap' } } });
    const before = await running.server.get<Results>(`/v1/experiments/${id}/results`);
    expect(before.arms.reduce((sum, { exposed }) => sum + exposed, 0)).toBe(600);
    await running.restart();
    const after = await eventually(
      () => running.server.get<Results>(`/v1/experiments/${id}/results`),
      ({ isComplete }) => isComplete,
    );
    expect(after.arms).toEqual(before.arms);
    expect(await ask(id, `${id}-1`)).toMatchObject({ value: 'auto-b' });
  }, 60_000);

  it('is made of those alone whom the experiment gave a creative, by the loop that the README has', async () => {
    const id = 'loop';
    await create({ id, targeting: { bands: ['warm', 'hot'] }, coverage: 0.8, holdout: 0.2, outcomeWindow: 60, grace: 0 });
    const [warm, cold, unknown] = ['warm', 'cold', 'unknown'].map((name) => Array.from({ length: 100 }, (_, n) => `${id}-${name}-${n}`));
    await touch(warm!.map((accountId) => ({ accountId, kind: 'meeting', minutes: 60 })));
    await touch(cold!.map((accountId) => ({ accountId, kind: 'web_visit' })));
    await settle(running.server);
    const shown = await Promise.all(
      [...warm!, ...cold!, ...unknown!].map(async (accountId) => {
        const { metadata, value } = await ask(id, accountId);
        // The caller's default is the control, too.
        return { accountId, isCounted: metadata['counted'] === true, creativeId: value ?? `${id}-a` };
      }),
    );
    const ad = { kind: 'ad_impression', campaignId: `campaign-${id}` };
    await touch(shown.map(({ accountId, creativeId, isCounted }) => ({ ...ad, accountId, ...(isCounted && { creativeId }) })));
    await settle(running.server);
    const counted = shown.filter(({ isCounted }) => isCounted);
    // 64 are expected.
    expect(counted.length).toBeGreaterThan(40);
    expect(counted.every(({ accountId }) => warm!.includes(accountId))).toBe(true);
    const { arms, contamination } = await running.server.get<Results>(`/v1/experiments/${id}/results`);
    for (const { creativeId, exposed } of arms) expect(exposed).toBe(counted.filter((one) => one.creativeId === creativeId).length);
    expect(arms.reduce((sum, { exposed }) => sum + exposed, 0)).toBe(counted.length);
    expect(contamination).toMatchObject({ leftOutShare: 0, heldOutExposed: 0, uncoveredExposed: 0 });
  }, 60_000);

  it('moves weights to what works, by itself, for those who have seen nothing yet', async () => {
    const id = 'bandit';
    await create({ id, mode: 'thompson', outcomeWindow: 3, grace: 0, leastSample: 50 });
    await touch(Array.from({ length: 400 }, (_, index) => ({ accountId: `${id}-${index}`, kind: 'web_visit' })));
    await settle(running.server);
    const shown = await clicks(id, 0, 200, (creative) => (creative === 'bandit-a' ? 0.1 : 0.9));
    await showAndClick(id, shown);
    const moved = await eventually(
      () => running.server.get<Experiment>(`/v1/experiments/${id}`),
      ({ revision }) => revision > 2,
    );
    expect(moved.arms.map(({ weight }) => weight)).toEqual([0.05, 0.95]);
    expect(moved.arms.every(({ isOut }) => !isOut)).toBe(true);
    const { data } = await running.server.get<{ data: readonly { by: string; action: string; evidence: object }[] }>(
      `/v1/experiments/${id}/history?limit=1`,
    );
    expect(data[0]).toMatchObject({ by: 'auto', action: 'weights', evidence: { draws: 2000, bestProbability: { 'bandit-b': 1 } } });
    const again = await Promise.all(shown.map(({ accountId }) => ask(id, accountId)));
    expect(again.map(({ value }) => value)).toEqual(shown.map(({ creativeId }) => creativeId));
    const others = await clicks(id, 200, 200, () => 0);
    // 190 of 200 are expected.
    expect(others.filter(({ creativeId }) => creativeId === 'bandit-b').length).toBeGreaterThan(170);
  }, 60_000);

  it('counts who reached a threshold after it was shown a creative, and who stood above it before not at all', async () => {
    const id = 'reach';
    const made = { id, metric: 'reachedThreshold', outcomeWindow: 5, grace: 0 };
    const problem = await expectProblem(
      await send('/v1/experiments', { ...made, campaignId: 'c', threshold: 'sure', arms: [{ creativeId: 'a' }, { creativeId: 'b' }] }),
      400,
      'invalid_request',
    );
    expect(problem.detail).toContain('no threshold "sure": it has none');
    const thresholds = [{ id: 'sure', metric: 'points', enter: 50 }];
    await sent('/v1/models', { version: 'sure', rules: [{ id: 'meeting', kind: 'meeting', points: 100 }], thresholds }, 202);
    await settle(running.server);
    await create({ ...made, threshold: 'sure' });
    const accounts = Array.from({ length: 40 }, (_, index) => `${id}-${index}`);
    const meet = (some: readonly string[]): Promise<unknown> => touch(some.map((accountId) => ({ accountId, kind: 'meeting' })));
    // Above before it is shown anything, in the same breath, and after.
    await meet(accounts.slice(0, 10));
    await touch(accounts.slice(10).map((accountId) => ({ accountId, kind: 'web_visit' })));
    await settle(running.server);
    const shown = await Promise.all(accounts.map(async (accountId) => ({ accountId, creativeId: (await ask(id, accountId)).value! })));
    await touch(
      shown.flatMap(({ accountId, creativeId }, index) => [
        ...(index >= 10 && index < 15 ? [{ accountId, kind: 'meeting' }] : []),
        { accountId, creativeId, kind: 'ad_impression', campaignId: `campaign-${id}` },
      ]),
    );
    await meet(accounts.slice(15, 20));
    const results = (): Promise<Results> => running.server.get(`/v1/experiments/${id}/results`);
    const before = await eventually(results, ({ arms }) => arms.reduce((sum, arm) => sum + arm.accounts, 0) === 40);
    const below = shown.slice(15);
    for (const { creativeId, value } of before.arms) {
      const own = below.filter((one) => one.creativeId === creativeId);
      const up = own.filter(({ accountId }) => Number(accountId.split('-')[1]) < 20);
      expect(value).toBeCloseTo(up.length / own.length, 12);
    }
    await running.restart();
    const after = await eventually(results, ({ isComplete }) => isComplete);
    expect(after.arms).toEqual(before.arms);
  }, 60_000);

  it('is not started under a model that has not what it targets', async () => {
    const arms = [{ creativeId: 'a' }, { creativeId: 'b' }];
    await sent('/v1/models', { version: 'staged', rules: [], stages: [{ id: 'aware' }] }, 202);
    await settle(running.server);
    await sent('/v1/experiments', { id: 'staged', campaignId: 'c', arms, targeting: { stages: ['aware'] } }, 201);
    await sent('/v1/models', { version: 'other', rules: [], stages: [{ id: 'won' }] }, 202);
    await settle(running.server);
    const { detail } = await expectProblem(await send('/v1/experiments/staged/start', {}), 409, 'conflict');
    expect(detail).toBe('its targeting/stages/0 is of another model: the scoring model other has no stage "aware": it has won');
    expect(await sent('/v1/experiments/staged/stop', {})).toMatchObject({ status: 'stopped' });
  }, 30_000);

  it('weighs what is gained by the model at its start and the role of then, before and after a restart under another model', async () => {
    const id = 'gain';
    await sent('/v1/models', { version: 'gain', rules: [{ id: 'meeting', kind: 'meeting', points: 10 }], roles: { champion: 3 } }, 202);
    await settle(running.server);
    await create({ id, metric: 'pointsGained', outcomeWindow: 6, grace: 0 });
    const accountId = `${id}-1`;
    const say = (role: string): Promise<unknown> => running.server.post('/v1/contacts', [{ id: 'ada', accountId, role }]);
    const meet = (): Promise<unknown> => touch([{ accountId, contactId: 'ada', kind: 'meeting' }]);
    await say('champion');
    await settle(running.server);
    const { value: creativeId } = await ask(id, accountId);
    await touch([{ accountId, creativeId, kind: 'ad_impression', campaignId: `campaign-${id}` }]);
    await meet();
    await say('user');
    await meet();
    const results = (): Promise<Results> => running.server.get(`/v1/experiments/${id}/results`);
    const isSettled = ({ arms }: Results): boolean => arms.some(({ accounts }) => accounts === 1);
    const before = await eventually(results, isSettled);
    expect(before.arms.find((arm) => arm.creativeId === creativeId)!.value).toBe(40);
    await sent('/v1/models', { version: 'later', rules: [{ id: 'meeting', kind: 'meeting', points: 500 }] }, 202);
    await settle(running.server);
    await running.restart();
    const after = await eventually(results, ({ isComplete }) => isComplete);
    expect(after.arms).toEqual(before.arms);
  }, 60_000);
});
