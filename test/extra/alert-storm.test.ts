import { freePort } from '@touchstone/testkit';
import { expect, test } from 'vitest';
import { addEndpoint, publishModel, receiverSettings } from '../support/alert-server.ts';
import { testServers } from '../support/test-servers.ts';
import { listenForWebhooks } from '../support/webhook-receiver.ts';

const servers = testServers();
const ACCOUNTS = 10_000;
const OWNERS = 50;
const BUDGET = 10;
const HOUR_MS = 3_600_000;
/** Of the hour that is left when the storm begins: its digests come after that. */
const LEFT_MS = 120_000;
const QUALIFIED_EVERY = 10;

interface Told {
  readonly id: string;
  readonly type: string;
  readonly owner: string;
  readonly currentValue: number | null;
  readonly at: string;
}

/** As a rep would have it: qualified accounts, then those that crossed a threshold; of these the highest, then the latest. */
function mostUrgentFirst(one: Told, other: Told): number {
  const keyOf = ({ at, currentValue, type }: Told) => [
    type === 'account.mqa.entered' ? 0 : 1,
    -(currentValue ?? -Infinity),
    -Date.parse(at),
  ];
  const [a, b] = [keyOf(one), keyOf(other)];
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}

test('a campaign that touches 10,000 accounts at once keeps to the budgets of 50 owners, and dead endpoints hold up no other', async () => {
  const data = servers.directory();
  const port = await freePort();
  const env = receiverSettings(port);
  const before = await servers.start({ data, env });
  const { model } = await before.get<{ model: object }>('/v1/models/current');
  await publishModel(before, {
    ...model,
    version: 'storm',
    thresholds: [{ id: 'hot', metric: 'points', enter: 25 }],
    qualification: { atLeast: 1, of: [{ metric: 'points', atLeast: 25 }] },
  } as { version: string });
  const endpoints = { all: {}, reps: { ownerBudget: BUDGET }, hangs: {}, fails: {} };
  const ids: Record<string, string> = {};
  for (const [name, changes] of Object.entries(endpoints)) {
    ids[name] = await addEndpoint(before, { name, url: `http://127.0.0.1:${port}/${name}`, ...changes });
  }
  const accounts = Array.from({ length: ACCOUNTS }, (_, i) => ({
    id: `account-${i}`,
    owner: `owner-${i % OWNERS}`,
    updatedAt: Date.now(),
  }));
  await before.post('/v1/accounts', accounts);
  expect(await before.stop()).toBe(0);

  const now = Date.now();
  const shift = Math.ceil((now + LEFT_MS) / HOUR_MS) * HOUR_MS - LEFT_MS - now;
  const clock = { NODE_OPTIONS: `--import ${new URL('../support/shift-clock.ts', import.meta.url).href}`, CLOCK_SHIFT_MS: String(shift) };
  const server = await servers.start({ data, env: { ...env, ...clock } });
  const received = new Map(Object.keys(endpoints).map((name) => [name, [] as { id: string; body: string }[]]));
  const manners = { '/hangs': 'hangs', '/fails': 'fails' } as const;
  const receiver = await listenForWebhooks(port, manners, ({ body, id, path }) => received.get(path.slice(1))!.push({ id, body }));
  const all = received.get('all')!;
  const reps = received.get('reps')!;

  const touches = accounts.flatMap(({ id: accountId }, i) => {
    const touch = (contactId: string) => ({ accountId, contactId, kind: 'meeting', minutes: (i * 7919) % 120, campaignId: 'storm' });
    return i % QUALIFIED_EVERY === 0 ? [touch('ada'), touch('bo')] : [touch('ada')];
  });
  const half = touches.length / 2;
  await Promise.all([touches.slice(0, half), touches.slice(half)].map((some) => server.post('/v1/touches', some)));
  const total = ACCOUNTS + ACCOUNTS / QUALIFIED_EVERY;
  await expect.poll(() => all.length, { timeout: 240_000, interval: 200 }).toBe(total);
  expect(new Set(all.map(({ id }) => id)).size).toBe(total);
  const alerts: Told[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { data: Told[]; nextCursor: string | null } = await server.get(
      `/v1/alerts?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    alerts.push(...page.data);
    cursor = page.nextCursor;
  }
  expect(alerts.map(({ id }) => id).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  // The dead ones were asked a few times, and everything for them waits.
  for (const name of ['hangs', 'fails']) expect(received.get(name)!.length, name).toBeLessThan(100);

  const digests = () => reps.filter(({ id }) => id.startsWith('dig_'));
  await expect.poll(() => digests().length, { timeout: LEFT_MS + 60_000, interval: 200 }).toBe(OWNERS);
  receiver.close();
  const told = new Set(reps.map(({ id }) => id));
  const ofOwner = Map.groupBy(alerts, ({ owner }) => owner);
  expect(ofOwner.size).toBe(OWNERS);
  for (const [owner, some] of ofOwner) {
    expect([owner, some.filter(({ id }) => told.has(id)).length]).toEqual([owner, BUDGET]);
  }
  for (const { body } of digests()) {
    const { data: digest } = JSON.parse(body) as { data: { owner: string; total: number; alerts: { id: string }[] } };
    const held = ofOwner.get(digest.owner)!.filter(({ id }) => !told.has(id));
    expect(digest.total).toBe(held.length);
    expect(digest.alerts.length).toBeGreaterThanOrEqual(10);
    const right = held.toSorted(mostUrgentFirst).map(({ id }) => id);
    expect(digest.alerts.map(({ id }) => id)).toEqual(right.slice(0, digest.alerts.length));
  }
});
