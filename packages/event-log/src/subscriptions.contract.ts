import { describe, expect, test } from 'vitest';
import { LogFollower } from './log-follower.ts';
import { code, PARTITIONS, record, toEvery } from './log-under-test.ts';
import type { PlaceOfLog } from './log-under-test.ts';

/** The part of the contract about who reads, and the positions of groups. */
export function describeSubscriptions(place: PlaceOfLog): void {
  describe('a subscription', () => {
    test.each([
      { where: 'the start', from: 0 },
      { where: 'the middle of a block', from: 13 },
      { where: 'the last record', from: 29 },
      { where: 'the end', from: 30 },
    ])('from $where gets every record from there on, and none twice', async ({ from }) => {
      for (let i = 0; i < 30; i += 10) {
        await place.log.append(
          'events',
          Array.from({ length: 10 }, (_, k) => record('k', `${i + k}`, 0)),
        );
      }
      const follower = await LogFollower.start(place.log, { from: (partition) => (partition === 0 ? from : 0) });
      await place.log.append('events', [record('k', '30', 0)]);
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
      await place.log.append('events', [record('k', 'a', 1), record('k', 'b', 1)]);
      const follower = await LogFollower.start(place.log, { from: (partition) => (partition === 1 ? from : 0) });
      expect(await follower.failed()).toEqual(code('offset_out_of_range'));
    });

    test('waits for the offset to begin at', async () => {
      await place.log.append('events', toEvery('v'));
      const gate = Promise.withResolvers<number>();
      const follower = await LogFollower.start(place.log, { from: (partition) => (partition === 0 ? gate.promise : 0) });
      await follower.read(PARTITIONS - 1);
      expect(follower.values(0)).toEqual([]);
      gate.resolve(0);
      await follower.read(PARTITIONS);
      expect(follower.values(0)).toEqual(['v']);
    });

    test('gets what is appended while it waits', async () => {
      const follower = await LogFollower.start(place.log);
      for (let i = 1; i <= 5; i++) {
        await place.log.append('events', toEvery(`${i}`));
        await follower.read(i * PARTITIONS);
      }
      expect(follower.values(3)).toEqual(['1', '2', '3', '4', '5']);
    });

    test.each([
      { whose: 'without a group', group: undefined },
      { whose: 'that is alone in its group', group: 'g' },
    ])('$whose owns all partitions, and no others', async ({ group }) => {
      const { subscription } = await LogFollower.start(place.log, group === undefined ? {} : { group });
      await expect.poll(() => subscription.assigned?.size).toBe(PARTITIONS);
      expect(subscription.assigned).toEqual(new Set([0, 1, 2, 3]));
      expect([-1, 0, 1, 2, 3, PARTITIONS].map((partition) => subscription.owns(partition))).toEqual([false, true, true, true, true, false]);
    });

    test('is not alone: two read the same independently', async () => {
      const [one, two] = [await LogFollower.start(place.log, { group: 'g' }), await LogFollower.start(place.log)];
      await place.log.append('events', toEvery('v'));
      await Promise.all([one.read(PARTITIONS), two.read(PARTITIONS)]);
      await one.subscription.stop();
      await place.log.append('events', toEvery('w'));
      await two.read(2 * PARTITIONS);
      expect(one.records.length).toBe(PARTITIONS);
    });

    test('gives a partition its next block only when the handler is through with the last, and holds up no other', async () => {
      let running = 0;
      const gate = Promise.withResolvers<void>();
      const follower = await LogFollower.start(place.log, {
        onBlock: async ({ partition }) => {
          if (partition !== 0) return;
          running++;
          expect(running).toBe(1);
          await gate.promise;
          running--;
        },
      });
      for (let i = 0; i < 5; i++) await place.log.append('events', toEvery(`${i}`));
      await follower.read(5 * (PARTITIONS - 1));
      expect(follower.values(0)).toEqual([]);
      gate.resolve();
      await follower.read(5 * PARTITIONS);
      expect(follower.values(0)).toEqual(['0', '1', '2', '3', '4']);
      expect(follower.failures).toEqual([]);
    });

    test('delivers nothing of a paused partition until it is resumed', async () => {
      const follower = await LogFollower.start(place.log);
      await place.log.append('events', toEvery('a'));
      await follower.read(PARTITIONS);
      follower.subscription.pause(0);
      await place.log.append('events', toEvery('b'));
      await place.log.append('events', toEvery('c'));
      await follower.read(PARTITIONS + 2 * (PARTITIONS - 1));
      expect(follower.values(0)).toEqual(['a']);
      follower.subscription.resume(0);
      await follower.read(3 * PARTITIONS);
      expect(follower.values(0)).toEqual(['a', 'b', 'c']);
    });

    test('that is stopped waits for its handlers, then delivers nothing more', async () => {
      const gate = Promise.withResolvers<void>();
      const entered = Promise.withResolvers<void>();
      const follower = await LogFollower.start(place.log, {
        onBlock: async () => {
          entered.resolve();
          await gate.promise;
        },
      });
      await place.log.append('events', [record('k', 'a', 0)]);
      await entered.promise;
      let stopped = false;
      const stop = follower.subscription.stop().then(() => (stopped = true));
      await place.log.append('events', toEvery('b'));
      expect(stopped).toBe(false);
      gate.resolve();
      await stop;
      expect(follower.values()).toEqual(['a']);
      await place.log.append('events', toEvery('c'));
      expect(follower.values()).toEqual(['a']);
      expect(follower.failures).toEqual([]);
    });

    test('ends, and says so once, when a handler throws', async () => {
      const follower = await LogFollower.start(place.log, {
        onBlock: () => {
          throw new Error('planted');
        },
      });
      await place.log.append('events', toEvery('v'));
      expect(await follower.failed()).toEqual(new Error('planted'));
      await follower.subscription.stop();
      await place.log.append('events', toEvery('w'));
      expect(follower.failures.length).toBe(1);
      expect(follower.records).toEqual([]);
    });
  });

  describe('a group', () => {
    test('has committed nothing at first', async () => {
      expect(await place.log.committed('events', 'g')).toEqual(new Map());
    });

    test('finds its positions again after reopening, with the generation of the topic; other groups do not', async () => {
      await place.log.append('events', toEvery('v'));
      const { generation } = (await place.log.extents('events'))[0]!;
      const follower = await LogFollower.start(place.log, { group: 'g' });
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
      expect(await place.log.committed('events', 'g')).toEqual(committed);
      await place.reopen();
      expect(await place.log.committed('events', 'g')).toEqual(committed);
      expect(await place.log.committed('events', 'h')).toEqual(new Map());
    });

    test('can not commit in a partition that is not assigned', async () => {
      const follower = await LogFollower.start(place.log, { group: 'g' });
      await expect.poll(() => follower.subscription.owns(0)).toBe(true);
      await follower.subscription.commit(new Map([[0, 0]]));
      await expect(follower.subscription.commit(new Map([[PARTITIONS, 0]]))).rejects.toEqual(code('not_owner'));
    });

    test('is needed to commit', async () => {
      const follower = await LogFollower.start(place.log);
      await expect(follower.subscription.commit(new Map([[0, 0]]))).rejects.toEqual(code('not_owner'));
    });
  });
}
