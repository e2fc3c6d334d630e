import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { RecordBlockBuilder, RecordReader } from '../record-block.ts';
import { batchHead, parseBatch } from './record-batch.ts';
import { batchOf, sealed } from './record-batch.samples.ts';

const corrupt = expect.objectContaining({ name: 'EventLogError', code: 'corrupt' });

describe('a record batch', () => {
  const part = fc.option(fc.uint8Array({ maxLength: 60 }));
  test.prop([fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 20 }), fc.nat()])('is read as it was written', (records, now) => {
    const builder = new RecordBlockBuilder();
    for (const [key, value] of records) builder.append(key, value);
    const bytes = Buffer.concat([
      batchHead({ count: records.length, now, records: builder.bytes() }),
      builder.bytes(),
      Buffer.from('next'),
    ]);
    const batch = parseBatch(bytes)!;
    expect(batch).toMatchObject({ baseOffset: 0, nextOffset: records.length, count: records.length, appendedAt: now, codec: 0 });
    expect(batch).toMatchObject({ transactional: false, control: false, byteLength: bytes.length - 4 });
    const reader = new RecordReader().open({ partition: 0, ...batch, bytes: batch.records });
    for (const [key, value] of records) {
      expect(reader.next()).toBe(true);
      expect(reader.keyStart < 0 ? null : batch.records.subarray(reader.keyStart, reader.keyEnd)).toEqual(key && Buffer.from(key));
      expect(reader.valueStart < 0 ? null : batch.records.subarray(reader.valueStart, reader.valueEnd)).toEqual(
        value && Buffer.from(value),
      );
    }
    expect(reader.next()).toBe(false);
  });

  test('has the offsets of the broker, and its time where the broker stamps', () => {
    expect(parseBatch(batchOf(['a', 'b'], { baseOffset: 2 ** 40, appendedAt: 1_700_000_000_000, attributes: 0x8 }))).toMatchObject({
      baseOffset: 2 ** 40,
      nextOffset: 2 ** 40 + 2,
      appendedAt: 1_700_000_000_000,
    });
  });

  test('that compaction has left holes in keeps its offsets', () => {
    expect(parseBatch(batchOf(['b'], { baseOffset: 10, lastOffsetDelta: 5 }))).toMatchObject({ baseOffset: 10, nextOffset: 16, count: 1 });
  });

  test.prop([fc.nat(200)])('that is cut off is none', (cut) => {
    const bytes = batchOf(['some', 'records', 'in', 'it', 'x'.repeat(100)]);
    fc.pre(cut < bytes.length);
    expect(parseBatch(bytes.subarray(0, cut))).toBeNull();
  });

  test.prop([fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'with any byte changed after its length is refused, but for what says where it is',
    (seed, change) => {
      const bytes = batchOf(['some', 'records']);
      // Offset and leader epoch are the broker's to write: they lie outside of the checksum, as does the length.
      const at = 16 + (seed % (bytes.length - 16));
      bytes[at]! ^= change;
      expect(() => parseBatch(bytes)).toThrow(corrupt);
    },
  );

  test.each([
    { what: 'format v0', change: (bytes: Buffer) => void (bytes[16] = 0), message: /v0.*older than Kafka 0\.11/ },
    { what: 'format v1', change: (bytes: Buffer) => void (bytes[16] = 1), message: /v1.*older than Kafka 0\.11/ },
    { what: 'format v3', change: (bytes: Buffer) => void (bytes[16] = 3), message: /v3.*newer Kafka/ },
    { what: 'a length below zero', change: (bytes: Buffer) => void bytes.writeInt32BE(-5, 8), message: /length of -5/ },
    { what: 'a length below its head', change: (bytes: Buffer) => void bytes.writeInt32BE(48, 8), message: /length of 48/ },
    { what: 'a base offset below zero', change: (bytes: Buffer) => void bytes.writeBigInt64BE(-1n, 0), message: /from offset -1/ },
    {
      what: 'an offset beyond all numbers',
      change: (bytes: Buffer) => void bytes.writeBigInt64BE(2n ** 60n, 0),
      message: /larger than any/,
    },
    { what: 'more records than offsets', change: (bytes: Buffer) => void sealed(bytes).writeInt32BE(3, 57), message: /3 records/ },
    { what: 'fewer records than none', change: (bytes: Buffer) => void sealed(bytes).writeInt32BE(-1, 57), message: /-1 records/ },
    { what: 'offsets that fall', change: (bytes: Buffer) => void sealed(bytes).writeInt32BE(-7, 23), message: /records from offset/ },
  ])('with $what is refused', ({ change, message }) => {
    const bytes = batchOf(['some', 'records']);
    change(bytes);
    if (bytes[16] === 2) sealed(bytes);
    expect(() => parseBatch(bytes)).toThrow(expect.objectContaining({ code: 'corrupt', message: expect.stringMatching(message) }));
  });

  test.prop([fc.uint8Array({ maxLength: 200 }), fc.boolean()])('of any bytes is read, none, or refused', (bytes, magic) => {
    const batch = Buffer.from(bytes);
    if (magic && batch.length > 16) batch[16] = 2;
    try {
      parseBatch(batch);
    } catch (cause) {
      expect(cause).toEqual(corrupt);
    }
  });
});
