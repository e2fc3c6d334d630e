import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { EventLogError } from './event-log.ts';
import type { RecordBlock } from './event-log.ts';
import { FRAME_BYTES_MAX, RecordBlockBuilder, RecordReader, blockFrom } from './record-block.ts';

interface PlainRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

function blockOf(records: readonly PlainRecord[], baseOffset = 100): RecordBlock {
  const builder = new RecordBlockBuilder(16);
  for (const { key, value } of records) builder.append(key, value);
  return blockAround(builder.bytes().slice(), builder.count, baseOffset);
}

function blockAround(bytes: Uint8Array, count: number, baseOffset = 100): RecordBlock {
  return { partition: 0, baseOffset, nextOffset: baseOffset + count, count, appendedAt: 0, bytes };
}

function readAll(block: RecordBlock): { offset: number; key: Uint8Array | null; value: Uint8Array | null }[] {
  const reader = new RecordReader().open(block);
  const part = (start: number, end: number) => (start < 0 ? null : block.bytes.slice(start, end));
  const records = [];
  while (reader.next()) {
    records.push({
      offset: reader.offset,
      key: part(reader.keyStart, reader.keyEnd),
      value: part(reader.valueStart, reader.valueEnd),
    });
  }
  return records;
}

/** Reads as far as the bytes allow, checking that no field ever points outside them. True when all of it could be read. */
function staysInside(block: RecordBlock): boolean {
  const reader = new RecordReader().open(block);
  try {
    while (reader.next()) {
      for (const [start, end] of [
        [reader.keyStart, reader.keyEnd],
        [reader.valueStart, reader.valueEnd],
      ] as const) {
        if (start === -1) expect(end).toBe(-1);
        else expect(0 <= start && start <= end && end <= block.bytes.length).toBe(true);
      }
      expect(reader.offset >= block.baseOffset && reader.offset < block.nextOffset).toBe(true);
    }
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(EventLogError);
    expect((error as EventLogError).code).toBe('corrupt');
    return false;
  }
}

const part = fc.option(
  fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 8_000, maxLength: 9_000 }) },
  ),
  { nil: null },
);
const records = fc.array(fc.record({ key: part, value: part }), { maxLength: 200 });

