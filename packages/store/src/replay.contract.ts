import { defaultModel } from '@touchstone/engine';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { readContactRoles } from './contact-roles.ts';
import { APPENDED_AT, checkpointOf, entriesOf, leadAt, offsetsOf, touchAt } from './test-records.ts';
import { jsonRows } from './json-rows.ts';
import { replay } from './replay.ts';
import type { RowTransport } from './row-transport.ts';
import { WHOLE_TOUCH } from './touch-columns.ts';

/** Text that breaks careless escaping, splitting or decoding. */
const HOSTILE_TEXTS: readonly [description: string, text: string][] = [
  ['quotes', `it's "quoted" \`so\``],
  ['backslashes', String.raw`\N \n \0 \\ \x41 \'`],
  ['a NUL and line ends', 'a\0b\nc\rd\te'],
  ['two-, three- and four-byte characters', 'é ю ﷽ 漢 😀 👩‍👩‍👧‍👦'],
  ['a byte order mark first', '\uFEFFx'],
  ['placeholders and SQL', `{id:String} %s '; DROP TABLE touches; --`],
  ['a JSON line', '{"a":1}\n{"b":2}'],
  ['the longest id', 'x'.repeat(128)],
];

const LONG_URL = `https://example.com/${'%20é'.repeat(500)}`;

