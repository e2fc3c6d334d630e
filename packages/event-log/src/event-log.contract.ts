import { fc } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EventLog, OutgoingRecord } from './event-log.ts';
import { LogFollower, readWhole } from './log-follower.ts';
import { partitionOfKey } from './partition-of-key.ts';

/** What every adapter of the port must keep. Each test gets a log of its own with one empty topic, `events`, of four partitions. */
export interface LogUnderTest {
  /** Opens the log with all that is in it. Called again only after the one before was closed. */
  open(): Promise<EventLog>;
  remove(): Promise<void>;
}

const PARTITIONS = 4;

const bytes = (text: string) => Buffer.from(text, 'latin1');
const record = (key: string | null, value: string | null, partition?: number): OutgoingRecord => ({
  key: key === null ? null : bytes(key),
  value: value === null ? null : bytes(value),
  ...(partition === undefined ? {} : { partition }),
});
const toEvery = (value: string) => Array.from({ length: PARTITIONS }, (_, partition) => record('k', value, partition));
const code = (expected: string) => expect.objectContaining({ name: 'EventLogError', code: expected });

export function describeEventLog(name: string, setUp: (topics: { events: { partitions: number } }) => Promise<LogUnderTest>): void {
  describe(`the event log: ${name}`, () => {
    let place: LogUnderTest;
    let log: EventLog;

    beforeEach(async () => {
      place = await setUp({ events: { partitions: PARTITIONS } });
      log = await place.open();
    });
    afterEach(async () => {
      await log.close();
      await place.remove();
    });
    const reopen = async () => {
      await log.close();
      log = await place.open();
    };

    describe('append and read', () => {
      test('gives back keys and values as they were, null and empty told apart', async () => {
        const pairs = [
          ['k', 'v'],
          [null, 'no key'],
          ['no value', null],
          ['', 'empty key'],
          ['empty value', ''],
          [null, null],
        ] as const;
        await log.append(
          'events',
          pairs.map(([key, value]) => record(key, value, 1)),
        );
        expect((await readWhole(log)).map(({ key, value }) => [key, value])).toEqual(pairs);
      });

      test('takes records of every size, up to a mebibyte', async () => {
        const sizes = [0, 1, 63, 64, 8_191, 8_192, 300_000, 1024 * 1024];
        await log.append(
          'events',
          sizes.map((size) => ({ key: null, value: new Uint8Array(size).fill(size), partition: 2 })),
        );
        expect((await readWhole(log)).map(({ value }) => value!.length)).toEqual(sizes);
      });

      test('keeps all that was ever appended, in the order of each partition, for any sequence of appends', async () => {
        const part = fc.option(fc.string({ unit: 'binary-ascii', maxLength: 30 }), { nil: null });
        const outgoing = fc.record({ key: part, value: part, partition: fc.nat(PARTITIONS - 1) });
        const appends = fc.array(fc.array(outgoing, { maxLength: 40 }), { maxLength: 12 });
        const expected: { key: string | null; value: string | null }[][] = Array.from({ length: PARTITIONS }, () => []);
        await fc.assert(
          fc.asyncProperty(appends, async (appends) => {
            await Promise.all(
              appends.map((list) =>
                log.append(
                  'events',
                  list.map((r) => record(r.key, r.value, r.partition)),
                ),
              ),
            );
            for (const { key, value, partition } of appends.flat()) expected[partition]!.push({ key, value });
            const read = await readWhole(log);
            for (const [partition, records] of expected.entries()) {
              const found = read.filter((r) => r.partition === partition);
              expect(found.map(({ key, value }) => ({ key, value }))).toEqual(records);
              expect(found.map(({ offset }) => offset)).toEqual(records.map((_, offset) => offset));
            }
          }),
          { numRuns: 15 },
        );
      });

      test('the blocks of a partition follow each other, and their time never falls', async () => {
        for (let i = 0; i < 20; i++) await log.append('events', toEvery(`${i}`));
        const follower = await LogFollower.start(log);
        await follower.read(20 * PARTITIONS);
        for (let partition = 0; partition < PARTITIONS; partition++) {
          const blocks = follower.blocks.filter((block) => block.partition === partition);
          expect(blocks[0]!.baseOffset).toBe(0);
          expect(blocks.reduce((sum, { count }) => sum + count, 0)).toBe(20);
          for (const [index, block] of blocks.entries()) {
            const previous = blocks[index - 1];
            if (previous === undefined) continue;
            expect(block.baseOffset).toBe(previous.nextOffset);
            expect(block.appendedAt).toBeGreaterThanOrEqual(previous.appendedAt);
          }
        }
      });

      test('the caller may reuse its buffers once the append is through', async () => {
        const value = bytes('first');
        await log.append('events', [{ key: null, value, partition: 0 }]);
        value.fill(0);
        expect((await readWhole(log))[0]!.value).toBe('first');
      });

      test('an append of nothing does nothing', async () => {
        await log.append('events', []);
        expect(await readWhole(log)).toEqual([]);
      });
    });

    describe('partitions', () => {
      test('are those the topic was made with', () => {
        expect(log.partitionCount('events')).toBe(PARTITIONS);
      });

      test('are chosen by the murmur2 hash of the key', async () => {
        const keys = Array.from({ length: 100 }, (_, i) => `account-${i}`);
        await log.append(
          'events',
          keys.map((key) => record(key, key)),
        );
        for (const { key, partition } of await readWhole(log)) expect(partition).toBe(partitionOfKey(bytes(key!), PARTITIONS));
      });

      test('all get some of the records without a key', async () => {
        for (let i = 0; i < 5; i++)
          await log.append(
            'events',
            Array.from({ length: 40 }, () => record(null, 'v')),
          );
        expect(new Set((await readWhole(log)).map(({ partition }) => partition)).size).toBe(PARTITIONS);
      });

      test('keep the order of each key, however many append at once', async () => {
        const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
        await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            log.append(
              'events',
              keys.map((key) => record(key, `${i}`)),
            ),
          ),
        );
        const read = await readWhole(log);
        for (const key of keys) {
          expect(read.filter((r) => r.key === key).map(({ value }) => Number(value))).toEqual(Array.from({ length: 50 }, (_, i) => i));
        }
      });
    });

    describe('all or nothing', () => {
      test.each([
        { what: 'a record too large', poison: { key: null, value: new Uint8Array(1024 * 1024 + 1) }, error: code('record_too_large') },
        { what: 'a partition that does not exist', poison: record('k', 'v', PARTITIONS), error: expect.any(RangeError) },
      ])('nothing is kept of an append with $what', async ({ poison, error }) => {
        await expect(log.append('events', [...toEvery('before'), poison, ...toEvery('after')])).rejects.toEqual(error);
        await log.append('events', toEvery('next'));
        expect((await readWhole(log)).map(({ value }) => value)).toEqual(['next', 'next', 'next', 'next']);
      });

      test('a closed log takes nothing', async () => {
        await log.close();
        await expect(log.append('events', toEvery('v'))).rejects.toEqual(code('closed'));
      });

      test('what was acknowledged is there after reopening', async () => {
        await log.append('events', toEvery('one'));
        await reopen();
        await log.append('events', toEvery('two'));
        await reopen();
        const read = await readWhole(log);
        for (let partition = 0; partition < PARTITIONS; partition++) {
          expect(read.filter((r) => r.partition === partition).map(({ value, offset }) => [value, offset])).toEqual([
            ['one', 0],
            ['two', 1],
          ]);
        }
      });
    });

    describe('extents', () => {
      test('of an empty topic are empty', async () => {
        const extents = await log.extents('events');
        expect(extents.map(({ partition, start, end }) => [partition, start, end])).toEqual([
          [0, 0, 0],
          [1, 0, 0],
          [2, 0, 0],
          [3, 0, 0],
        ]);
      });

      test('end after the last record, and outlive a reopening with their generation', async () => {
        await log.append('events', [...toEvery('v'), record('k', 'v', 2)]);
        const extents = await log.extents('events');
        expect(extents.map(({ end }) => end)).toEqual([1, 1, 2, 1]);
        expect(extents[0]!.generation).not.toBe('');
        await reopen();
        expect(await log.extents('events')).toEqual(extents);
      });
    });

    describe('a subscription', () => {
      test.each([
        { where: 'the start', from: 0 },
        { where: 'the middle of a block', from: 13 },
        { where: 'the last record', from: 29 },
        { where: 'the end', from: 30 },
      ])('from $where gets every record from there on, and none twice', async ({ from }) => {
        for (let i = 0; i < 30; i += 10) {
          await log.append(
            'events',
            Array.from({ length: 10 }, (_, k) => record('k', `${i + k}`, 0)),
          );
        }
        const follower = await LogFollower.start(log, { from: (partition) => (partition === 0 ? from : 0) });
        await log.append('events', [record('k', '30', 0)]);
        await follower.read(31 - from);
        expect(follower.values().map(Number)).toEqual(Array.from({ length: 31 - from }, (_, i) => from + i));
        expect(follower.records.map(({ offset }) => offset)).toEqual(Array.from({ length: 31 - from }, (_, i) => from + i));
        for (const block of follower.blocks)
          expect(follower.records.filter(({ offset }) => offset < block.nextOffset).length).toBeGreaterThan(0);
      });

      test.each([
        { where: 'below zero', from: -1 },
        { where: 'past the end', from: 3 },
      ])('from $where fails and says so', async ({ from }) => {
        await log.append('events', [record('k', 'a', 1), record('k', 'b', 1)]);
        const follower = await LogFollower.start(log, { from: (partition) => (partition === 1 ? from : 0) });
        expect(await follower.failed()).toEqual(code('offset_out_of_range'));
      });

      test('waits for the offset to begin at', async () => {
        await log.append('events', toEvery('v'));
        const gate = Promise.withResolvers<number>();
        const follower = await LogFollower.start(log, { from: (partition) => (partition === 0 ? gate.promise : 0) });
        await follower.read(PARTITIONS - 1);
        expect(follower.values(0)).toEqual([]);
        gate.resolve(0);
        await follower.read(PARTITIONS);
        expect(follower.values(0)).toEqual(['v']);
      });

      test('gets what is appended while it waits', async () => {
        const follower = await LogFollower.start(log);
        for (let i = 1; i <= 5; i++) {
          await log.append('events', toEvery(`${i}`));
          await follower.read(i * PARTITIONS);
        }
        expect(follower.values(3)).toEqual(['1', '2', '3', '4', '5']);
      });

      test.each([
        { whose: 'without a group', group: undefined },
        { whose: 'that is alone in its group', group: 'g' },
      ])('$whose owns all partitions, and no others', async ({ group }) => {
        const { subscription } = await LogFollower.start(log, group === undefined ? {} : { group });
        await vi.waitUntil(() => subscription.assigned?.size === PARTITIONS, { timeout: 20_000, interval: 5 });
        expect(subscription.assigned).toEqual(new Set([0, 1, 2, 3]));
        expect([-1, 0, 1, 2, 3, PARTITIONS].map((partition) => subscription.owns(partition))).toEqual([
          false,
          true,
          true,
          true,
          true,
          false,
        ]);
      });

      test('is not alone: two read the same independently', async () => {
        const [one, two] = [await LogFollower.start(log, { group: 'g' }), await LogFollower.start(log)];
        await log.append('events', toEvery('v'));
        await Promise.all([one.read(PARTITIONS), two.read(PARTITIONS)]);
        await one.subscription.stop();
        await log.append('events', toEvery('w'));
        await two.read(2 * PARTITIONS);
        expect(one.records.length).toBe(PARTITIONS);
      });

      test('gives a partition its next block only when the handler is through with the last, and holds up no other', async () => {
        let running = 0;
        const gate = Promise.withResolvers<void>();
        const follower = await LogFollower.start(log, {
          onBlock: async ({ partition }) => {
            if (partition !== 0) return;
            running++;
            expect(running).toBe(1);
            await gate.promise;
            running--;
          },
        });
        for (let i = 0; i < 5; i++) await log.append('events', toEvery(`${i}`));
        await follower.read(5 * (PARTITIONS - 1));
        expect(follower.values(0)).toEqual([]);
        gate.resolve();
        await follower.read(5 * PARTITIONS);
        expect(follower.values(0)).toEqual(['0', '1', '2', '3', '4']);
        expect(follower.failures).toEqual([]);
      });

      test('delivers nothing of a paused partition until it is resumed', async () => {
        const follower = await LogFollower.start(log);
        await log.append('events', toEvery('a'));
        await follower.read(PARTITIONS);
        follower.subscription.pause(0);
        await log.append('events', toEvery('b'));
        await log.append('events', toEvery('c'));
        await follower.read(PARTITIONS + 2 * (PARTITIONS - 1));
        expect(follower.values(0)).toEqual(['a']);
        follower.subscription.resume(0);
        await follower.read(3 * PARTITIONS);
        expect(follower.values(0)).toEqual(['a', 'b', 'c']);
      });

      test('that is stopped waits for its handlers, then delivers nothing more', async () => {
        const gate = Promise.withResolvers<void>();
        const entered = Promise.withResolvers<void>();
        const follower = await LogFollower.start(log, {
          onBlock: async () => {
            entered.resolve();
            await gate.promise;
          },
        });
        await log.append('events', [record('k', 'a', 0)]);
        await entered.promise;
        let stopped = false;
        const stop = follower.subscription.stop().then(() => (stopped = true));
        await log.append('events', toEvery('b'));
        expect(stopped).toBe(false);
        gate.resolve();
        await stop;
        expect(follower.values()).toEqual(['a']);
        await log.append('events', toEvery('c'));
        expect(follower.values()).toEqual(['a']);
        expect(follower.failures).toEqual([]);
      });

      test('ends, and says so once, when a handler throws', async () => {
        const follower = await LogFollower.start(log, {
          onBlock: () => {
            throw new Error('planted');
          },
        });
        await log.append('events', toEvery('v'));
        expect(await follower.failed()).toEqual(new Error('planted'));
        await follower.subscription.stop();
        await log.append('events', toEvery('w'));
        expect(follower.failures.length).toBe(1);
        expect(follower.records).toEqual([]);
      });
    });

    describe('a group', () => {
      test('has committed nothing at first', async () => {
        expect(await log.committed('events', 'g')).toEqual(new Map());
      });

      test('finds its positions again after reopening, with the generation of the topic; other groups do not', async () => {
        await log.append('events', toEvery('v'));
        const { generation } = (await log.extents('events'))[0]!;
        const follower = await LogFollower.start(log, { group: 'g' });
        await follower.read(PARTITIONS);
        await follower.subscription.commit(new Map([[0, 1]]));
        await follower.subscription.commit(
          new Map([
            [2, 1],
            [3, 0],
          ]),
        );
        const committed = new Map([
          [0, { offset: 1, generation }],
          [2, { offset: 1, generation }],
          [3, { offset: 0, generation }],
        ]);
        expect(await log.committed('events', 'g')).toEqual(committed);
        await reopen();
        expect(await log.committed('events', 'g')).toEqual(committed);
        expect(await log.committed('events', 'h')).toEqual(new Map());
      });

      test('can not commit in a partition that is not assigned', async () => {
        const follower = await LogFollower.start(log, { group: 'g' });
        await vi.waitFor(() => follower.subscription.commit(new Map([[0, 0]])));
        await expect(follower.subscription.commit(new Map([[PARTITIONS, 0]]))).rejects.toEqual(code('not_owner'));
      });

      test('is needed to commit', async () => {
        const follower = await LogFollower.start(log);
        await expect(follower.subscription.commit(new Map([[0, 0]]))).rejects.toEqual(code('not_owner'));
      });
    });
  });
}
