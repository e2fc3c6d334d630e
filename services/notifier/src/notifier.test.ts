import type { AccountFact } from '@touchstone/engine';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, test } from 'vitest';
import type { Digest } from './digest.ts';
import { alertOf, NOON } from './test-alerts.ts';
import { answers, settle, taken, TestWorld, unreachable } from './test-world.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const id = (number: number): string => `alr_${String(number).padStart(32, '0')}`;
const numbered = (number: number, changes: Parameters<typeof alertOf>[0] = {}) => alertOf({ id: id(number), ...changes });

describe('an alert', () => {
  it('reaches each endpoint that wants it, once, signed', async () => {
    const world = await TestWorld.start({
      'all.example': {},
      'mqa.example': { filter: { types: ['account.mqa.entered'] } },
    });
    await world.topic.append(0, [numbered(1), numbered(2, { type: 'account.mqa.entered' })]);
    await world.scheduler.advance(100);
    expect(world.receivedBy('all.example').map((one) => one.id)).toEqual([id(1), id(2)]);
    expect(world.receivedBy('mqa.example').map((one) => one.id)).toEqual([id(2)]);
    const [{ body, headers, at }] = world.receivedBy('all.example') as [ReturnType<TestWorld['receivedBy']>[number]];
    const { secrets } = (await world.store.endpoints()).find(({ name }) => name === 'all.example')!;
    expect(headers['webhook-timestamp']).toBe(String(at / 1000));
    const signature = new Webhook(secrets[0]!).sign(id(1), new Date(at), body);
    expect(headers['webhook-signature']).toBe(signature);
    expect(world.store.rows.every(({ state }) => state === 'delivered')).toBe(true);
    expect(await world.metrics.text()).toContain('touchstone_alert_deliveries_total{outcome="delivered"} 3');
    expect(world.faults).toEqual([]);
  });

  it('that stands on the topic again is sent once, whoever put it there', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    await world.topic.append(0, [numbered(1), numbered(1)]);
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(1000);
    await world.crash();
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(HOUR);
    expect(world.received.map((one) => one.id)).toEqual([id(1)]);
  });

  it('told before the endpoint was made is not for it', async () => {
    const world = await TestWorld.start({});
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(MINUTE);
    await world.addEndpoint('late.example', {}, world.scheduler.now());
    await world.crash();
    await world.topic.append(0, [numbered(2)]);
    await world.scheduler.advance(0);
    expect(world.received.map((one) => one.id)).toEqual([id(2)]);
  });

  it('is passed over when it is none, and those behind it are not', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    await world.topic.append(0, [Buffer.from('nonsense'), numbered(1, { id: 'a.b' }), numbered(1, { id: 'a\nb' }), numbered(1)]);
    await world.scheduler.advance(0);
    expect(world.received.map((one) => one.id)).toEqual([id(1)]);
    expect(await world.metrics.text()).toContain('touchstone_alerts_unreadable_total 3');
  });

  it('waits for the store, and its position with it', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    world.store.isAway = true;
    const appended = world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(10_000);
    expect([world.received.length, world.topic.positions[0]]).toEqual([0, 0]);
    world.store.isAway = false;
    await world.scheduler.advance(10_000);
    await appended;
    await world.scheduler.advance(2000);
    expect([world.received.length, world.topic.positions[0]]).toEqual([1, 1]);
    expect(world.faults).toEqual([]);
  });
});

