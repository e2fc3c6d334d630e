import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { TEST_PARTITIONS } from '../support/partitions.ts';
import type { AccountAnswer, ListedAnswer, Page } from './account-answer.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const NOW = Date.now();
const HOUR_MS = 3_600_000;
const AT = NOW + HOUR_MS;

interface CurrentModel {
  readonly version: string;
  readonly model: Readonly<Record<string, unknown>> & { readonly rules: readonly object[] };
  readonly takeover: Readonly<Record<string, number>>;
  readonly rescoringTo: string | null;
}

/** Half-life of a day, where the default has fourteen; calls are worth 50, 20 more on weekends of a campaign named like a prototype. */
const DAILY = {
  version: 'daily-1',
  decay: { kind: 'exponential', halfLifeDays: 1 },
  halfScorePoints: 10,
  rules: [
    { id: 'call', kind: 'call', points: 50 },
    { id: 'spring', kind: 'call', where: { campaignId: '__proto*' }, points: 20 },
  ],
  roles: { constructor: 3 },
};

let running: TemporaryServer;
const current = (): Promise<CurrentModel> => running.server.get<CurrentModel>('/v1/models/current');
const account = (): Promise<AccountAnswer> => running.server.get<AccountAnswer>(`/v1/accounts/acme?at=${AT}`);
const publish = (model: unknown): Promise<Response> =>
  running.server.fetch('/v1/models', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof model === 'string' ? model : JSON.stringify(model),
  });

async function putInForce(model: { readonly version: string }): Promise<CurrentModel> {
  const response = await publish(model);
  expect([response.status, await response.json()]).toEqual([202, { version: model.version }]);
  return eventually(current, ({ version, rescoringTo }) => version === model.version && rescoringTo === null);
}

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post('/v1/contacts', [{ id: 'ann', accountId: 'acme', role: 'constructor' }]);
  await running.server.post('/v1/touches', [
    { accountId: 'acme', contactId: 'ann', kind: 'call', occurredAt: NOW - HOUR_MS },
    { accountId: 'acme', kind: 'call', occurredAt: NOW - HOUR_MS, campaignId: '__proto__' },
    ...Array.from({ length: 200 }, (_, i) => ({ accountId: `other-${i}`, kind: 'call' })),
  ]);
  await eventually(account, (view) => view.windows['7d'].touches === 2);
});
afterAll(() => running.close());

