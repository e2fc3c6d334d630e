import { fc, test } from '@fast-check/vitest';
import { defaultModel, FIELD, PartitionLedgers, RECORD, replay, RescoredSums, TouchBatch, viewOf } from '@touchstone/engine';
import { EntryRun } from '@touchstone/testkit';
import { describe, expect, it } from 'vitest';
import { NativeBytes, TextColumn } from './native-bytes.ts';
import { columnsAsked, TouchColumnReader } from './touch-column-reader.ts';
import { StoredRun } from './stored-run.ts';
import { touchLayout } from './touch-columns.ts';

const LAYOUT = touchLayout(['channel'], false);
const OFFSETS = [5, 6, 8];

/** An answer as ClickHouse makes it; accounts and channels by a dictionary whose numbers have so many bytes. */
function answer({
  offsets = OFFSETS,
  width = 1,
  of = ['acme', 'umbrella', ''],
}: { offsets?: number[]; width?: 1 | 2 | 4; of?: string[] } = {}): Buffer {
  const int64 = (values: number[]): Buffer => Buffer.from(BigInt64Array.from(values, BigInt).buffer);
  const text = (value: string): Buffer => Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]);
  const texts = (values: string[]): Buffer => Buffer.concat(values.map(text));
  const numbered = (values: string[]): Buffer => {
    const entries = ['', ...new Set(values.filter((value) => value !== ''))];
    const numbers = Buffer.alloc(values.length * width);
    for (const [row, value] of values.entries()) numbers.writeUIntLE(entries.indexOf(value), row * width, width);
    return Buffer.concat([int64([1, Math.log2(width) | 0x600, entries.length]), texts(entries), int64([values.length]), numbers]);
  };
  const rows = offsets.map((_, row) => row);
  const columns: [name: string, type: string, values: Buffer][] = [
    ['offset', 'UInt64', int64(offsets)],
    ['appended_at', "DateTime64(3, 'UTC')", int64(rows.map((row) => 1000 + row))],
    ['occurred_at', "DateTime64(3, 'UTC')", int64(rows.map((row) => row - 1))],
    ['minutes', 'Float64', Buffer.from(Float64Array.from(rows, (row) => row / 4).buffer)],
    ['account_id', 'LowCardinality(String)', numbered(rows.map((row) => of[row % of.length]!))],
    ['contact_id', 'String', texts(rows.map((row) => 'é'.repeat(row * 50)))],
    ['kind', 'LowCardinality(String)', numbered(rows.map(() => 'meeting'))],
    ['channel', 'LowCardinality(String)', numbered(rows.map((row) => (row === 1 ? 'email' : '')))],
  ];
  return Buffer.concat([
    varint(columns.length),
    varint(offsets.length),
    ...columns.flatMap(([name, type, values]) => [text(name), text(type), rows.length === 0 ? Buffer.of() : values]),
  ]);
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.of((value & 127) | 128, value >> 7);
}

function touchesIn(bytes: Uint8Array, reader = new TouchColumnReader(LAYOUT)): unknown[] {
  reader.open(bytes);
  const found: unknown[] = [];
  while (reader.next()) {
    const { touch } = reader;
    const text = (field: keyof typeof FIELD) => touch.text(FIELD[field]);
    found.push([reader.offset, reader.appendedAt, touch.occurredAt, touch.minutes, text('accountId'), text('contactId'), text('channel')]);
  }
  return found;
}

const EXPECTED = [
  [5, 1000, -1, 0, 'acme', null, null],
  [6, 1001, 0, 0.25, 'umbrella', 'é'.repeat(50), 'email'],
  [8, 1002, 1, 0.5, null, 'é'.repeat(100), null],
];

describe('blocks of columns', () => {
  it.each([1, 2, 4] as const)('are read row by row, whose dictionaries have numbers of %i bytes', (width) => {
    expect(touchesIn(answer({ width }))).toEqual(EXPECTED);
  });

  it('follow one another, and may be empty', () => {
    const reader = new TouchColumnReader(LAYOUT);
    expect(touchesIn(Buffer.concat([answer(), answer({ offsets: [] }), answer({ offsets: [9], of: ['later'] })]), reader)).toEqual([
      ...EXPECTED,
      [9, 1000, -1, 0, 'later', null, null],
    ]);
    expect(touchesIn(new Uint8Array(0), reader)).toEqual([]);
    expect(touchesIn(answer(), reader)).toEqual(EXPECTED);
  });

  it('have equal texts of a dictionary in one place', () => {
    const reader = new TouchColumnReader(LAYOUT);
    reader.open(answer({ of: ['acme'] }));
    const places = new Set<number>();
    while (reader.next()) places.add(reader.touch.start[FIELD.accountId]!);
    expect(places.size).toBe(1);
  });

  it('that end in their midst are no shorter answer, wherever they are cut', () => {
    const whole = answer();
    for (let length = 1; length < whole.length; length++) {
      // A copy: behind a view of the whole there would be more bytes to read.
      expect(() => touchesIn(Uint8Array.from(whole.subarray(0, length))), `${length} bytes`).toThrow('end before the last one is whole');
    }
  });

  it('that say more texts than there are bytes are given no room for them', () => {
    const bytes = answer();
    const dictionary = bytes.indexOf(Buffer.from(BigInt64Array.of(1n, 0x600n).buffer)) + 16;
    bytes.writeUInt32LE(0xffffffff, dictionary);
    expect(() => touchesIn(bytes)).toThrow('end before the last one is whole');
    const column = new TextColumn();
    expect(() => column.read(new NativeBytes(new Uint8Array(2000)), 1e7, 'String')).toThrow('end before the last one is whole');
    expect(column.start.length).toBeLessThan(2000);
  });

  it('of other columns are something else', () => {
    const other = answer();
    other[3] = 'O'.charCodeAt(0);
    expect(() => touchesIn(other)).toThrow('something else among the rows');
    expect(() => touchesIn(Buffer.from('Code: 241. DB::Exception: Memory limit'))).toThrow('something else among the rows');
  });

  it('are asked for without the partition, with accounts by a dictionary for who looks them up', () => {
    expect(columnsAsked(LAYOUT, false)).toBe('offset, appended_at, occurred_at, minutes, account_id, contact_id, kind, channel');
    expect(columnsAsked(LAYOUT, true)).toContain('toLowCardinality(account_id) AS account_id');
  });
});