/** The part of the store's contract that makes ledgers: what a checkpoint stores is what a replay gives. */
export function describeReplay(name: string, open: () => Promise<RowTransport>): void {
  describe(`touches and facts on ${name}`, () => {
    let transport: RowTransport;
    let store: ClickHouseStore;

    beforeEach(async () => {
      transport = await open();
      store = new ClickHouseStore(transport);
      await store.migrate();
    });

    afterEach(() => store.close());

    const rowsOf = async <Row>(statement: string): Promise<Row[]> => jsonRows(await transport.read(`${statement} FORMAT JSONEachRow`));
    const replayed = (partition: number, before: number) => entriesOf(store.replay(partition, before));

    it('tells where touches since an instant begin', async () => {
      const entries = [3, 5, 8].map((offset, at) => ({ ...touchAt(offset), appendedAt: APPENDED_AT + 1000 * at }));
      await store.checkpoint([checkpointOf(store, entries, { offset: 9 })]);
      expect(await store.offsetSince(0, 0)).toBe(3);
      expect(await store.offsetSince(0, APPENDED_AT + 1000)).toBe(5);
      expect(await store.offsetSince(0, APPENDED_AT + 1001)).toBe(8);
      expect(await store.offsetSince(0, APPENDED_AT + 2001)).toBeNull();
      expect(await store.offsetSince(1, 0)).toBeNull();
    });

    it('tell the roles of contacts below an offset, each fact once and in their order, in any pages', async () => {
      const unknown = { email: null, title: null, seniority: null, consent: null };
      const said = [
        { offset: 2, id: 'ü', accountId: 'acme', role: 'user', updatedAt: 5000 },
        { offset: 4, id: "it's", accountId: 'ü', role: null, updatedAt: 1000 },
        { offset: 5, id: 'ü', accountId: 'acme', role: 'a "role"', updatedAt: 3000 },
        { offset: 8, id: 'late', accountId: 'acme', role: 'user', updatedAt: 9000 },
      ];
      const facts = said.map(({ offset, ...fact }) => {
        const appended = { partition: 0, offset, appendedAt: APPENDED_AT };
        return { ...appended, record: { type: 'contact' as const, ...unknown, ...fact } };
      });
      const entries = [...facts, touchAt(3), leadAt(6, 'lead')].toSorted((one, other) => one.offset - other.offset);
      for (let time = 0; time < 2; time++) await store.checkpoint([checkpointOf(store, entries, { offset: 9 })]);
      const expected = said.slice(0, 3).map(({ accountId, id, role, updatedAt }) => ({ accountId, contactId: id, role, updatedAt }));
      expect((await Array.fromAsync(store.contactRoles(0, 8))).flat()).toEqual(expected);
      for (const rows of [1, 2, 3]) {
        expect((await Array.fromAsync(readContactRoles(transport, 0, 8, rows))).flat(), `pages of ${rows}`).toEqual(expected);
      }
      expect(await Array.fromAsync(store.contactRoles(1, 8))).toEqual([]);
    });

    it.each(HOSTILE_TEXTS)('come back as they went in: %s', async (_, text) => {
      const everywhere = { id: text, accountId: text, contactId: text, channel: text, campaignId: text, creativeId: text, source: text };
      const entries = [
        touchAt(7, { ...everywhere, url: LONG_URL, minutes: 12.25, properties: { [text]: text, empty: '', 'k\0': LONG_URL } }),
        leadAt(8, text),
        {
          partition: 0,
          offset: 9,
          appendedAt: APPENDED_AT,
          record: { type: 'model' as const, model: { ...defaultModel, roles: { [text]: 2 } } },
        },
        touchAt(10),
      ];
      const deadLetter = {
        partition: 0,
        offset: 11,
        appendedAt: APPENDED_AT,
        reason: 'malformed',
        detail: text,
        key: null,
        value: Uint8Array.of(0, 255, 195, 10, 39),
      };
      await store.checkpoint([checkpointOf(store, entries, { deadLetters: [deadLetter] })]);
      expect(await replayed(0, 12)).toEqual(entries);
      expect(await rowsOf('SELECT offset, reason, detail, hex(value) AS value FROM dead_letters')).toEqual([
        { offset: 11, reason: 'malformed', detail: text, value: '00FFC30A27' },
      ]);
      expect(await store.timeline(text, 10)).toMatchObject([{ id: text, contactId: text, source: text, properties: { [text]: text } }]);
    });

    it('come back as they went in: any', async () => {
      const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
      const maybe = fc.option(text);
      const touch = fc.record({
        id: text,
        accountId: maybe,
        contactId: maybe,
        kind: text,
        channel: maybe,
        campaignId: maybe,
        creativeId: maybe,
        url: fc.option(fc.string({ unit: 'binary', minLength: 1, maxLength: 2048 })),
        source: maybe,
        occurredAt: fc.integer({ min: -1e12, max: 4e12 }),
        minutes: fc.double({ min: 0, max: 1440, noNaN: true, noDefaultInfinity: true }),
        properties: fc.dictionary(text, fc.string({ unit: 'binary', maxLength: 300 }), { maxKeys: 32 }),
      });
      let partition = 65_536;
      await fc.assert(
        fc.asyncProperty(fc.array(touch, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2 ** 50 }), async (touches, base) => {
          // Its own each time: small numbers come again and again, and what stands at an offset never changes.
          partition--;
          const entries = touches.map((record, index) => ({ partition, offset: base + index, appendedAt: APPENDED_AT, record }));
          await store.checkpoint([checkpointOf(store, entries)]);
          const stored = await entriesOf(store.replay(partition, base + entries.length, { from: base }));
          expect(stored.map(withNoPrototypes)).toEqual(entries.map(withNoPrototypes));
        }),
        { numRuns: 10 },
      );
    });

    it('of several partitions go in by one checkpoint and come out by partition, in the order of the log', async () => {
      const first = [touchAt(0, {}, 3), leadAt(1, 'a', 3), leadAt(2, 'b', 3), touchAt(5, {}, 3), touchAt(9, {}, 3), leadAt(12, 'c', 3)];
      const second = [leadAt(0, 'd', 1), touchAt(4, {}, 1)];
      await store.checkpoint([checkpointOf(store, first), checkpointOf(store, second)]);
      expect(await replayed(3, 100)).toEqual(first);
      expect(await replayed(1, 100)).toEqual(second);
      expect(await replayed(2, 100)).toEqual([]);
    });

    it('are replayed from `from` to below `before`, and only what was asked for', async () => {
      const entries = [touchAt(0), leadAt(3), touchAt(4, { url: 'u', channel: 'c', properties: { k: 'v' } }), touchAt(6), leadAt(7)];
      await store.checkpoint([checkpointOf(store, entries)]);
      expect(offsetsOf(await replayed(0, 7))).toEqual([0, 3, 4, 6]);
      expect(offsetsOf(await replayed(0, 0))).toEqual([]);
      expect(offsetsOf(await entriesOf(store.replay(0, 7, { from: 3 })))).toEqual([3, 4, 6]);
      expect(offsetsOf(await entriesOf(store.replay(0, 7, { from: 7 })))).toEqual([]);
      const [narrow] = await entriesOf(store.replay(0, 5, { from: 4, fields: ['channel'] }));
      expect(narrow).toEqual(touchAt(4, { channel: 'c' }));
    });

    it('leave one row each when the same checkpoint is written again, whole or in part', async () => {
      const entries = [touchAt(0), touchAt(1), leadAt(2), touchAt(3), leadAt(4)];
      await transport.command('SYSTEM STOP MERGES touches');
      await store.checkpoint([checkpointOf(store, entries)]);
      const once = [await replayed(0, 9), await store.timeline('acme.example', 9), await store.positions()];
      await store.checkpoint([checkpointOf(store, entries)]);
      await store.checkpoint([checkpointOf(store, entries.slice(1, 4))]);
      await store.checkpoint([checkpointOf(store, entries)]);
      expect([await replayed(0, 9), await store.timeline('acme.example', 9), await store.positions()]).toEqual(once);
      await store.checkpoint([checkpointOf(store, [...entries.slice(3), touchAt(5)])]);
      expect(offsetsOf(await replayed(0, 9))).toEqual([0, 1, 2, 3, 4, 5]);
      await transport.command('SYSTEM START MERGES touches');
      await transport.command('OPTIMIZE TABLE touches FINAL');
      expect(await rowsOf('SELECT count() AS rows FROM touches')).toEqual([{ rows: 4 }]);
      expect(offsetsOf(await replayed(0, 9))).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it('are replayed in pages, whatever their sizes and the gaps between them', async () => {
      const offsets = Array.from({ length: 1500 }, (_, index) => (index < 700 ? index : index * 1000));
      const entries = offsets.map((offset, index) =>
        index % 7 === 0 ? leadAt(offset) : touchAt(offset, { properties: { k: 'x'.repeat(index > 1000 && index < 1040 ? 1024 : 1) } }),
      );
      await store.checkpoint([checkpointOf(store, entries)]);
      await store.checkpoint([checkpointOf(store, entries.slice(300, 900))]);
      const pages = replay(
        transport,
        { partition: 0, from: 0, before: 1e9, layout: WHOLE_TOUCH },
        { firstOffsets: 50, bytes: 10_000, bytesMax: 30_000, facts: 40 },
      );
      let runs = 0;
      const found: number[] = [];
      for await (const run of pages) {
        runs++;
        while (run.next()) found.push(run.offset);
      }
      expect(found).toEqual(offsets);
      expect(runs).toBeGreaterThan(20);
    });

    it('are no more at a time where facts follow facts, with hardly a touch among them', async () => {
      const entries = Array.from({ length: 3000 }, (_, offset) => (offset % 1000 === 999 ? touchAt(offset) : leadAt(offset)));
      await store.checkpoint([checkpointOf(store, entries)]);
      const sizes = { firstOffsets: 50, bytes: 10_000, bytesMax: 30_000, facts: 40 };
      const given: number[] = [];
      let found = 0;
      for await (const run of replay(transport, { partition: 0, from: 0, before: 3000, layout: WHOLE_TOUCH }, sizes)) {
        const before = found;
        while (run.next()) found++;
        given.push(found - before);
      }
      expect(found).toBe(3000);
      expect(Math.max(...given)).toBeLessThanOrEqual(41);
    });

    it('a replay may be left before its end', async () => {
      await store.checkpoint([
        checkpointOf(
          store,
          Array.from({ length: 100 }, (_, offset) => touchAt(offset)),
        ),
      ]);
      const sizes = { firstOffsets: 10, bytes: 1000, bytesMax: 100_000, facts: 10 };
      for await (const run of replay(transport, { partition: 0, from: 0, before: 100, layout: WHOLE_TOUCH }, sizes)) {
        expect(run.next()).toBe(true);
        break;
      }
      expect(await replayed(0, 100)).toHaveLength(100);
    });
  });
}

/** A `__proto__` among random keys is an own one on both sides, but `toEqual` would look past it. */
function withNoPrototypes(entry: unknown): string {
  return JSON.stringify(entry);
}