describe('an endpoint for some accounts', () => {
  const fact = (accountId: string, tier: string, segment: string): AccountFact => ({
    type: 'account',
    id: accountId,
    updatedAt: NOON,
    name: null,
    domains: [],
    industry: 'steel',
    employees: 50,
    tier,
    targetList: null,
    owner: null,
    parentId: null,
    attributes: { segment },
  });

  it('hears of those of its tier and segment, by what the CRM says at the moment', async () => {
    const world = await TestWorld.start({
      'one.example': { filter: { account: { tier: ['1', '2'], attributes: { segment: 'enterprise' } } } },
      'all.example': { filter: { account: { industry: 'steel' }, directions: ['up'] }, ownerBudget: 1 },
    });
    for (const one of [fact('a', '1', 'enterprise'), fact('b', '3', 'enterprise'), fact('c', '2', 'small')])
      world.store.facts.set(one.id, one);
    const tell = async (number: number, accountId: string, owner: string) => {
      await world.topic.append(0, [numbered(number, { accountId, owner })]);
      await world.scheduler.advance(100);
    };
    for (const [number, accountId] of ['a', 'b', 'c', 'nobody described'].entries()) await tell(number, accountId, `owner-${number}`);
    expect(world.receivedBy('one.example').map((one) => one.id)).toEqual([id(0)]);
    expect(world.receivedBy('all.example').map((one) => one.id)).toEqual([id(0), id(1), id(2)]);
    world.store.facts.set('c', fact('c', '2', 'enterprise'));
    await tell(9, 'c', 'owner-2');
    await world.scheduler.advance(1000);
    expect(world.receivedBy('one.example').map((one) => one.id)).toEqual([id(0), id(9)]);
    // What it does not want counts for no budget, and is in no digest.
    expect(world.store.rows.map((row) => `${row.endpointId} ${row.id.slice(-1)} ${row.state}`).toSorted()).toEqual([
      'ep_all.example 0 delivered',
      'ep_all.example 1 delivered',
      'ep_all.example 2 delivered',
      'ep_all.example 9 held',
      'ep_one.example 0 delivered',
      'ep_one.example 9 delivered',
    ]);
    expect(world.faults).toEqual([]);
  });
});

describe('an alert that can not have been told before', () => {
  const later = (number: number, ms: number) => numbered(number, { at: NOON + ms });

  it('is sent while the store is away, once; its position waits for the store', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(10_000);
    world.store.isAway = true;
    await world.topic.append(0, [later(2, 10_000)]);
    await world.scheduler.advance(5000);
    expect(world.received.map((one) => one.id)).toEqual([id(1), id(2)]);
    expect(world.topic.positions[0]).toBe(1);
    // On the topic again: it is not known yet whether its message is stored.
    const appended = world.topic.append(0, [later(2, 10_000)]);
    world.store.isAway = false;
    await world.scheduler.advance(60_000);
    await appended;
    expect(world.received).toHaveLength(2);
    expect(world.topic.positions[0]).toBe(3);
    expect(world.store.row(id(2))).toMatchObject({ state: 'delivered', attempts: 1 });
    expect(world.faults).toEqual([]);
  });

  it('is sent again under its id when the process dies before it is stored', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(10_000);
    const save = world.store.saveDeliveries.bind(world.store);
    world.store.saveDeliveries = () => new Promise<never>(() => {});
    await world.topic.append(0, [later(2, 10_000)]);
    await world.scheduler.advance(1000);
    world.store.saveDeliveries = save;
    await world.crash();
    await world.scheduler.advance(1000);
    expect(world.received.map((one) => one.id)).toEqual([id(1), id(2), id(2)]);
    expect(world.received[1]!.body).toBe(world.received[2]!.body);
    expect(world.store.row(id(2))).toMatchObject({ state: 'delivered' });
  });

  it('counts for the budget before it is stored', async () => {
    const world = await TestWorld.start({ 'a.example': { ownerBudget: 2 } });
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(10_000);
    const save = world.store.saveDeliveries.bind(world.store);
    const stored = Promise.withResolvers<void>();
    world.store.saveDeliveries = (rows) => stored.promise.then(() => save(rows));
    await world.topic.append(0, [later(2, 10_000)]);
    await world.topic.append(0, [later(3, 10_001)]);
    stored.resolve();
    await world.scheduler.advance(1000);
    expect(world.received.map((one) => one.id)).toEqual([id(1), id(2)]);
    expect(world.store.row(id(3))).toMatchObject({ state: 'held' });
  });
});