describe('touches taken as columns', () => {
  /** What a run gives, text by text; by columns wherever it has them, if `inColumns`. */
  function given(bytes: Uint8Array, factOffsets: readonly number[], inColumns: boolean): unknown[] {
    const run = new StoredRun(0, new TouchColumnReader(LAYOUT));
    run.open(
      bytes,
      factOffsets.map((offset) => ({ offset, appendedAt: 7, type: 'account', body: '{}' })),
    );
    const batch = new TouchBatch();
    const seen: unknown[] = [];
    const textsOf = (): unknown[] => [FIELD.accountId, FIELD.kind, FIELD.contactId, FIELD.channel].map((field) => run.touch.text(field));
    const kinds = new Map<number, string>();
    for (;;) {
      const count = inColumns ? run.takeTouches(batch) : 0;
      for (let i = 0; i < count; i++) {
        run.pointAt(i);
        const { touch } = run;
        expect([touch.occurredAt, touch.minutes]).toEqual([batch.occurredAt[i], batch.minutes[i]]);
        for (const { end, field, start } of batch.texts) {
          const place = start[i]! < 0 ? [-1] : [start[i], end[i]];
          expect(place).toEqual(touch.start[field]! < 0 ? [-1] : [touch.start[field], touch.end[field]]);
        }
        // An entry stands for one text.
        expect(kinds.get(batch.kindEntry[i]!) ?? touch.text(FIELD.kind)).toBe(touch.text(FIELD.kind));
        kinds.set(batch.kindEntry[i]!, touch.text(FIELD.kind)!);
        seen.push([batch.offset[i], batch.now[i], touch.occurredAt, touch.minutes, ...textsOf()]);
      }
      if (count > 0) continue;
      if (!run.next()) return seen;
      const { appendedAt, kind, offset, touch } = run;
      seen.push(kind === RECORD.fact ? ['fact', offset] : [offset, appendedAt, touch.occurredAt, touch.minutes, ...textsOf()]);
    }
  }

  const steps = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 700 });
  test.prop([fc.array(steps, { maxLength: 4 }), fc.uniqueArray(fc.nat(1500), { maxLength: 30 })])(
    'are those that come one by one, between the same facts, each once',
    (blocks, facts) => {
      let offset = 1;
      const touched = blocks.map((block) => block.map((step) => (offset += step)));
      const isTouch = new Set(touched.flat());
      const factOffsets = facts.filter((at) => !isTouch.has(at)).toSorted((a, b) => a - b);
      const bytes = Buffer.concat(touched.map((offsets) => answer({ offsets })));
      expect(given(bytes, factOffsets, true)).toEqual(given(bytes, factOffsets, false));
    },
  );

  it('count for their own account behind a block that ends with a touch that is there twice', async () => {
    const nothing = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null, properties: {} };
    const entries = ['acme', 'umbrella'].map((accountId, offset) => ({
      partition: 0,
      offset,
      appendedAt: 1000,
      record: { ...nothing, id: `touch-${offset}`, accountId, kind: 'meeting', occurredAt: 999, minutes: 0 },
    }));
    const live = new PartitionLedgers(0, defaultModel);
    const run = new EntryRun(0, entries);
    while (run.next()) live.apply(run, false);
    const sums = new RescoredSums(live, defaultModel);
    const stored = new StoredRun(0, new TouchColumnReader(LAYOUT));
    stored.open(Buffer.concat([answer({ offsets: [0, 0], of: ['acme'] }), answer({ offsets: [1], of: ['umbrella'] })]), []);
    await replay(pages(stored), sums);
    sums.takeOver();
    expect([0, 1].map((account) => viewOf(live, account, 1000).points)).toEqual([expect.closeTo(30), expect.closeTo(30)]);
  });

  it('are not taken out of order', () => {
    expect(() => given(answer({ offsets: [5, 4] }), [], true)).toThrow('Offset 4 of partition 0 came after 5');
  });
});

async function* pages(...runs: StoredRun[]): AsyncGenerator<StoredRun> {
  yield* runs;
}
