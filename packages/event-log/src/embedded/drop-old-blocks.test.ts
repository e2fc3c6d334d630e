import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { LogFollower, readWhole } from '../log-follower.ts';
import { RecordBlockBuilder } from '../record-block.ts';
import { temporaryDirectories } from '../temporary-directory.ts';
import { openEmbeddedLog } from './embedded-log.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import type { TopicOptions } from './topic.ts';

const temporaryDirectory = temporaryDirectories();

/** A log whose clock stands where the test puts it, with one block of one record for each time in `append`. */
async function setUp(topic: Omit<TopicOptions, 'partitions'>, partitions = 2) {
  const directory = temporaryDirectory();
  const wall = { now: 0 };
  const open = () =>
    openEmbeddedLog({ directory, topics: { events: { partitions, ...topic } }, clock: () => wall.now, sweepIntervalMs: 0 });
  const append = async (log: EmbeddedLog, partition: number, times: readonly number[], size = 10) => {
    for (const time of times) {
      wall.now = time;
      await log.append('events', [{ key: null, value: new Uint8Array(size).fill(time), partition }]);
    }
  };
  return { open, append };
}

const starts = async (log: EmbeddedLog) => (await log.extents('events')).map(({ start }) => start);
const ends = async (log: EmbeddedLog) => (await log.extents('events')).map(({ end }) => end);

async function commit(log: EmbeddedLog, group: string, positions: readonly (readonly [number, number])[]): Promise<void> {
  const follower = await LogFollower.start(log, { group, from: async (partition) => (await log.extents('events'))[partition]!.end });
  await follower.subscription.commit(new Map(positions));
  await follower.subscription.stop();
}

function framedBytes({ value }: { value: string | null }): number {
  const builder = new RecordBlockBuilder();
  builder.append(null, Buffer.from(value!, 'latin1'));
  return builder.byteLength;
}

