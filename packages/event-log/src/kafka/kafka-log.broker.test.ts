import { sharedBroker } from '@touchstone/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { describeEventLog } from '../event-log.contract.ts';
import type { EventLog } from '../event-log.ts';
import { LogFollower, readWhole } from '../log-follower.ts';
import { BrokerFixture } from './broker-fixture.ts';
import type { KafkaLogEvent } from './kafka-events.ts';

const { brokers, missing } = sharedBroker();
const fixture = new BrokerFixture(brokers);
afterEach(() => fixture.closeLogs());

const record = (value: string, partition = 0) => ({ key: null, value: Buffer.from(value), partition });
const code = (expected: string) => expect.objectContaining({ name: 'EventLogError', code: expected });

/** The log with one topic under another name, so that each test has a topic of its own on the shared broker. */
function renamed(log: EventLog, from: string, to: string): EventLog {
  const rename = (topic: string) => (topic === from ? to : topic);
  return {
    partitionCount: (topic) => log.partitionCount(rename(topic)),
    append: (topic, records) => log.append(rename(topic), records),
    extents: (topic) => log.extents(rename(topic)),
    committed: (topic, group) => log.committed(rename(topic), group),
    subscribe: (options) => log.subscribe({ ...options, topic: rename(options.topic) }),
    close: () => log.close(),
  };
}

describe.skipIf(missing !== null)('on a broker', () => {
  describeEventLog('kafka', async ({ events }) => {
    const topic = fixture.name();
    return {
      open: async () => renamed(await fixture.open({ [topic]: events }), 'events', topic),
      remove: () => Promise.resolve(),
    };
  });

  test('answers backlogged rather than wait with more than it may hold', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} }, { backlogBytesMax: 10_000 });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => log.append(topic, [record('x'.repeat(1_000))])));
    const taken = results.filter(({ status }) => status === 'fulfilled').length;
    expect(taken).toBe(9);
    expect(results.filter((result) => result.status === 'rejected').every(({ reason }) => reason.code === 'backlogged')).toBe(true);
    expect(log.backlogBytes).toBe(0);
    await log.append(topic, [record('again')]);
    expect((await readWhole(log, topic)).length).toBe(taken + 1);
  });

  test('sends together what is appended while a request is under way, and tells of it', async () => {
    const topic = fixture.name();
    const appended: Extract<KafkaLogEvent, { type: 'appended' }>[] = [];
    const log = await fixture.open({ [topic]: {} }, { onEvent: (event) => void (event.type === 'appended' && appended.push(event)) });
    const first = log.append(topic, [record('0')]);
    await expect.poll(() => log.backlogBytes).toBeGreaterThan(0);
    await Promise.all([first, ...Array.from({ length: 200 }, (_, i) => log.append(topic, [record(`${i + 1}`, i % 2)]))]);
    expect(appended.reduce((sum, { records }) => sum + records, 0)).toBe(201);
    expect(appended.length).toBeLessThan(20);
    const read = await readWhole(log, topic);
    expect(read.filter(({ partition }) => partition === 1).map(({ value }) => Number(value))).toEqual(
      Array.from({ length: 100 }, (_, i) => 2 * i + 2),
    );
  });

  test('finishes what it took before it closes, and takes nothing more', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} });
    const taken = [log.append(topic, [record('a')]), log.append(topic, [record('b')])];
    const closed = log.close();
    await expect(log.append(topic, [record('c')])).rejects.toEqual(code('closed'));
    await Promise.all([...taken, closed, log.close()]);
    expect((await readWhole(await fixture.open({ [topic]: {} }), topic)).map(({ value }) => value)).toEqual(['a', 'b']);
  });

  test('stops its subscriptions when it closes', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} });
    const follower = await LogFollower.start(log, { topic, group: fixture.name() });
    await log.append(topic, [record('a')]);
    await follower.read(1);
    await log.close();
    expect(follower.failures).toEqual([]);
    await expect(follower.subscription.commit(new Map([[0, 1]]))).rejects.toEqual(code('not_owner'));
  });

  test('reads much more than fits one answer, each record once', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} });
    const value = Buffer.alloc(100_000, 7);
    for (let i = 0; i < 8; i++)
      await log.append(
        topic,
        Array.from({ length: 30 }, (_, k) => ({ key: null, value, partition: k % 2 })),
      );
    const read = await readWhole(log, topic);
    for (const partition of [0, 1]) {
      expect(read.filter((each) => each.partition === partition).map(({ offset }) => offset)).toEqual(
        Array.from({ length: 120 }, (_, i) => i),
      );
    }
  });

  test('a partition that is ready again does not wait for the others', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: { partitions: 2 } });
    const gates = new Map<string, PromiseWithResolvers<void>>();
    const follower = await LogFollower.start(log, {
      topic,
      onBlock: async (block) => {
        if (block.partition === 0) await gates.get('slow')?.promise;
      },
    });
    gates.set('slow', Promise.withResolvers());
    await log.append(topic, [record('slow')]);
    for (let i = 0; i < 20; i++) {
      await log.append(topic, [record(`${i}`, 1)]);
      await follower.read(i + 1);
    }
    gates.get('slow')!.resolve();
    await follower.read(21);
  });
});

