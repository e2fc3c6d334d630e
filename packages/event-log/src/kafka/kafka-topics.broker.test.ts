import { sharedBroker } from '@touchstone/testkit';
import { ConfigResourceTypes } from 'kafkajs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LogFollower, readWhole } from '../log-follower.ts';
import { BrokerFixture } from './broker-fixture.ts';
import { FakeBroker } from './fake-broker.ts';
import type { KafkaLogEvent } from './kafka-events.ts';

const { brokers, missing } = sharedBroker();
const fixture = new BrokerFixture(brokers);
afterEach(() => fixture.closeLogs());

const record = (value: string, partition = 0) => ({ key: null, value: Buffer.from(value), partition });
const mismatch = (message: RegExp) => expect.objectContaining({ code: 'topic_mismatch', message: expect.stringMatching(message) });

async function settingsOf(topic: string): Promise<Record<string, string>> {
  const { resources } = await fixture.administer((admin) =>
    admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] }),
  );
  return Object.fromEntries(resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]));
}

describe.skipIf(missing !== null)('topics of a Kafka log', () => {
  test('are made as they must be', async () => {
    const [events, scores] = [fixture.name(), fixture.name()];
    const log = await fixture.open({ [events]: { partitions: 3, retentionMs: 3_600_000 }, [scores]: { cleanup: 'compact' } });
    expect([log.partitionCount(events), log.partitionCount(scores)]).toEqual([3, 2]);
    const made = { 'message.timestamp.type': 'LogAppendTime', 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'false' };
    expect(await settingsOf(events)).toMatchObject({ ...made, 'cleanup.policy': 'delete', 'retention.ms': '3600000' });
    expect(await settingsOf(scores)).toMatchObject({ ...made, 'cleanup.policy': 'compact' });
  });

  test('may be made by several at once', async () => {
    const topic = fixture.name();
    const logs = await Promise.all(Array.from({ length: 4 }, () => fixture.open({ [topic]: {} })));
    const generations = await Promise.all(logs.map(async (log) => (await log.extents(topic))[0]!.generation));
    expect(new Set(generations).size).toBe(1);
  });

  test('are refused when they are others than needed, each with what to do', async () => {
    const topic = fixture.name();
    await fixture.open({ [topic]: {} });
    await expect(fixture.open({ [topic]: { partitions: 3 } })).rejects.toEqual(mismatch(/has 2 partitions, not 3/));
    await expect(fixture.open({ [topic]: { cleanup: 'compact' } })).rejects.toEqual(mismatch(/--add-config cleanup.policy=compact/));
  });

  test.each([
    { what: 'gets more partitions', message: /has 4 partitions by now, not 2/, change: 'grow' as const },
    { what: 'is made anew', message: /was made anew/, change: 'remake' as const },
  ])('end who reads them when one $what', async ({ message, change }) => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} }, { metadataIntervalMs: 100 });
    await log.append(topic, [record('a')]);
    const follower = await LogFollower.start(log, { topic });
    await follower.read(1);
    await fixture.administer(async (admin) => {
      if (change === 'grow') return admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
      await admin.deleteTopics({ topics: [topic] });
      return vi.waitFor(() => admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }), { timeout: 10_000, interval: 50 });
    });
    expect(await follower.failed()).toEqual(mismatch(message));
    expect(follower.records.length).toBe(1);
  });

  test('have a start that moves when old records go, and reading before it is an error that says so', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} });
    for (const value of ['a', 'b', 'c']) await log.append(topic, [record(value)]);
    await fixture.administer(async (admin) => {
      // Without it kafkajs does not know who leads the topic.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    });
    expect((await log.extents(topic)).map(({ start, end }) => [start, end])).toEqual([
      [2, 3],
      [0, 0],
    ]);
    const follower = await LogFollower.start(log, { topic, from: (partition) => (partition === 0 ? 1 : 0) });
    expect(await follower.failed()).toMatchObject({
      code: 'offset_out_of_range',
      message: expect.stringMatching(/from 1: it holds offsets 2 to 3/),
    });
    expect((await readWhole(log, topic)).map(({ value }) => value)).toEqual(['c']);
  });
});

describe.skipIf(missing !== null)('opening a Kafka log', () => {
  test('waits for brokers, tells so, and says in time that there are none', async () => {
    const nobody = await FakeBroker.start(() => null);
    const { port } = nobody;
    await nobody.stop();
    const events: KafkaLogEvent[] = [];
    const options = { brokers: [`127.0.0.1:${port}`], waitForBrokersMs: 400, onEvent: (event: KafkaLogEvent) => void events.push(event) };
    await expect(fixture.open({ t: {} }, options)).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/ECONNREFUSED/) });
    expect(events.length).toBeGreaterThan(1);
    expect(events.every(({ type }) => type === 'waiting')).toBe(true);
  });

  test('finds a cluster by any one of the brokers named', async () => {
    const nobody = await FakeBroker.start(() => null);
    await nobody.stop();
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} }, { brokers: [`127.0.0.1:${nobody.port}`, ...fixture.brokers] });
    await log.append(topic, [record('a')]);
  });

  test.each([
    { what: 'no partition', topics: { 'a-topic': { partitions: 0 } }, message: /at least one partition/ },
    { what: 'a name that Kafka does not take', topics: { 'a/b': {} }, message: /name of a topic/ },
  ])('is refused for a topic with $what', async ({ topics, message }) => {
    await expect(fixture.open(topics)).rejects.toThrow(message);
  });
});