describe('the framing', () => {
  test.each([
    { what: 'key and value', key: bytesOf('k'), value: bytesOf('v'), frame: [16, 0, 0, 0, 2, 107, 2, 118, 0] },
    { what: 'a null key', key: null, value: bytesOf('v'), frame: [14, 0, 0, 0, 1, 2, 118, 0] },
    { what: 'a null value', key: bytesOf('k'), value: null, frame: [14, 0, 0, 0, 2, 107, 1, 0] },
    { what: 'empty key and value', key: bytesOf(''), value: bytesOf(''), frame: [12, 0, 0, 0, 0, 0, 0] },
  ])('of $what is that of a Kafka record', ({ key, value, frame }) => {
    expect([...blockOf([{ key, value }]).bytes]).toEqual(frame);
  });

  test('of a 64 byte value takes a length of two bytes', () => {
    expect([...blockOf([{ key: null, value: new Uint8Array(64) }]).bytes.subarray(0, 8)]).toEqual([142, 1, 0, 0, 0, 1, 128, 1]);
  });

  test('adds no more than FRAME_BYTES_MAX', () => {
    const value = new Uint8Array(300_000);
    const builder = new RecordBlockBuilder();
    for (let i = 0; i < 20_000; i++) builder.append(null, null);
    const before = builder.byteLength;
    builder.append(value, value);
    expect(builder.byteLength - before - 2 * value.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
  });
});

describe('building and reading', () => {
  property.prop([records, fc.nat(2 ** 50)])('gives back every record', (records, baseOffset) => {
    const expected = records.map(({ key, value }, index) => ({ offset: baseOffset + index, key, value }));
    expect(readAll(blockOf(records, baseOffset))).toEqual(expected);
  });

  test('takes values of up to a mebibyte', () => {
    const value = new Uint8Array(1024 * 1024).fill(7);
    expect(readAll(blockOf([{ key: null, value }]))).toEqual([{ offset: 100, key: null, value }]);
  });

  property.prop([records, records])('goes on as new after a reset', (first, second) => {
    const builder = new RecordBlockBuilder(16);
    for (const { key, value } of first) builder.append(key, value);
    builder.reset();
    for (const { key, value } of second) builder.append(key, value);
    expect(builder.count).toBe(second.length);
    expect(builder.bytes()).toEqual(blockOf(second).bytes);
  });

  test('steps over headers, timestamps and gaps between offsets', () => {
    // timestampDelta 300 and offsetDelta 4, one header "h" = null; then timestampDelta of ten bytes, offsetDelta 9.
    const first = [24, 0, 0xd8, 0x04, 8, 2, 107, 2, 118, 2, 2, 104, 1];
    const second = [32, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 18, 1, 2, 119, 0];
    const block = { ...blockAround(Uint8Array.from([...first, ...second]), 2), nextOffset: 110 };
    expect(readAll(block)).toEqual([
      { offset: 104, key: bytesOf('k'), value: bytesOf('v') },
      { offset: 109, key: null, value: bytesOf('w') },
    ]);
  });
});

describe('what is not well framed', () => {
  const huge = [0xfe, 0xff, 0xff, 0xff, 0x0f];
  test.each([
    { what: 'nothing where a record should be', bytes: [], count: 1 },
    { what: 'bytes after the last record', bytes: [12, 0, 0, 0, 0, 0, 0, 9], count: 1 },
    { what: 'an empty record', bytes: [0], count: 1 },
    { what: 'a negative length', bytes: [1, 0, 0, 0, 0, 0, 0], count: 1 },
    { what: 'a length of 2 GiB', bytes: [...huge, 0, 0, 0, 0, 0, 0], count: 1 },
    { what: 'a value and its record past the end', bytes: [16, 0, 0, 0, 0, 4, 1], count: 1 },
    { what: 'a length past the end', bytes: [14, 0, 0, 0, 0, 0, 0], count: 1 },
    { what: 'a length of six bytes', bytes: [128, 128, 128, 128, 128, 0], count: 1 },
    { what: 'a key of 2 GiB', bytes: [20, 0, 0, 0, ...huge, 0, 0], count: 1 },
    { what: 'a key length below -1', bytes: [12, 0, 0, 0, 3, 0, 0], count: 1 },
    { what: 'a value that reaches into the next record', bytes: [12, 0, 0, 0, 0, 2, 0, 12, 0, 0, 2, 0, 0, 0], count: 2 },
    { what: 'a value length below -1', bytes: [12, 0, 0, 0, 0, 3, 0], count: 1 },
    { what: 'a negative number of headers', bytes: [12, 0, 0, 0, 0, 0, 1], count: 1 },
    { what: 'bytes after the headers', bytes: [14, 0, 0, 0, 0, 0, 0, 0], count: 1 },
    { what: 'the same offset twice', bytes: [12, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0], count: 2 },
    { what: 'an offset before the block', bytes: [12, 0, 0, 1, 0, 0, 0], count: 1 },
    { what: 'an offset after the block', bytes: [12, 0, 0, 2, 0, 0, 0], count: 1 },
    { what: 'a timestamp without end', bytes: [28, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0], count: 1 },
  ])('is corrupt: $what', ({ bytes, count }) => {
    expect(staysInside(blockAround(Uint8Array.from(bytes), count))).toBe(false);
  });

  property.prop([records.filter((list) => list.length > 0), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })])(
    'a block cut short is never read to its end',
    (records, share) => {
      const block = blockOf(records);
      expect(staysInside({ ...block, bytes: block.bytes.subarray(0, Math.floor(block.bytes.length * share)) })).toBe(false);
    },
  );

  property.prop([records, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 })])(
    'flipped bits never lead outside the block',
    (records, flips) => {
      const block = blockOf(records);
      // The block lies inside a larger buffer, as blocks of a fetch do: one byte read too far would be somebody else's.
      const around = new Uint8Array(block.bytes.length + 64).fill(0x7f);
      const bytes = around.subarray(32, 32 + block.bytes.length);
      bytes.set(block.bytes);
      for (const [position, mask] of flips) if (bytes.length > 0) bytes[position % bytes.length]! ^= mask;
      staysInside({ ...block, bytes });
    },
  );

  property.prop([fc.uint8Array({ maxLength: 300 }), fc.nat(50)])('noise never leads outside the block', (bytes, count) => {
    staysInside(blockAround(bytes, count));
  });
});

describe('a block from an offset on', () => {
  property.prop([records, fc.integer({ min: -5, max: 210 })])(
    'holds the records at and above it, at their own offsets',
    (records, from) => {
      const block = blockOf(records, 1000);
      const trimmed = blockFrom(block, 1000 + from);
      const expected = readAll(block).filter(({ offset }) => offset >= 1000 + from);
      expect(readAll(trimmed)).toEqual(expected);
      expect(trimmed.count).toBe(expected.length);
      expect(trimmed.nextOffset).toBe(block.nextOffset);
    },
  );
});