describe.skipIf(missing !== null)('a group of a Kafka log', () => {
  test.each([
    { what: 'below what it committed', offset: 1 },
    { what: 'past the end', offset: 4 },
    { what: 'that is no offset', offset: 2.5 },
  ])('can not commit a position $what', async ({ offset }) => {
    const [topic, group] = [fixture.name(), fixture.name()];
    const log = await fixture.open({ [topic]: {} });
    await log.append(topic, [record('a'), record('b'), record('c')]);
    const { subscription } = await LogFollower.start(log, { topic, group });
    await vi.waitUntil(() => subscription.owns(0), { timeout: 20_000 });
    await subscription.commit(new Map([[0, 2]]));
    await expect(subscription.commit(new Map([[0, offset]]))).rejects.toBeInstanceOf(RangeError);
    await subscription.commit(new Map([[0, 3]]));
    expect((await log.committed(topic, group)).get(0)?.offset).toBe(3);
  });

  test('shares partitions among those who subscribe, and hands them over where one leaves', async () => {
    const [topic, group] = [fixture.name(), fixture.name()];
    const log = await fixture.open({ [topic]: { partitions: 4 } });
    const revoked: number[] = [];
    const seen = new Map<string, string[]>();
    const subscribe = async (name: string) => {
      seen.set(name, []);
      return log.subscribe({
        topic,
        group,
        onAssigned: async (partition) => (await log.committed(topic, group)).get(partition)?.offset ?? 0,
        onRevoked: (partition) => void revoked.push(partition),
        onBlock: (block) => void seen.get(name)!.push(`${block.partition}:${block.baseOffset}`),
        onFailed: (cause) => void seen.get(name)!.push(String(cause)),
      });
    };
    const one = await subscribe('one');
    await vi.waitUntil(() => one.assigned?.size === 4, { timeout: 20_000 });
    const two = await subscribe('two');
    await vi.waitUntil(() => one.assigned?.size === 2 && two.assigned?.size === 2, { timeout: 20_000 });
    expect(new Set(revoked)).toEqual(two.assigned);

    const everywhere = (value: string) => Array.from({ length: 4 }, (_, partition) => record(value, partition));
    await log.append(topic, everywhere('a'));
    await vi.waitUntil(() => seen.get('one')!.length + seen.get('two')!.length === 4, { timeout: 20_000 });
    const lost = revoked[0]!;
    await expect(one.commit(new Map([[lost, 1]]))).rejects.toEqual(code('not_owner'));
    await one.commit(new Map([...one.assigned!].map((partition) => [partition, 1])));

    await one.stop();
    await vi.waitUntil(() => two.assigned?.size === 4, { timeout: 20_000 });
    await log.append(topic, everywhere('b'));
    await vi.waitUntil(() => seen.get('two')!.length >= 6, { timeout: 20_000 });
    expect([...seen.get('one')!, ...seen.get('two')!].toSorted()).toEqual(['0:0', '0:1', '1:0', '1:1', '2:0', '2:1', '3:0', '3:1']);
    expect(one.owns(0)).toBe(false);
  });
});
