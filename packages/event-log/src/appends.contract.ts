import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { LogFollower, readWhole } from './log-follower.ts';
import { bytes, code, PARTITIONS, record, toEvery } from './log-under-test.ts';
import type { PlaceOfLog } from './log-under-test.ts';
import { partitionOfKey } from './partition-of-key.ts';

/** The part of the contract about what is appended, and what is there then. */
export function describeAppends(place: PlaceOfLog): void {
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
      await place.log.append(
        'events',
        pairs.map(([key, value]) => record(key, value, 1)),
      );
      expect((await readWhole(place.log)).map(({ key, value }) => [key, value])).toEqual(pairs);
    });

    test('takes records of every size, up to a mebibyte', async () => {
      const sizes = [0, 1, 63, 64, 8_191, 8_192, 300_000, 1024 * 1024];
      await place.log.append(
        'events',
        sizes.map((size) => ({ key: null, value: new Uint8Array(size).fill(size), partition: 2 })),
      );
      expect((await readWhole(place.log)).map(({ value }) => value!.length)).toEqual(sizes);
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
              place.log.append(
                'events',
                list.map((r) => record(r.key, r.value, r.partition)),
              ),
            ),
          );
          for (const { key, value, partition } of appends.flat()) expected[partition]!.push({ key, value });
          const read = await readWhole(place.log);
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
      for (let i = 0; i < 20; i++) await place.log.append('events', toEvery(`${i}`));
      const follower = await LogFollower.start(place.log);
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
      await place.log.append('events', [{ key: null, value, partition: 0 }]);
      value.fill(0);
      expect((await readWhole(place.log))[0]!.value).toBe('first');
    });

    test('what is sliced off the bytes of a block is a copy, as the memory of a block may be filled again', async () => {
      await place.log.append('events', toEvery('v'));
      const follower = await LogFollower.start(place.log);
      await follower.read(PARTITIONS);
      for (const { bytes } of follower.blocks) expect(bytes.slice().buffer).not.toBe(bytes.buffer);
    });

    test('an append of nothing does nothing', async () => {
      await place.log.append('events', []);
      expect(await readWhole(place.log)).toEqual([]);
    });
  });

  describe('partitions', () => {
    test('are those the topic was made with', () => {
      expect(place.log.partitionCount('events')).toBe(PARTITIONS);
    });

    test('are chosen by the murmur2 hash of the key', async () => {
      const keys = Array.from({ length: 100 }, (_, i) => `account-${i}`);
      await place.log.append(
        'events',
        keys.map((key) => record(key, key)),
      );
      for (const { key, partition } of await readWhole(place.log)) expect(partition).toBe(partitionOfKey(bytes(key!), PARTITIONS));
    });

    test('all get some of the records without a key', async () => {
      for (let i = 0; i < 5; i++)
        await place.log.append(
          'events',
          Array.from({ length: 40 }, () => record(null, 'v')),
        );
      expect(new Set((await readWhole(place.log)).map(({ partition }) => partition)).size).toBe(PARTITIONS);
    });

    test('keep the order of each key, however many append at once', async () => {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          place.log.append(
            'events',
            keys.map((key) => record(key, `${i}`)),
          ),
        ),
      );
      const read = await readWhole(place.log);
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
      await expect(place.log.append('events', [...toEvery('before'), poison, ...toEvery('after')])).rejects.toEqual(error);
      await place.log.append('events', toEvery('next'));
      expect((await readWhole(place.log)).map(({ value }) => value)).toEqual(['next', 'next', 'next', 'next']);
    });

    test('a closed log takes nothing', async () => {
      await place.log.close();
      await expect(place.log.append('events', toEvery('v'))).rejects.toEqual(code('closed'));
    });

    test('what was acknowledged is there after reopening', async () => {
      await place.log.append('events', toEvery('one'));
      await place.reopen();
      await place.log.append('events', toEvery('two'));
      await place.reopen();
      const read = await readWhole(place.log);
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
      const extents = await place.log.extents('events');
      expect(extents.map(({ partition, start, end }) => [partition, start, end])).toEqual([
        [0, 0, 0],
        [1, 0, 0],
        [2, 0, 0],
        [3, 0, 0],
      ]);
    });

    test('end after the last record, and outlive a reopening with their generation', async () => {
      await place.log.append('events', [...toEvery('v'), record('k', 'v', 2)]);
      const extents = await place.log.extents('events');
      expect(extents.map(({ end }) => end)).toEqual([1, 1, 2, 1]);
      expect(extents[0]!.generation).not.toBe('');
      await place.reopen();
      expect(await place.log.extents('events')).toEqual(extents);
    });
  });
}