it('is told within the budget, whenever the process dies: what is told and what is held is stored first', async () => {
  const world = await TestWorld.start({ 'a.example': { ownerBudget: 2 } });
  const save = world.store.saveDeliveries.bind(world.store);
  world.store.saveDeliveries = () => new Promise<never>(() => {});
  await world.topic.append(0, [numbered(1), numbered(2)]);
  await world.scheduler.advance(1000);
  expect(world.received).toEqual([]);
  world.store.saveDeliveries = save;
  // These are more urgent, and are read together with the former.
  await world.topic.append(
    0,
    [3, 4].map((number) => numbered(number, { type: 'account.mqa.entered' })),
  );
  await world.crash();
  await world.scheduler.advance(1000);
  expect(world.received).toHaveLength(2);
});

describe('a message that fails', () => {
  const attemptTimes = async (world: TestWorld, ms: number): Promise<number[]> => {
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(ms);
    return world.received.map(({ at }) => (at - NOON) / 1000);
  };

  it('is tried again over three days, under the same id, then given up', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    world.receivers.set('a.example', () => unreachable);
    const times = await attemptTimes(world, 90 * HOUR);
    // Each pause is half of the tenth longer that chance may make it.
    const pauses = times.map((time, i) => time - (times[i - 1] ?? 0));
    expect(pauses.slice(1).map((seconds) => Math.round(seconds / 1.05))).toEqual([
      5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ]);
    expect(new Set(world.received.map((one) => one.id))).toEqual(new Set([id(1)]));
    expect(new Set(world.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(world.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(10);
    expect(world.store.row(id(1))).toMatchObject({ state: 'failed', attempts: 10 });
    expect(await world.metrics.text()).toContain('touchstone_alert_deliveries_total{outcome="failed"} 1');
  });

  it('goes on where it was after a crash in the middle of its attempts', async () => {
    const undisturbed = await TestWorld.start({ 'a.example': {} });
    undisturbed.receivers.set('a.example', () => unreachable);
    const expected = await attemptTimes(undisturbed, 90 * HOUR);

    const world = await TestWorld.start({ 'a.example': {} });
    world.receivers.set('a.example', () => unreachable);
    await world.topic.append(0, [numbered(1)]);
    for (let hours = 0; hours < 100; hours += 20) {
      await world.scheduler.advance(20 * HOUR);
      await world.crash();
    }
    expect(world.received.map(({ at }) => (at - NOON) / 1000)).toEqual(expected);
    expect(world.store.row(id(1))).toMatchObject({ state: 'failed', attempts: 10 });
  });

  it('goes on with another process when its partition moves', async () => {
    const world = await TestWorld.start({ 'a.example': {} });
    world.receivers.set('a.example', () => unreachable);
    await world.topic.append(1, [numbered(1, { partition: 1 })]);
    await world.scheduler.advance(1000);
    world.topic.revoke(1);
    world.receivers.delete('a.example');
    await world.scheduler.advance(HOUR);
    expect(world.received).toHaveLength(1);
    await world.topic.assign(1);
    await world.scheduler.advance(0);
    expect(world.received).toHaveLength(2);
    await world.scheduler.advance(1000);
    expect(world.store.row(id(1))).toMatchObject({ state: 'delivered', attempts: 2 });
  });

  test.each([200, 201, 202, 204])('is taken with %i', async (status) => {
    const world = await TestWorld.start({ 'a.example': {} });
    world.receivers.set('a.example', () => answers(status));
    expect(await attemptTimes(world, HOUR)).toHaveLength(1);
  });

  test.each([301, 302, 307, 308, 400, 401, 404, 500])('is tried again after %i', async (status) => {
    const world = await TestWorld.start({ 'a.example': {} });
    world.receivers.set('a.example', () => answers(status));
    expect(await attemptTimes(world, MINUTE)).toEqual([0, 5.25]);
  });

  test.each([429, 502, 503, 504])('waits for as long as %i asks, with all that is behind it', async (status) => {
    const world = await TestWorld.start({ 'a.example': {} });
    world.receivers.set('a.example', () => (world.scheduler.now() < NOON + 90_000 ? answers(status, '120') : taken));
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(1000);
    await world.topic.append(0, [numbered(2)]);
    await world.scheduler.advance(10 * MINUTE);
    expect(world.received.map((one) => [one.id, (one.at - NOON) / 1000])).toEqual([
      [id(1), 0],
      [id(2), 120],
      [id(1), 120],
    ]);
  });

  it('is tried at once after the endpoint was changed, however often it failed, also by who restarts before', async () => {
    for (const isCrashing of [false, true]) {
      const world = await TestWorld.start({ 'a.example': {} });
      world.receivers.set('a.example', () => unreachable);
      await world.topic.append(0, [numbered(0)]);
      await world.scheduler.advance(4 * HOUR);
      const more = Array.from({ length: 2600 }, (_, i) => numbered(i + 1));
      await world.topic.append(0, more);
      await world.scheduler.advance(MINUTE);
      const before = world.received.length;
      world.receivers.delete('a.example');
      if (isCrashing) world.topic.abandon();
      const [endpoint] = await world.store.endpoints();
      const updatedAt = world.scheduler.now();
      await world.store.saveEndpoint({ ...endpoint!, revision: endpoint!.revision + 1, name: 'mended', updatedAt });
      if (isCrashing) await world.crash();
      // The list of endpoints is read again after 5 s at the latest, and the store asked for the rest some seconds later.
      await world.scheduler.advance(10_000);
      expect(world.received).toHaveLength(before + 2601);
      expect(world.store.rows.every(({ state }) => state === 'delivered')).toBe(true);
      expect(world.store.row(id(0))!.attempts).toBeGreaterThan(3);
      expect(world.faults).toEqual([]);
    }
  });

  it('disables the endpoint with 410, for good; what is pending goes on when an admin says so', async () => {
    const world = await TestWorld.start({ 'a.example': {}, 'b.example': {} });
    let isGone = true;
    world.receivers.set('a.example', () => (isGone ? answers(410) : taken));
    await world.topic.append(0, [numbered(1)]);
    await world.scheduler.advance(MINUTE);
    await world.topic.append(0, [numbered(2)]);
    await world.crash();
    await world.scheduler.advance(24 * HOUR);
    expect(world.receivedBy('a.example')).toHaveLength(1);
    expect(world.receivedBy('b.example')).toHaveLength(2);
    const [endpoint] = await world.store.endpoints();
    expect(endpoint).toMatchObject({ id: 'ep_a.example', state: 'disabled', stateReason: 'the receiver answered 410 Gone' });
    expect(world.store.row(id(1), 'ep_a.example')).toMatchObject({ state: 'failed', attempts: 1 });
    expect(await world.metrics.text()).toMatch(/touchstone_alert_endpoints\{state="disabled"\} 1/);
    isGone = false;
    await world.store.saveEndpoint({ ...endpoint!, revision: endpoint!.revision + 1, state: 'active' });
    await world.scheduler.advance(MINUTE);
    await world.topic.append(0, [numbered(3)]);
    await world.scheduler.advance(0);
    expect(world.receivedBy('a.example').map((one) => one.id)).toEqual([id(1), id(3)]);
  });
});

describe('an endpoint that is dead', () => {
  it('delays no other: of 3,000 alerts in 30 s none waits', async () => {
    const world = await TestWorld.start({ 'dead.example': {}, 'slow.example': {}, 'well.example': {} });
    // Each request to it hangs until it is given up.
    const after = (ms: number, result: ReturnType<typeof answers>) =>
      new Promise<ReturnType<typeof answers>>((resolve) => void world.scheduler.after(ms, () => resolve(result)));
    world.receivers.set('dead.example', async () => {
      await after(15_000, taken);
      return { kind: 'timeout', error: 'no answer within 15 s' };
    });
    world.receivers.set('slow.example', () => after(3000, taken));
    const ages: number[] = [];
    const appendedAt = new Map<string, number>();
    world.receivers.set('well.example', ({ headers }) => {
      ages.push(world.scheduler.now() - appendedAt.get(headers['webhook-id']!)!);
      return taken;
    });
    for (let i = 0; i < 3000; i += 10) {
      for (let k = 0; k < 10; k++) appendedAt.set(id(i + k), world.scheduler.now());
      await world.topic.append(
        i % 2,
        Array.from({ length: 10 }, (_, k) => numbered(i + k)),
      );
      await world.scheduler.advance(100);
    }
    await world.scheduler.advance(0);
    expect(world.receivedBy('well.example')).toHaveLength(3000);
    expect(Math.max(...ages)).toBe(0);
    // The dead one is asked rarely: sixteen at first, then by a single message at a time. So it takes up none of what others need.
    expect(world.receivedBy('dead.example').length).toBeLessThan(30);
    // What was more than its queue holds was kept, and arrives once it answers.
    world.receivers.delete('dead.example');
    world.receivers.delete('slow.example');
    await world.scheduler.advance(4 * HOUR);
    for (const host of ['dead.example', 'slow.example']) {
      expect(new Set(world.receivedBy(host).map((one) => one.id)).size, host).toBe(3000);
    }
    expect(world.store.rows.every(({ state }) => state === 'delivered')).toBe(true);
    expect(world.faults).toEqual([]);
  });

  it('keeps no message for longer than the schedule takes', async () => {
    const world = await TestWorld.start({ 'dead.example': {} });
    world.receivers.set('dead.example', () => unreachable);
    await world.topic.append(
      0,
      Array.from({ length: 1500 }, (_, i) => numbered(i)),
    );
    await world.scheduler.advance(110 * HOUR);
    expect(new Set(world.store.rows.map(({ state }) => state))).toEqual(new Set(['failed']));
  });
});

describe('a storm', () => {
  it("of 10,000 alerts for 50 owners stays within each one's budget, and the digest ranks the right ones first", async () => {
    const BUDGET = 10;
    const world = await TestWorld.start({ 'reps.example': { ownerBudget: BUDGET }, 'crm.example': {} });
    const types = ['account.threshold.crossed', 'account.stage.changed', 'account.surge.detected', 'account.mqa.entered'] as const;
    const alerts = Array.from({ length: 10_000 }, (_, i) =>
      numbered(i, {
        accountId: `account-${i}`,
        owner: `owner-${i % 50}`,
        type: types[Math.floor(i / 50) % 4]!,
        direction: i % 3 === 0 ? 'down' : 'up',
        currentValue: (i * 7919) % 1000,
      }),
    );
    for (let from = 0; from < alerts.length; from += 500) await world.topic.append((from / 500) % 2, alerts.slice(from, from + 500));
    await world.scheduler.advance(10 * MINUTE);
    // A crash on the way changes nothing of what was told.
    await world.crash();
    await world.scheduler.advance(10 * MINUTE);
    expect(world.receivedBy('crm.example')).toHaveLength(10_000);
    const told = world.receivedBy('reps.example').map(({ body }) => (JSON.parse(body) as { data: { owner: string } }).data.owner);
    expect(Map.groupBy(told, (owner) => owner).size).toBe(50);
    for (const [owner, some] of Map.groupBy(told, (one) => one)) expect([owner, some.length]).toEqual([owner, BUDGET]);

    await world.scheduler.advance(HOUR);
    const digests = world
      .receivedBy('reps.example')
      .map(({ body }) => JSON.parse(body) as { type: string; data: Digest })
      .filter(({ type }) => type === 'owner.digest.ready');
    expect(digests).toHaveLength(50);
    const toldIds = new Set(world.receivedBy('reps.example').map((one) => one.id));
    for (const { data } of digests) {
      const beyond = alerts.filter((alert) => alert.owner === data.owner && !toldIds.has(alert.id));
      expect(data.total).toBe(200 - BUDGET);
      expect(beyond).toHaveLength(data.total);
      // By definition: qualified accounts first, then by value.
      const qualified = beyond.filter(({ type }) => type === 'account.mqa.entered').map(({ currentValue }) => currentValue!);
      const first = data.alerts.slice(0, Math.min(qualified.length, data.alerts.length));
      expect(first.length).toBeGreaterThan(20);
      expect(first.every(({ type }) => type === 'account.mqa.entered')).toBe(true);
      expect(first.map(({ currentValue }) => currentValue)).toEqual(qualified.sort((a, b) => b - a).slice(0, first.length));
    }
    expect(world.store.rows.filter(({ state }) => state === 'held')).toEqual([]);
    // The next hour has a budget of its own.
    await world.topic.append(0, [numbered(20_000, { owner: 'owner-1' })]);
    await world.scheduler.advance(100);
    expect(world.receivedBy('reps.example').at(-1)).toMatchObject({ id: id(20_000) });
    expect(world.faults).toEqual([]);
  });

  it('to one endpoint waits for nothing but the store, however many do not fit into its queue', async () => {
    const ALERTS = 13_000;
    const world = await TestWorld.start({ 'a.example': {} });
    for (let from = 0; from < ALERTS; from += 500) {
      await world.topic.append(
        (from / 500) % 2,
        Array.from({ length: 500 }, (_, i) => numbered(from + i)),
      );
    }
    // Two thousand outcomes are on their way to the store at most, and that takes them ten times a second.
    await world.scheduler.advance(1000);
    expect(new Set(world.received.map((one) => one.id)).size).toBe(ALERTS);
    expect(world.received).toHaveLength(ALERTS);
    await world.scheduler.advance(MINUTE);
    expect(world.store.rows.every(({ state }) => state === 'delivered')).toBe(true);
    expect(world.received).toHaveLength(ALERTS);
    expect(world.store.writes).toBeLessThan(30);
  });

  it('has one digest, though the process dies between storing it and marking what it tells', async () => {
    const world = await TestWorld.start({ 'reps.example': { ownerBudget: 1 } });
    await world.topic.append(0, [numbered(1), numbered(2), numbered(3)]);
    await world.scheduler.advance(HOUR);
    const [held] = world.store.rows.filter(({ id: of }) => of === id(2));
    const save = world.store.saveDeliveries.bind(world.store);
    world.store.saveDeliveries = async (rows) => {
      if (rows.some(({ state }) => state === 'digested')) await new Promise<never>(() => {});
      await save(rows);
    };
    await world.scheduler.advance(MINUTE);
    world.store.saveDeliveries = save;
    await world.crash();
    await world.scheduler.advance(2 * HOUR);
    const digests = world.received.filter((one) => one.id.startsWith('dig_'));
    expect(new Set(digests.map((one) => one.id)).size).toBe(1);
    expect(held).toMatchObject({ state: 'held' });
    expect(world.store.rows.filter(({ state }) => state === 'digested')).toHaveLength(2);
  });
});

describe('Slack', () => {
  it('gets blocks, one message a second, and no signature', async () => {
    const world = await TestWorld.start({ 'hooks.slack.example': { kind: 'slack', secrets: [] } });
    await world.topic.append(0, [numbered(1), numbered(2), numbered(3)]);
    await world.scheduler.advance(10_000);
    expect(world.received.map(({ at }) => at - NOON)).toEqual([0, 1000, 2000]);
    expect(world.received[0]!.headers).not.toHaveProperty('webhook-signature');
    expect(JSON.parse(world.received[0]!.body)).toMatchObject({ text: expect.any(String), blocks: expect.any(Array) });
  });
});

it('stops when what is under way has ended, and sends the rest after the next start', async () => {
  const world = await TestWorld.start({ 'a.example': {} });
  const held = Promise.withResolvers<typeof taken>();
  world.receivers.set('a.example', () => held.promise);
  await world.topic.append(
    0,
    Array.from({ length: 20 }, (_, i) => numbered(i)),
  );
  await settle();
  const stopping = world.notifier.stop();
  await world.scheduler.advance(1000);
  held.resolve(taken);
  await stopping;
  expect(world.store.rows.filter(({ state }) => state === 'delivered')).toHaveLength(4);
  expect(world.topic.positions[0]).toBe(20);
  world.receivers.delete('a.example');
  await world.crash();
  await world.scheduler.advance(1000);
  expect(new Set(world.received.map((one) => one.id)).size).toBe(20);
  expect(world.received).toHaveLength(20);
});
