import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { describeEventLog } from '../event-log.contract.ts';
import { LogFollower, readWhole } from '../log-follower.ts';
import { temporaryDirectories } from '../temporary-directory.ts';
import { openEmbeddedLog } from './embedded-log.ts';
import type { EmbeddedLogEvent, EmbeddedLogOptions } from './embedded-log.ts';

describeEventLog('embedded', async (topics) => {
  const directory = await mkdtemp(join(tmpdir(), 'touchstone-log-'));
  return {
    open: () => openEmbeddedLog({ directory, topics, sweepIntervalMs: 0 }),
    remove: () => rm(directory, { recursive: true }),
  };
});

const temporaryDirectory = temporaryDirectories();

const open = (options: Partial<EmbeddedLogOptions> = {}) =>
  openEmbeddedLog({ directory: temporaryDirectory(), topics: { events: { partitions: 2 } }, sweepIntervalMs: 0, ...options });
const record = (value: string, partition = 0) => ({ key: null, value: Buffer.from(value), partition });
const code = (expected: string) => expect.objectContaining({ name: 'EventLogError', code: expected });

describe('the directory of an embedded log', () => {
  test('belongs to one log at a time', async () => {
    const directory = temporaryDirectory();
    const log = await open({ directory });
    await expect(open({ directory })).rejects.toEqual(code('locked'));
    await log.append('events', [record('still works')]);
    await log.close();
    await (await open({ directory })).close();
  });

  test('is free again when opening failed', async () => {
    const directory = temporaryDirectory();
    await expect(open({ directory, topics: { 'no name': { partitions: 1 } } })).rejects.toBeInstanceOf(RangeError);
    await (await open({ directory })).close();
  });

  test.each([
    { what: 'fewer partitions than it was made with', topics: { events: { partitions: 1 } }, message: /made with 2 partitions/ },
    { what: 'more partitions than it was made with', topics: { events: { partitions: 3 } }, message: /can not be opened with 3/ },
    { what: 'no partition', topics: { events: { partitions: 0 } }, message: /at least one partition/ },
    { what: 'a name that Kafka would not take', topics: { 'a/b': { partitions: 1 } }, message: /name of a topic/ },
  ])('is not opened for a topic with $what', async ({ topics, message }) => {
    const directory = temporaryDirectory();
    await (await open({ directory })).close();
    await expect(open({ directory, topics })).rejects.toThrow(message);
  });

  test('holds several topics, and keeps one that is not asked for', async () => {
    const directory = temporaryDirectory();
    const both = { events: { partitions: 2 }, 'account-scores': { partitions: 3 } };
    let log = await open({ directory, topics: both });
    await log.append('events', [record('e')]);
    await log.append('account-scores', [record('s', 2)]);
    await log.close();
    log = await open({ directory });
    expect(() => log.partitionCount('account-scores')).toThrow(/there is no topic account-scores/);
    await log.append('events', [record('f')]);
    await log.close();
    log = await open({ directory, topics: both });
    expect((await readWhole(log, 'account-scores')).map(({ value }) => value)).toEqual(['s']);
    expect((await readWhole(log, 'events')).map(({ value }) => value)).toEqual(['e', 'f']);
    await log.close();
  });
});

