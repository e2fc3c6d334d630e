import { setTimeout as sleep } from 'node:timers/promises';
import { sharedBroker, startOwnBroker } from '@touchstone/testkit';
import type { OwnBroker } from '@touchstone/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { LogFollower } from '../log-follower.ts';
import { BrokerFixture } from './broker-fixture.ts';
import type { KafkaLog } from './kafka-log.ts';

const { missing } = sharedBroker();
const WAIT = { timeout: 60_000, interval: 20 };

/** Appends one after the other, and again what failed, until it is told to stop. */
class Writer {
  readonly acknowledged: string[] = [];
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(log: KafkaLog, topic: string, partition: number) {
    this.#running = (async () => {
      for (let i = 0; !this.#stopped; i++) {
        const value = `${partition}/${i}`;
        while (!(await this.#append(log, topic, partition, value))) await sleep(20);
        this.acknowledged.push(value);
        await sleep(1);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #append(log: KafkaLog, topic: string, partition: number, value: string): Promise<boolean> {
    try {
      await log.append(topic, [{ key: null, value: Buffer.from(value), partition }]);
      return true;
    } catch (cause) {
      expect(cause).toMatchObject({ code: 'io' });
      return false;
    }
  }
}

/** The first time that each value is there. */
const firstOf = (values: readonly (string | null)[]) => [...new Set(values)];

describe.skipIf(missing !== null)('a broker that comes back', () => {
  let broker: OwnBroker;
  let fixture: BrokerFixture;
  beforeAll(async () => {
    broker = (await startOwnBroker())!;
    fixture = new BrokerFixture(broker.brokers);
  });
  afterEach(() => fixture.closeLogs());
  afterAll(() => broker?.close());

  test.each([
    { how: 'killed', end: () => broker.kill() },
    { how: 'stopped', end: () => broker.stop() },
  ])('after it was $how: nothing acknowledged is lost, order is kept, and who reads and who commits goes on', async ({ end }) => {
    const [topic, group] = [fixture.name(), fixture.name()];
    const log = await fixture.open({ [topic]: {} });
    const follower = await LogFollower.start(log, { topic });
    const member = await LogFollower.start(log, { topic, group });
    const writers = [0, 1].map((partition) => new Writer(log, topic, partition));
    await vi.waitUntil(() => writers.every(({ acknowledged }) => acknowledged.length > 20), WAIT);

    await end();
    await sleep(500);
    await broker.start();
    const before = writers.map(({ acknowledged }) => acknowledged.length);
    await vi.waitUntil(() => writers.every(({ acknowledged }, i) => acknowledged.length > before[i]! + 20), WAIT);
    await Promise.all(writers.map((writer) => writer.stop()));

    for (const [partition, { acknowledged }] of writers.entries()) {
      for (const { values, failures } of [follower, member].map((each) => ({
        values: () => each.values(partition),
        failures: each.failures,
      }))) {
        await vi.waitUntil(() => failures.length > 0 || firstOf(values()).length >= acknowledged.length, WAIT);
        expect(failures).toEqual([]);
        expect(firstOf(values())).toEqual(acknowledged);
      }
    }
    const { end: last } = (await log.extents(topic))[0]!;
    await vi.waitFor(() => member.subscription.commit(new Map([[0, last]])), WAIT);
    expect((await log.committed(topic, group)).get(0)?.offset).toBe(last);
  });

  test('too late: an append fails, and says that its outcome is not known', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} }, { deliveryTimeoutMs: 1_000 });
    await broker.kill();
    const append = log.append(topic, [{ key: null, value: Buffer.from('a') }]);
    await expect(append).rejects.toMatchObject({ code: 'io', retriable: true });
    await expect(log.extents(topic)).rejects.toMatchObject({ code: 'io' });
    await broker.start();
    await vi.waitFor(() => log.append(topic, [{ key: null, value: Buffer.from('b') }]), WAIT);
  });
});
