import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import type { RowTransport } from './row-transport.ts';
import type { DeadLetter, DeadLetterQuery, StoredDeadLetter } from './store.ts';
import { APPENDED_AT, checkpointOf } from './test-records.ts';

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** The part of the store's contract about dead letters: what was set aside comes back byte for byte, in pages, and is replayed once. */
export function describeDeadLetters(name: string, open: () => Promise<RowTransport>): void {
  describe(`dead letters on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    const letter = (partition: number, offset: number, changes: Partial<DeadLetter> = {}): DeadLetter => ({
      partition,
      offset,
      appendedAt: APPENDED_AT + offset,
      reason: 'malformed',
      detail: `"${offset}" isn't good`,
      key: Buffer.from(`key ${offset}`),
      value: Buffer.from(`value ${offset}`),
      ...changes,
    });

    /** Each partition's in a checkpoint of its own, so that parts overlap in time. */
    async function save(letters: readonly DeadLetter[]): Promise<void> {
      for (const [partition, deadLetters] of Map.groupBy(letters, (one) => one.partition)) {
        await store.checkpoint([checkpointOf(store, [], { partition, offset: 1000, deadLetters })]);
      }
    }

    const placeOf = ({ partition, offset }: StoredDeadLetter): string => `${partition}/${offset}`;
    const placesOf = async (query: Partial<DeadLetterQuery>): Promise<string[]> =>
      (await store.deadLetters({ limit: 100, ...query })).map(placeOf);

    test.each([
      ['any bytes, which are no text', EVERY_BYTE, EVERY_BYTE],
      ['no key', null, Buffer.from('v')],
      ['an empty key, which is not none', new Uint8Array(0), Buffer.from('v')],
      ['no value', Buffer.from('k'), new Uint8Array(0)],
      ['a value of a megabyte', null, new Uint8Array(1_000_000).fill(0xff)],
    ])('come back as they were set aside: %s', async (_, key, value) => {
      const written = letter(3, 7, { key, value });
      await save([written]);
      const bytes = (one: Uint8Array | null): string | null => one && Buffer.from(one).toString('hex');
      const expected = { ...written, key: bytes(key), value: bytes(value), valueBytes: value.length, replayedAt: null };
      for (const found of [await store.deadLetters({ limit: 10 }), await store.deadLettersAt([{ partition: 3, offset: 7 }])]) {
        expect(found.map((one) => ({ ...one, key: bytes(one.key), value: bytes(one.value) }))).toEqual([expected]);
      }
    });

    it('are listed newest first, and the other way round, repeats once', async () => {
      await transport.command('SYSTEM STOP MERGES dead_letters');
      const letters = [letter(0, 4), letter(0, 9), letter(1, 4), letter(1, 5), letter(2, 1, { appendedAt: APPENDED_AT + 100 })];
      await save(letters);
      await save(letters.slice(1));
      expect(await placesOf({})).toEqual(['2/1', '0/9', '1/5', '1/4', '0/4']);
      expect(await placesOf({ oldestFirst: true })).toEqual(['0/4', '1/4', '1/5', '0/9', '2/1']);
      for (const limit of [1, 2, 3]) {
        const pages: string[][] = [];
        let page = await store.deadLetters({ limit });
        while (page.length > 0) {
          pages.push(page.map(placeOf));
          page = await store.deadLetters({ limit, before: page.at(-1)! });
        }
        // Full ones, whatever is there twice: a short page is taken for the last.
        const all = ['2/1', '0/9', '1/5', '1/4', '0/4'];
        const full = Array.from({ length: Math.ceil(all.length / limit) }, (_, index) => all.slice(index * limit, (index + 1) * limit));
        expect(pages, `pages of ${limit}`).toEqual(full);
      }
    });

    it('are found by reason, partition and time', async () => {
      await save([letter(0, 1), letter(0, 2, { reason: `it's` }), letter(1, 3), letter(1, 4, { reason: `it's` })]);
      expect(await placesOf({ reason: `it's` })).toEqual(['1/4', '0/2']);
      expect(await placesOf({ partition: 1 })).toEqual(['1/4', '1/3']);
      expect(await placesOf({ reason: 'malformed', partition: 0 })).toEqual(['0/1']);
      expect(await placesOf({ reason: 'nothing' })).toEqual([]);
      const before = { appendedAt: APPENDED_AT + 3, partition: 0, offset: 0 };
      expect(await placesOf({ before, oldestFirst: true })).toEqual(['0/1', '0/2']);
    });

    it('have their values cut off where asked, and say how long they are', async () => {
      await save([letter(0, 1, { value: EVERY_BYTE })]);
      const [found] = await store.deadLetters({ limit: 1, valueBytesMax: 10 });
      expect([[...found!.value], found!.valueBytes]).toEqual([[...EVERY_BYTE.subarray(0, 10)], 256]);
    });

    it('are read by place, and those that are not there are left out', async () => {
      await save([letter(0, 1), letter(0, 2), letter(1, 1)]);
      const places = [
        { partition: 1, offset: 1 },
        { partition: 0, offset: 2 },
        { partition: 1, offset: 2 },
        { partition: 7, offset: 2 ** 50 },
      ];
      expect((await store.deadLettersAt(places)).map(placeOf)).toEqual(['0/2', '1/1']);
      expect(await store.deadLettersAt([])).toEqual([]);
    });

    it('are open until they are replayed, and stay replayed when a checkpoint is repeated', async () => {
      const letters = [letter(0, 1), letter(0, 2), letter(1, 1), letter(1, 2)];
      await transport.command('SYSTEM STOP MERGES dead_letter_replays');
      await save(letters);
      // The latest of each is written first, second and last.
      const [open, first, second, last] = letters;
      for (const [letter, times] of [
        [first, [7000, 5000, 6000]],
        [second, [5000, 7000, 6000]],
        [last, [5000, 6000, 7000]],
      ] as const) {
        for (const at of times) await store.saveReplays([letter!], at);
      }
      await store.saveReplays([], 1);
      await save(letters);
      expect(await placesOf({ replayed: false })).toEqual([`${open!.partition}/${open!.offset}`]);
      expect(await placesOf({ replayed: true })).toEqual(['1/2', '0/2', '1/1']);
      const all = await store.deadLetters({ limit: 100 });
      expect(all.map((one) => [placeOf(one), one.replayedAt])).toEqual([
        ['1/2', 7000],
        ['0/2', 7000],
        ['1/1', 7000],
        ['0/1', null],
      ]);
    });

    it('set aside before keys were kept have none', async () => {
      await transport.command(
        `INSERT INTO dead_letters (partition, offset, appended_at, reason, detail, value) SETTINGS async_insert = 0 VALUES (0, 1, 0, 'malformed', '', 'v')`,
      );
      expect((await store.deadLettersAt([{ partition: 0, offset: 1 }]))[0]!.key).toBeNull();
    });
  });
}