describe('an embedded log', () => {
  test('takes nothing while the disk is nearly full, and goes on when there is room', async () => {
    let free = 100;
    const statFs = () => ({ bsize: 1, bavail: free, blocks: 1_000_000_000 });
    const log = await open({ freeBytesMin: 1_000, statFs });
    await expect(log.append('events', [record('too much')])).rejects.toEqual(code('disk_full'));
    free = 1_000_000;
    await log.append('events', [record('fits')]);
    expect((await readWhole(log)).map(({ value }) => value)).toEqual(['fits']);
    await log.close();
  });

  test('answers backlogged rather than wait with more than it may hold', async () => {
    const log = await open({ backlogBytesMax: 10_000 });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => log.append('events', [record('x'.repeat(1_000))])));
    const taken = results.filter(({ status }) => status === 'fulfilled').length;
    expect(taken).toBe(9);
    expect(results.filter((result) => result.status === 'rejected').every(({ reason }) => reason.code === 'backlogged')).toBe(true);
    expect(log.backlogBytes).toBe(0);
    await log.append('events', [record('again')]);
    expect((await readWhole(log)).length).toBe(taken + 1);
    await log.close();
  });

  test('tells of its commits', async () => {
    const events: EmbeddedLogEvent[] = [];
    const log = await open({ onEvent: (event) => events.push(event) });
    await log.append('events', [record('a'), record('b', 1), record('c', 1)]);
    expect(events).toEqual([expect.objectContaining({ type: 'committed', appends: 1, records: 3, blocks: 2 })]);
    await log.close();
  });

  test('finishes what it took before it closes, and takes nothing more', async () => {
    const directory = temporaryDirectory();
    let log = await open({ directory });
    const taken = [log.append('events', [record('a')]), log.append('events', [record('b')])];
    const closed = log.close();
    await expect(log.append('events', [record('c')])).rejects.toEqual(code('closed'));
    await expect(log.extents('events')).rejects.toEqual(code('closed'));
    await Promise.all([...taken, closed, log.close()]);
    log = await open({ directory });
    expect((await readWhole(log)).map(({ value }) => value)).toEqual(['a', 'b']);
    await log.close();
  });

  test('stops its subscriptions when it closes', async () => {
    const log = await open();
    const follower = await LogFollower.start(log, { group: 'g' });
    await log.append('events', [record('a')]);
    await follower.read(1);
    await log.close();
    expect(follower.failures).toEqual([]);
    await expect(follower.subscription.commit(new Map([[0, 1]]))).rejects.toEqual(code('closed'));
  });

  test('lets the rest of the process run while a long backlog is read', async () => {
    const log = await open();
    for (let i = 0; i < 100; i++) await log.append('events', [record(`${i}`, i % 2)]);
    let turns = 0;
    let reading = true;
    const follower = await LogFollower.start(log, {
      onBlock: () => {
        const until = performance.now() + 1;
        while (performance.now() < until);
      },
    });
    const count = (async () => {
      while (reading) {
        await setImmediate();
        turns++;
      }
    })();
    await follower.read(100);
    reading = false;
    await count;
    expect(turns).toBeGreaterThan(10);
    await log.close();
  });

  test('has no subscription from what is no offset', async () => {
    const log = await open();
    const follower = await LogFollower.start(log, { from: () => Number.NaN });
    expect(await follower.failed()).toEqual(code('offset_out_of_range'));
    await log.close();
  });
});

describe('a group of an embedded log', () => {
  test.each([
    { what: 'below what it committed', offset: 1 },
    { what: 'past the end', offset: 4 },
    { what: 'that is no offset', offset: 2.5 },
  ])('can not commit a position $what', async ({ offset }) => {
    const log = await open();
    await log.append('events', [record('a'), record('b'), record('c')]);
    const { subscription } = await LogFollower.start(log, { group: 'g' });
    await subscription.commit(new Map([[0, 2]]));
    await expect(subscription.commit(new Map([[0, offset]]))).rejects.toBeInstanceOf(RangeError);
    await subscription.commit(new Map([[0, 2]]));
    await subscription.commit(new Map([[0, 3]]));
    expect((await log.committed('events', 'g')).get(0)?.offset).toBe(3);
    await log.close();
  });

  test('commits in the order it was asked to, and a position that fails moves nothing', async () => {
    const log = await open();
    await log.append('events', [record('a'), record('b'), record('c'), record('d', 1)]);
    const { subscription } = await LogFollower.start(log, { group: 'g' });
    const commits = [
      new Map([[0, 3]]),
      new Map([[0, 2]]),
      new Map([
        [0, 3],
        [1, 2],
      ]),
      new Map([[1, 1]]),
    ];
    const results = await Promise.allSettled(commits.map((positions) => subscription.commit(positions)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    const committed = await log.committed('events', 'g');
    expect([committed.get(0)?.offset, committed.get(1)?.offset]).toEqual([3, 1]);
    await log.close();
  });

  test('has one subscription at a time; a stopped one commits until the next takes over', async () => {
    const log = await open();
    await log.append('events', [record('a'), record('b')]);
    const first = await LogFollower.start(log, { group: 'g' });
    await expect(LogFollower.start(log, { group: 'g' })).rejects.toEqual(code('not_owner'));
    await first.subscription.stop();
    await first.subscription.commit(new Map([[0, 1]]));
    const second = await LogFollower.start(log, { group: 'g' });
    await expect(first.subscription.commit(new Map([[0, 2]]))).rejects.toEqual(code('not_owner'));
    await second.subscription.commit(new Map([[0, 2]]));
    await log.close();
  });

  test('needs a name that Kafka would take', async () => {
    const log = await open();
    await expect(LogFollower.start(log, { group: 'a\0b' })).rejects.toThrow(/name of a group/);
    await log.close();
  });
});
