import { crc32c } from '@node-rs/crc32';
import { EventLogError } from '../event-log.ts';

/**
 * The head of a record batch, format v2, in which Kafka stores and sends records. What follows it are records as `RecordReader` reads them,
 * compressed or not:
 *
 *      0 baseOffset int64 | 8 length int32, of what follows | 12 leaderEpoch int32 | 16 magic int8 | 17 crc int32, of what follows
 *     21 attributes int16 | 23 lastOffsetDelta int32 | 27 baseTimestamp int64 | 35 maxTimestamp int64 | 43 producerId int64
 *     51 producerEpoch int16 | 53 baseSequence int32 | 57 count int32 | 61 records
 */
export const BATCH_HEAD_BYTES = 61;
/** Bytes before those that `length` counts. */
const LENGTH_END = 12;
const CRC_END = 21;
const MAGIC_AT = 16;
const COMPRESSION_MASK = 0x7;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

export interface RecordBatch {
  readonly baseOffset: number;
  /** Offset after the batch's last one; compaction may have taken the records before it. */
  readonly nextOffset: number;
  readonly count: number;
  /** Epoch ms: the broker's clock at the append where the topic says so, else the newest of what the producers said. */
  readonly appendedAt: number;
  /** See `decompress`. */
  readonly codec: number;
  readonly transactional: boolean;
  /** Holds no records for readers, but the end of a transaction. */
  readonly control: boolean;
  readonly producerId: bigint;
  /** As they came: a view of what was parsed. */
  readonly records: Buffer;
  /** Bytes of the whole batch. */
  readonly byteLength: number;
}

/**
 * The batch at the beginning of `bytes`; null where it is cut off, as the last one of a fetch may be. A partition's bytes may begin with a
 * batch that begins before the offset asked for.
 * @throws EventLogError `corrupt`
 */
export function parseBatch(bytes: Buffer): RecordBatch | null {
  if (bytes.length <= MAGIC_AT) return null;
  const magic = bytes[MAGIC_AT]!;
  if (magic !== 2) {
    throw new EventLogError(
      'corrupt',
      `a record batch has format v${magic}, only v2 can be read: ` +
        (magic < 2 ? 'it was written by a producer older than Kafka 0.11' : 'a newer Kafka wrote it'),
    );
  }
  const length = bytes.readInt32BE(8);
  if (length < BATCH_HEAD_BYTES - LENGTH_END) throw corrupt(`a length of ${length}`);
  const byteLength = LENGTH_END + length;
  if (byteLength > bytes.length) return null;
  const batch = bytes.subarray(0, byteLength);
  if (crc32c(batch.subarray(CRC_END)) !== batch.readUInt32BE(17)) throw corrupt('a checksum that does not fit');

  const attributes = batch.readInt16BE(21);
  const baseOffset = int64(batch, 0);
  const lastOffsetDelta = batch.readInt32BE(23);
  const count = batch.readInt32BE(57);
  if (baseOffset < 0 || lastOffsetDelta < 0 || count < 0 || count > lastOffsetDelta + 1) {
    throw corrupt(`${count} records from offset ${baseOffset} to ${baseOffset + lastOffsetDelta}`);
  }
  return {
    baseOffset,
    nextOffset: baseOffset + lastOffsetDelta + 1,
    count,
    appendedAt: int64(batch, 35),
    codec: attributes & COMPRESSION_MASK,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    producerId: batch.readBigInt64BE(43),
    records: batch.subarray(BATCH_HEAD_BYTES),
    byteLength,
  };
}

/** The offset after the last whole batch, by the heads alone; null where there is none, or what follows can not be told. */
export function endOfBatches(bytes: Buffer): number | null {
  let end: number | null = null;
  for (let at = 0; at + BATCH_HEAD_BYTES <= bytes.length;) {
    const length = LENGTH_END + bytes.readInt32BE(at + 8);
    if (bytes[at + MAGIC_AT] !== 2 || length < BATCH_HEAD_BYTES || at + length > bytes.length) break;
    end = bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4) + bytes.readInt32BE(at + 23) + 1;
    at += length;
  }
  return end;
}

export interface BatchToWrite {
  readonly count: number;
  /** Wall clock, epoch ms; the broker puts its own in place where the topic says so. */
  readonly now: number;
  readonly records: Uint8Array;
  /** Of `records`; see `decompress`. 0 for none. */
  readonly codec?: number;
}

/** The head for records that begin at offset delta 0 with no gaps, from no idempotent producer. */
export function batchHead({ count, now, records, codec = 0 }: BatchToWrite): Buffer {
  const head = Buffer.alloc(BATCH_HEAD_BYTES);
  head.writeInt32BE(BATCH_HEAD_BYTES - LENGTH_END + records.length, 8);
  head.writeInt32BE(-1, 12);
  head[MAGIC_AT] = 2;
  head.writeInt16BE(codec, 21);
  head.writeInt32BE(count - 1, 23);
  head.writeBigInt64BE(BigInt(now), 27);
  head.writeBigInt64BE(BigInt(now), 35);
  head.writeBigInt64BE(-1n, 43);
  head.writeInt16BE(-1, 51);
  head.writeInt32BE(-1, 53);
  head.writeInt32BE(count, 57);
  head.writeUInt32BE(crc32c(records, crc32c(head.subarray(CRC_END))), 17);
  return head;
}

function int64(bytes: Buffer, at: number): number {
  const value = bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
  if (!Number.isSafeInteger(value)) throw corrupt('a number larger than any offset or time');
  return value;
}

function corrupt(what: string): EventLogError {
  return new EventLogError('corrupt', `a record batch has ${what}`);
}
