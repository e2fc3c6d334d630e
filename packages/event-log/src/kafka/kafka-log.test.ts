import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LogFollower, readWhole } from '../log-follower.ts';
import type { KafkaLogEvent } from './kafka-events.ts';
import { openKafkaLog } from './kafka-log.ts';
import type { KafkaLog } from './kafka-log.ts';
import type { KafkaLogOptions } from './kafka-options.ts';
import { batchOf, sealed } from './record-batch.samples.ts';
import { ScriptedCluster } from './scripted-cluster.ts';

const NOT_LEADER = 6;
const MESSAGE_TOO_LARGE = 10;
const NOT_ENOUGH_REPLICAS = 19;
const TOPIC_AUTHORIZATION_FAILED = 29;
const UNKNOWN_TOPIC_ID = 100;

const PARTITIONS = 2;
let cluster: ScriptedCluster;
const logs: KafkaLog[] = [];
beforeEach(async () => {
  cluster = await ScriptedCluster.start(PARTITIONS);
});
afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close()));
  await cluster.stop();
});

async function open(options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
  const topics = { [cluster.topic]: { partitions: PARTITIONS, replicationFactor: 1, cleanup: 'delete' as const } };
  const log = await openKafkaLog({ brokers: cluster.brokers, clientId: 'test', topics, requestTimeoutMs: 10_000, ...options });
  logs.push(log);
  return log;
}

const record = (value: string, partition = 0) => ({ key: null, value: Buffer.from(value), partition });
const code = (expected: string) => expect.objectContaining({ name: 'EventLogError', code: expected });

describe('an append to Kafka', () => {
  test.each([
    { what: 'refused for now', outcome: NOT_ENOUGH_REPLICAS, copies: 1 },
    { what: 'sent to a broker that leads no more', outcome: NOT_LEADER, copies: 1 },
    { what: 'answered with an error that nobody knows the reason of', outcome: -1, copies: 1 },
    { what: 'lost', outcome: 'no answer' as const, copies: 1 },
    { what: 'stored, and only its answer lost', outcome: 'stored, no answer' as const, copies: 2 },
  ])('that is $what is sent again as it was, before later ones', async ({ outcome, copies }) => {
    const sent: string[] = [];
    let failures = 0;
    cluster.script.onAppend = (partition, batch) => {
      sent.push(`${partition} ${batch.subarray(61).toString('hex')}`);
      return failures++ < 2 - copies + 1 ? outcome : 0;
    };
    // What has an answer must not be late on a busy machine, or it is sent once more.
    const log = await open(typeof outcome === 'string' ? { requestTimeoutMs: 1000 } : {});
    const first = log.append('events', [record('a'), record('b')]);
    await expect.poll(() => sent).not.toEqual([]);
    const second = log.append('events', [record('c')]);
    await Promise.all([first, second]);
    expect(sent[1]).toBe(sent[0]);
    const values = (await readWhole(log)).map(({ value }) => value);
    expect(values).toEqual([...Array.from({ length: copies }, () => ['a', 'b']).flat(), 'c']);
  });

  test('that one partition does not take goes through in the others, and fails when its time is over', async () => {
    cluster.script.onAppend = (partition) => (partition === 1 ? NOT_ENOUGH_REPLICAS : 0);
    const events: KafkaLogEvent[] = [];
    const log = await open({ deliveryTimeoutMs: 1500, onEvent: (event) => events.push(event) });
    const stuck = log.append('events', [record('a', 0), record('b', 1)]);
    await log.append('events', [record('c', 0)]);
    await expect(stuck).rejects.toMatchObject({ code: 'io', message: expect.stringMatching(/events\/1.*NOT_ENOUGH_REPLICAS/) });
    expect(events.filter(({ type }) => type === 'append_failed')).toEqual([expect.objectContaining({ partition: 1 })]);
    cluster.script.onAppend = () => 0;
    await log.append('events', [record('d', 1)]);
    expect(new Set((await readWhole(log)).map(({ value }) => value))).toEqual(new Set(['a', 'c', 'd']));
    expect(log.backlogBytes).toBe(0);
  });

  test.each([
    { what: 'too large for the topic', outcome: MESSAGE_TOO_LARGE, error: code('record_too_large') },
    { what: 'not allowed', outcome: TOPIC_AUTHORIZATION_FAILED, error: code('refused') },
  ])('that is $what fails at once', async ({ outcome, error }) => {
    cluster.script.onAppend = () => outcome;
    const log = await open();
    await expect(log.append('events', [record('a')])).rejects.toEqual(error);
    cluster.script.onAppend = () => 0;
    await log.append('events', [record('b')]);
  });

  test('is not changed by what becomes of its buffers', async () => {
    cluster.script.onAppend = vi.fn().mockReturnValueOnce(NOT_LEADER).mockReturnValue(0);
    const log = await open();
    const value = Buffer.from('before');
    const append = log.append('events', [{ key: null, value, partition: 0 }]);
    value.fill('x');
    await append;
    expect((await readWhole(log)).map((each) => each.value)).toEqual(['before']);
  });
});

