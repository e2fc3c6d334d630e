import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { sharedBroker } from '@touchstone/testkit';
import kafkajs from 'kafkajs';
import type { Message, ProducerConfig } from 'kafkajs';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { compress, uncompress } from 'snappyjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LogFollower, readWhole } from '../log-follower.ts';
import { BrokerFixture } from './broker-fixture.ts';

const { CompressionCodecs, CompressionTypes, Partitioners } = kafkajs;
const { brokers, missing } = sharedBroker();
const fixture = new BrokerFixture(brokers);
afterEach(() => fixture.closeLogs());

const codecOf = (toBytes: (bytes: Buffer) => Uint8Array, fromBytes: (bytes: Buffer) => Uint8Array) => () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => Buffer.from(toBytes(buffer)),
  decompress: async (bytes: Buffer) => Buffer.from(fromBytes(bytes)),
});
CompressionCodecs[CompressionTypes.Snappy] = codecOf(
  (bytes) => compress(Buffer.from(bytes)),
  (bytes) => uncompress(bytes),
);
CompressionCodecs[CompressionTypes.LZ4] = codecOf(compressFrameSync, decompressFrameSync);
CompressionCodecs[CompressionTypes.ZSTD] = codecOf(zstdCompressSync, zstdDecompressSync);

const producer = (options: ProducerConfig = {}) =>
  fixture.others.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options });
const messages = (...values: string[]): Message[] =>
  values.map((value) => ({ key: `key of ${value}`, value, partition: 0, headers: { a: 'b' } }));

describe.skipIf(missing !== null)('records of other producers', () => {
  test.each([
    { name: 'none', compression: CompressionTypes.None },
    { name: 'gzip', compression: CompressionTypes.GZIP },
    { name: 'snappy', compression: CompressionTypes.Snappy },
    { name: 'lz4', compression: CompressionTypes.LZ4 },
    { name: 'zstd', compression: CompressionTypes.ZSTD },
  ])('compressed with $name are read, with the time of the broker', async ({ compression }) => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: {} });
    const before = Date.now();
    const values = Array.from({ length: 100 }, (_, i) => `value ${i}`);
    const sender = producer();
    await sender.connect();
    await sender.send({ topic, compression, messages: messages(...values).map((message) => ({ ...message, timestamp: '1000' })) });
    await sender.disconnect();
    const read = await readWhole(log, topic);
    expect(read.map(({ value }) => value)).toEqual(values);
    expect(read.map(({ key }) => key)).toEqual(values.map((value) => `key of ${value}`));
    expect(read[0]!.appendedAt).toBeGreaterThanOrEqual(before - 1_000);
  });

  test('in transactions are read once these are committed, and never when they are aborted; a position reaches the end', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: { partitions: 1 } });
    const sender = producer({ transactionalId: fixture.name(), idempotent: true, maxInFlightRequests: 1 });
    await sender.connect();
    for (const [value, outcome] of [
      ['kept', 'commit'],
      ['dropped', 'abort'],
      ['kept too', 'commit'],
      ['dropped too', 'abort'],
    ] as const) {
      const transaction = await sender.transaction();
      await transaction.send({ topic, messages: messages(value, `${value}, 2`) });
      await transaction[outcome]();
    }
    const positions: number[] = [];
    const follower = await LogFollower.start(log, { topic, onBlock: ({ nextOffset }) => void positions.push(nextOffset) });
    const endOf = async (): Promise<number> => (await log.extents(topic))[0]!.end;
    // A transaction is answered for before its end is written to every partition.
    await vi.waitFor(async () => expect(await endOf()).toBe(12), { timeout: 20_000 });
    await vi.waitUntil(() => positions.at(-1) === 12, { timeout: 20_000 });
    expect(follower.values()).toEqual(['kept', 'kept, 2', 'kept too', 'kept too, 2']);

    const open = await sender.transaction();
    await open.send({ topic, messages: messages('late') });
    await log.append(topic, [{ key: null, value: Buffer.from('after') }]);
    expect(await endOf()).toBe(12);
    await open.commit();
    await follower.read(6);
    expect(follower.values().slice(4)).toEqual(['late', 'after']);
    await sender.disconnect();
  });

  test('and ours are read by kafkajs', async () => {
    const topic = fixture.name();
    const log = await fixture.open({ [topic]: { partitions: 1 } });
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
    await log.append(
      topic,
      keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from(`of ${key}`) })),
    );
    const reader = fixture.others.consumer({ groupId: fixture.name() });
    await reader.connect();
    await reader.subscribe({ topic, fromBeginning: true });
    const read: string[] = [];
    await reader.run({ eachMessage: async ({ message }) => void read.push(`${message.key?.toString()} ${message.value?.toString()}`) });
    await vi.waitUntil(() => read.length >= keys.length, { timeout: 30_000 });
    expect(read).toEqual(keys.map((key) => `${key} of ${key}`));
    await reader.disconnect();
  });
});