describe('scoring models', () => {
  it('serve the default until another is published', async () => {
    const { version, model, takeover, rescoringTo } = await current();
    expect({ version, rescoringTo }).toEqual({ version: 'default-1', rescoringTo: null });
    expect(model).toMatchObject({ version, decay: { kind: 'exponential', halfLifeDays: 14 }, halfScorePoints: 100, retentionDays: 400 });
    expect(model.rules).toHaveLength(14);
    expect(Object.keys(takeover)).toEqual(Array.from({ length: TEST_PARTITIONS }, (_, partition) => String(partition)));
  });

  it('rescore what is stored, in one step, and say from where', async () => {
    const before = await account();
    expect(before.modelVersion).toBe('default-1');
    expect((await publish(DAILY)).status).toBe(202);
    // Whenever one asks meanwhile: no list mixes two models.
    await eventually(
      async () => {
        const { data } = await running.server.get<Page<ListedAnswer>>('/v1/accounts?limit=500');
        expect(data).toHaveLength(201);
        const versions = new Set(data.map(({ modelVersion }) => modelVersion));
        expect(versions.size).toBe(1);
        return [...versions][0];
      },
      (version) => version === 'daily-1',
    );
    const { version, model, takeover } = await current();
    expect(version).toBe('daily-1');
    expect(model).toMatchObject({ ...DAILY, roles: { constructor: 3 }, retentionDays: 400, reachWindowDays: 30 });
    for (const offset of Object.values(takeover)) expect(offset).toBeGreaterThanOrEqual(1);
    const after = await account();
    const decay = 2 ** (-(AT - NOW + HOUR_MS) / (24 * HOUR_MS));
    expect(Math.abs(after.points / ((3 * 50 + 50 + 20) * decay) - 1)).toBeLessThan(1e-9);
    expect(Math.abs(after.score / (100 * (1 - 2 ** (-after.points / 10))) - 1)).toBeLessThan(1e-9);
    expect(after.windows).toEqual(before.windows);
    expect(after.reach.roles).toEqual({ wanted: ['constructor'], covered: ['constructor'], missing: [] });
    expect(after.version).toBe(before.version);
  });

  it('score new touches from then on', async () => {
    const before = await account();
    await running.server.post('/v1/touches', [{ accountId: 'acme', kind: 'call', occurredAt: NOW - HOUR_MS }]);
    const after = await eventually(account, ({ version }) => version > before.version);
    expect(Math.abs((after.points - before.points) / (50 * 2 ** (-(AT - NOW + HOUR_MS) / (24 * HOUR_MS))) - 1)).toBeLessThan(1e-9);
  });

  it('may be published again as they were, and refuse another content under the same version', async () => {
    expect((await publish(DAILY)).status).toBe(202);
    await expectProblem(await publish({ ...DAILY, halfScorePoints: 11 }), 409, 'conflict');
    await expectProblem(await publish({ ...DAILY, version: 'default-1' }), 409, 'conflict');
    expect((await current()).version).toBe('daily-1');
  });

  it('come back into force when they are published again', async () => {
    const daily = await account();
    await putInForce({ ...DAILY, version: 'daily-2' });
    await putInForce(DAILY);
    expect((await account()).points).toBe(daily.points);
  });

  it('are in force after a crash, and a version keeps its meaning', async () => {
    const before = await account();
    await running.restart();
    expect((await current()).version).toBe('daily-1');
    expect(await account()).toEqual(before);
    for (const version of ['daily-1', 'daily-2', 'default-1']) {
      await expectProblem(await publish({ ...DAILY, version, halfScorePoints: 11 }), 409, 'conflict');
    }
  });

  const rule = { id: 'r', kind: 'call', points: 1 };
  const invalid: readonly (readonly [string, unknown, string | null])[] = [
    ['a list', [], '#'],
    ['null', null, '#'],
    ['no version', { rules: [] }, '#/version'],
    ['a version with a space', { version: 'a b', rules: [] }, '#/version'],
    ['no rules', { version: 'x' }, '#/rules'],
    ['an unknown field', { version: 'x', rules: [], rule: [] }, '#'],
    ['an unknown decay', { version: 'x', rules: [], decay: { kind: 'linear' } }, '#/decay/kind'],
    ['no half-life', { version: 'x', rules: [], decay: { kind: 'exponential', halfLifeDays: 0 } }, '#/decay/halfLifeDays'],
    ['no half of the score', { version: 'x', rules: [], halfScorePoints: 0 }, '#/halfScorePoints'],
    ['points beyond all bounds', '{"version":"x","rules":[{"id":"r","kind":"call","points":1e999}]}', '#/rules/0/points'],
    ['a kind in capitals', { version: 'x', rules: [{ ...rule, kind: 'Call' }] }, '#/rules/0/kind'],
    ['a cap of zero', { version: 'x', rules: [{ ...rule, dailyCap: 0 }] }, '#/rules/0/dailyCap'],
    ['two rules of one id', { version: 'x', rules: [rule, rule] }, '#/rules/1/id'],
    ['256 rules', { version: 'x', rules: Array.from({ length: 256 }, (_, i) => ({ ...rule, id: `r${i}` })) }, '#/rules'],
    ['an unknown pattern', { version: 'x', rules: [{ ...rule, where: { country: 'de' } }] }, '#/rules/0/where'],
    ['a negative multiplier', { version: 'x', rules: [], roles: { champion: -1 } }, '#/roles/champion'],
    ['a retention of ten years', { version: 'x', rules: [], retentionDays: 3661 }, '#/retentionDays'],
    ['a key that poisons prototypes', '{"version":"x","rules":[],"roles":{"__proto__":1}}', null],
    ['nesting of 10^5', `{"version":"x","rules":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, '#/rules/0'],
  ];
  test.each(invalid)('are refused with the field at fault: %s', async (_case, model, pointer) => {
    const { errors } = await expectProblem(await publish(model), 400, 'invalid_request');
    if (pointer === null) expect(errors).toBeUndefined();
    else expect(errors).toMatchObject([{ in: 'body', pointer }]);
  });
});
