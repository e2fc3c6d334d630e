import { FIELD, RECORD, TouchCursor } from '@touchstone/engine';
import { EntryRun } from '@touchstone/testkit';
import type { GeneratedEntry } from '@touchstone/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APPENDED_AT, entryOf, PLAIN_TOUCH, touchAt } from './test-records.ts';
import { StoredRun } from './stored-run.ts';
import { touchLayout, WHOLE_TOUCH } from './touch-columns.ts';
import { TouchRowReader } from './touch-row-reader.ts';
import { TouchRowArena } from './touch-rows.ts';

function rowsOf(entries: readonly GeneratedEntry[]): TouchRowArena {
  const rows = new TouchRowArena(0);
  const run = new EntryRun(0, entries);
  while (run.next()) rows.add(run.offset, run.appendedAt, run.touch);
  return rows;
}

function entriesIn(bytes: Uint8Array): GeneratedEntry[] {
  const run = new StoredRun(0, new TouchRowReader(WHOLE_TOUCH));
  run.open(bytes, []);
  const entries: GeneratedEntry[] = [];
  while (run.next()) entries.push(entryOf(run));
  return entries;
}

describe('rows of touches', () => {
  it('are read as they were written, over many chunks', () => {
    const lengths = [0, 1, 39, 40, 41, 127, 128, 129, 2048, 16_383, 16_384, 70_000];
    const entries = Array.from({ length: 3000 }, (_, index) => {
      const text = 'é'.repeat(lengths[index % lengths.length]! / 2);
      return touchAt(index * 2 ** 38, {
        url: text || null,
        minutes: index / 7,
        occurredAt: APPENDED_AT - index,
        properties: { [`k${index}`]: text },
      });
    });
    const rows = rowsOf(entries);
    expect(rows.count).toBe(entries.length);
    expect(rows.chunks().length).toBeGreaterThan(10);
    const bytes = Buffer.concat(rows.chunks());
    expect(rows.byteLength).toBe(bytes.length);
    expect(entriesIn(bytes)).toEqual(entries);
  });

  it('keep every safe offset and any time', () => {
    const safe = fc.maxSafeNat();
    const time = fc.integer({ min: -8.64e15, max: 8.64e15 });
    fc.assert(
      fc.property(safe, time, time, (offset, appendedAt, occurredAt) => {
        const touch = new TouchCursor();
        touch.occurredAt = occurredAt;
        const rows = new TouchRowArena(65_535);
        rows.add(offset, appendedAt, touch);
        const reader = new TouchRowReader(WHOLE_TOUCH);
        reader.open(rows.chunks()[0]!);
        expect(reader.next()).toBe(true);
        expect([reader.offset, reader.appendedAt, reader.touch.occurredAt]).toEqual([offset, appendedAt, occurredAt]);
        expect(Object.values(FIELD).map((field) => reader.touch.has(field))).not.toContain(true);
        expect(reader.next()).toBe(false);
      }),
    );
  });

  it('that end before the last is whole are no shorter answer, wherever they are cut', () => {
    const whole = Buffer.concat(rowsOf([touchAt(0), touchAt(1, { url: 'u'.repeat(300), properties: { a: 'b' } })]).chunks());
    const first = Buffer.concat(rowsOf([touchAt(0)]).chunks()).length;
    for (let length = 1; length < whole.length; length++) {
      if (length === first) continue;
      // A copy: behind a view of the whole there would be more bytes to read.
      expect(() => entriesIn(Uint8Array.from(whole.subarray(0, length))), `${length} bytes`).toThrow('end before the last one is whole');
    }
    expect(entriesIn(whole)).toHaveLength(2);
  });

  it('that end in their last text are none either, in a layout without properties', () => {
    const reader = new TouchRowReader(touchLayout(['channel', 'campaignId', 'creativeId', 'url', 'source']));
    const row = Buffer.concat(rowsOf([touchAt(0, { source: 'crm' })]).chunks()).subarray(0, -1);
    reader.open(row);
    expect(reader.next()).toBe(true);
    expect(reader.next()).toBe(false);
    reader.open(Uint8Array.from(row.subarray(0, -1)));
    expect(() => reader.next()).toThrow('end before the last one is whole');
  });

  it('leave out what a layout has not', () => {
    const { columns, textFields, hasProperties } = touchLayout(['url']);
    expect(columns.map(({ name }) => name)).toEqual([
      'partition',
      'offset',
      'appended_at',
      'occurred_at',
      'minutes',
      'id',
      'account_id',
      'contact_id',
      'kind',
      'url',
    ]);
    expect([...textFields]).toEqual([FIELD.id, FIELD.accountId, FIELD.contactId, FIELD.kind, FIELD.url]);
    expect(hasProperties).toBe(false);
  });
});

describe('a stored run', () => {
  const fact = (offset: number) => ({
    offset,
    appendedAt: APPENDED_AT,
    type: 'lead',
    body: JSON.stringify({ type: 'lead', id: `f${offset}` }),
  });

  it('merges by offset, and gives repeats of either kind once', () => {
    const run = new StoredRun(0, new TouchRowReader(WHOLE_TOUCH));
    const given: string[] = [];
    const read = () => {
      while (run.next())
        given.push(run.kind === RECORD.touch ? `t${run.offset}:${run.touch.text(FIELD.id)}` : `f${run.offset}:${run.fact?.id}`);
    };
    const touches = [1, 1, 4, 5, 5, 5].map((offset) => touchAt(offset, { id: `id${offset}` }));
    run.open(Buffer.concat(rowsOf(touches).chunks()), [0, 0, 2, 3, 3, 7].map(fact));
    read();
    run.open(Buffer.concat(rowsOf([touchAt(8, { ...PLAIN_TOUCH, id: 'id8' })]).chunks()), []);
    read();
    run.open(new Uint8Array(0), [9, 9].map(fact));
    read();
    expect(given).toEqual(['f0:f0', 't1:id1', 'f2:f2', 'f3:f3', 't4:id4', 't5:id5', 'f7:f7', 't8:id8', 'f9:f9']);
  });

  it('stops at rows out of order', () => {
    const run = new StoredRun(0, new TouchRowReader(WHOLE_TOUCH));
    run.open(Buffer.concat(rowsOf([touchAt(5), touchAt(4)]).chunks()), []);
    expect(run.next()).toBe(true);
    expect(() => run.next()).toThrow('Offset 4 of partition 0 came after 5');
  });
});