describe('retention', () => {
  test('drops what is older than it should be, but never the newest block', async () => {
    const { open, append } = await setUp({ retentionMs: 100 });
    const log = await open();
    await append(log, 0, [0, 10, 20, 30]);
    await append(log, 1, [40]);
    expect(await log.sweep(100)).toMatchObject({ blocks: 0, bytes: 0 });
    expect(await log.sweep(111)).toMatchObject({ blocks: 2 });
    expect(await starts(log)).toEqual([2, 0]);
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([3, 0]);
    expect((await readWhole(log)).map(({ offset, appendedAt }) => [offset, appendedAt])).toEqual([
      [3, 30],
      [0, 40],
    ]);
    await log.close();
  });

  test('keeps offsets, times and sizes over a restart', async () => {
    const { open, append } = await setUp({ retentionMs: 100, retentionBytes: 1_000 });
    let log = await open();
    await append(log, 0, [0, 10, 500], 400);
    await log.sweep(550);
    await log.close();
    log = await open();
    expect([await starts(log), await ends(log)]).toEqual([
      [2, 0],
      [3, 0],
    ]);
    await append(log, 0, [400], 400);
    expect((await readWhole(log)).map(({ offset, appendedAt }) => [offset, appendedAt])).toEqual([
      [2, 500],
      [3, 500],
    ]);
    expect(await log.sweep(550)).toMatchObject({ blocks: 0 });
    await log.close();
  });

  test('drops the oldest of all partitions when there are too many bytes', async () => {
    const { open, append } = await setUp({ retentionBytes: 3_500 });
    const log = await open();
    await append(log, 1, [1, 3, 5], 1_000);
    await append(log, 0, [2, 4, 6], 1_000);
    expect(await log.sweep(6)).toMatchObject({ blocks: 3 });
    expect(await starts(log)).toEqual([1, 2]);
    await log.close();
  });

  test('stops at the lowest position of the groups that ever committed, in each partition for itself', async () => {
    const { open, append } = await setUp({ retentionMs: 1 });
    let log = await open();
    await append(log, 0, [0, 1, 2, 3, 4]);
    await append(log, 1, [0, 1, 2, 3, 4]);
    await commit(log, 'slow', [[0, 2]]);
    await commit(log, 'fast', [[0, 4]]);
    await log.close();
    log = await open();
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([2, 4]);
    await commit(log, 'slow', [[0, 5]]);
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([4, 4]);
    await log.close();
  });

  test('never drops a block of which a group has passed only a part', async () => {
    const { open, append } = await setUp({ retentionMs: 1 });
    const log = await open();
    await log.append(
      'events',
      Array.from({ length: 10 }, () => ({ key: null, value: null, partition: 0 })),
    );
    await append(log, 0, [1, 2]);
    await commit(log, 'g', [[0, 9]]);
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([0, 0]);
    await commit(log, 'g', [[0, 10]]);
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([10, 0]);
    await log.close();
  });

  test('keeps everything for a group that the topic is kept for, until it commits', async () => {
    const { open, append } = await setUp({ retentionMs: 1, keptFor: ['g'] });
    const log = await open();
    await append(log, 0, [1, 2, 3, 4]);
    await commit(log, 'other', [[0, 4]]);
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([0, 0]);
    await commit(log, 'g', [[0, 2]]);
    await log.sweep(1_000_000);
    expect(await starts(log)).toEqual([2, 0]);
    await log.close();
  });

  test('tells a reader that it was overtaken', async () => {
    const { open, append } = await setUp({ retentionMs: 1 });
    const log = await open();
    await append(log, 0, [0, 1, 2, 3]);
    const gate = Promise.withResolvers<void>();
    const follower = await LogFollower.start(log, { onBlock: () => gate.promise });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await log.sweep(1_000_000);
    gate.resolve();
    expect(await follower.failed()).toMatchObject({ code: 'offset_out_of_range' });
    await log.close();
  });

  test('takes many blocks in as many transactions as it needs', async () => {
    const { open, append } = await setUp({ retentionMs: 1 }, 1);
    const log = await open();
    await append(
      log,
      0,
      Array.from({ length: 140 }, (_, i) => i),
    );
    expect(await log.sweep(1_000_000)).toMatchObject({ blocks: 139 });
    expect(await starts(log)).toEqual([139]);
    await log.close();
  });

  test('runs by itself', async () => {
    const swept = Promise.withResolvers<number>();
    const log = await openEmbeddedLog({
      directory: temporaryDirectory(),
      topics: { events: { partitions: 1, retentionMs: 1_000 } },
      clock: () => 0,
      sweepIntervalMs: 5,
      onEvent: (event) => {
        if (event.type === 'swept') swept.resolve(event.blocks);
      },
    });
    expect(await swept.promise).toBe(0);
    await log.close();
  });

  property.prop(
    [
      fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 500 })), { maxLength: 40 }),
      fc.nat(60),
      fc.integer({ min: 0, max: 6_000 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    ],
    { numRuns: 25 },
  )('what it keeps is what the rules say', async (appends, retentionMs, retentionBytes, shares) => {
    const { open, append } = await setUp({ retentionMs, retentionBytes }, 3);
    const log = await open();
    let time = 0;
    for (const [partition, step, size] of appends) await append(log, partition, [(time += step)], size);
    const last = await ends(log);
    const positions = last.map((end, partition) => Math.floor(end * shares[partition]!));
    await commit(log, 'g', [...positions.entries()]);
    const before = await readWhole(log);
    await log.sweep(time);
    const kept = await readWhole(log);
    await log.close();

    // Every kept block is kept for a reason, and no dropped one had a reason. A block here is one record.
    const bytes = (records: readonly { value: string | null }[]) => records.reduce((sum, record) => sum + framedBytes(record), 0);
    const isKept = (record: (typeof before)[number]) => kept.some((r) => r.partition === record.partition && r.offset === record.offset);
    const isNeeded = ({ partition, offset }: (typeof before)[number]) => offset >= positions[partition]! || offset === last[partition]! - 1;
    for (const record of before) {
      const young = record.appendedAt >= time - retentionMs;
      if (isNeeded(record)) expect(isKept(record)).toBe(true);
      else if (!young) expect(isKept(record)).toBe(false);
    }
    const droppable = kept.filter((record) => !isNeeded(record));
    if (droppable.length > 0) expect(bytes(kept)).toBeLessThanOrEqual(retentionBytes);
    const droppedYoung = before.filter((record) => !isKept(record) && record.appendedAt >= time - retentionMs);
    if (droppedYoung.length > 0) {
      const newestDropped = droppedYoung.reduce((a, b) => (b.appendedAt > a.appendedAt ? b : a));
      expect(bytes([...kept, newestDropped])).toBeGreaterThan(retentionBytes);
      for (const record of droppable) expect(record.appendedAt).toBeGreaterThanOrEqual(newestDropped.appendedAt);
    }
  });
});