describe('reading from Kafka', () => {
  const changed = (batch: Buffer, change: (bytes: Buffer) => void): Buffer => {
    change(batch);
    return batch;
  };
  const UNREADABLE = [
    {
      what: 'has a checksum that does not fit',
      batch: () => changed(batchOf(['a']), (bytes) => void (bytes[65]! ^= 1)),
      message: /checksum/,
    },
    { what: 'has a codec that nobody knows', batch: () => batchOf(['a'], { attributes: 5 }), message: /codec 5: only none, gzip/ },
    { what: 'is compressed and broken', batch: () => batchOf(['a'], { attributes: 3 }), message: /lz4 can not be read/ },
    { what: 'has format v1', batch: () => changed(batchOf(['a']), (bytes) => void (bytes[16] = 1)), message: /format v1/ },
    { what: 'never comes whole', batch: () => batchOf(['a']).subarray(0, 64), message: /longer than what the broker sent/ },
    { what: 'is no batch', batch: () => Buffer.from('nothing of the kind, but long enough to be looked at'), message: /format v/ },
  ];

  test.each(UNREADABLE)('a batch that $what ends the subscription with a name for it', async ({ batch, message }) => {
    const log = await open();
    cluster.script.onFetch = (partition) => (partition === 0 ? { records: batch() } : null);
    const follower = await LogFollower.start(log);
    expect(await follower.failed()).toMatchObject({ code: 'corrupt', message: expect.stringMatching(message) });
    expect(await follower.failed()).toMatchObject({ message: expect.stringMatching(/^events\/0 at offset 0 can not be read/) });
    await follower.subscription.stop();
    expect(follower.failures.length).toBe(1);
  });

  test.each(UNREADABLE)('a batch that $what once, and then not any more, is read', async ({ batch }) => {
    const log = await open();
    cluster.store(0, batchOf(['right']));
    let times = 0;
    cluster.script.onFetch = (partition) => (partition === 0 && times++ < 2 ? { records: batch() } : null);
    const follower = await LogFollower.start(log);
    await follower.read(1);
    expect(follower.values()).toEqual(['right']);
  });

  test.each([
    { what: 'leads no more', errorCode: NOT_LEADER },
    { what: 'does not know the topic yet', errorCode: UNKNOWN_TOPIC_ID },
    { what: 'has no reason that anybody knows', errorCode: -1 },
  ])('goes on when a broker that $what can serve again', async ({ errorCode }) => {
    const events: KafkaLogEvent[] = [];
    const log = await open({ onEvent: (event) => events.push(event) });
    cluster.store(0, batchOf(['a']));
    let times = 0;
    cluster.script.onFetch = () => (times++ < 5 ? { errorCode } : null);
    const follower = await LogFollower.start(log);
    await follower.read(1);
    expect(events.some(({ type }) => type === 'fetch_retried')).toBe(true);
    expect(follower.failures).toEqual([]);
  });

  test('ends when it is not allowed', async () => {
    const log = await open();
    cluster.script.onFetch = () => ({ errorCode: TOPIC_AUTHORIZATION_FAILED });
    expect(await (await LogFollower.start(log)).failed()).toEqual(code('refused'));
  });

  test('ends when the topic is another one by now', async () => {
    const log = await open({ metadataIntervalMs: 20 });
    const follower = await LogFollower.start(log);
    cluster.topicId = '000000000000000000000000000000bb';
    expect(await follower.failed()).toMatchObject({ code: 'topic_mismatch', message: expect.stringMatching(/made anew/) });
    await expect(log.extents('events')).rejects.toEqual(code('topic_mismatch'));
  });

  test('a batch whose records are not as many as it says ends the subscription', async () => {
    const log = await open();
    cluster.store(0, sealed(batchOf(['a', 'b'], { lastOffsetDelta: 5 })));
    cluster.script.onFetch = (partition, offset) => {
      if (partition === 1 || offset > 0) return null;
      const batch = batchOf(['a', 'b'], { lastOffsetDelta: 5 });
      batch.writeInt32BE(4, 57);
      return { records: sealed(batch) };
    };
    expect(await (await LogFollower.start(log)).failed()).toEqual(code('corrupt'));
  });

  test('an empty batch moves the position on, and the next block follows', async () => {
    const log = await open();
    cluster.store(0, batchOf([], { lastOffsetDelta: 4 }));
    cluster.store(0, batchOf(['a']));
    const follower = await LogFollower.start(log);
    await follower.read(1);
    expect(follower.blocks.map(({ count, nextOffset }) => [count, nextOffset])).toEqual([
      [0, 5],
      [1, 6],
    ]);
    expect(follower.records[0]!.offset).toBe(5);
  });

  test('a block stays as it is until its handler is done, whatever comes for others meanwhile', async () => {
    const log = await open();
    const large = (letter: string): string => letter.repeat(200_000);
    cluster.store(0, batchOf([large('a')]));
    cluster.store(1, batchOf([large('b')]));
    const held = Promise.withResolvers<void>();
    const follower = await LogFollower.start(log, { onBlock: ({ partition }) => (partition === 0 ? held.promise : undefined) });
    for (const [read, letter] of ['c', 'd', 'e', 'f'].entries()) {
      await expect.poll(() => follower.values(1).length).toBeGreaterThan(read);
      cluster.store(1, batchOf([large(letter)]));
    }
    await expect.poll(() => follower.values(1)).toHaveLength(5);
    expect(follower.values(0)).toEqual([]);
    held.resolve();
    await follower.read(6);
    expect(follower.values(0)).toEqual([large('a')]);
    expect(follower.values(1)).toEqual(['b', 'c', 'd', 'e', 'f'].map(large));
  });
});
