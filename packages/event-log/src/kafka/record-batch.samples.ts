import { RecordBlockBuilder } from '../record-block.ts';
import { crc32c } from '@node-rs/crc32';
import { BATCH_HEAD_BYTES, batchHead } from './record-batch.ts';

export interface SampleBatch {
  readonly baseOffset?: number;
  readonly appendedAt?: number;
  /** Compression, kind of time, transactional, control: as Kafka has them. */
  readonly attributes?: number;
  readonly lastOffsetDelta?: number;
  readonly producerId?: bigint;
  readonly compress?: (records: Buffer) => Uint8Array;
}

/** A record batch as a broker would send it, of records without keys. For tests. */
export function batchOf(values: readonly (string | { readonly key: Buffer })[], options: SampleBatch = {}): Buffer {
  const { baseOffset = 0, appendedAt = 0, attributes = 0, lastOffsetDelta, producerId = -1n, compress = (bytes) => bytes } = options;
  const builder = new RecordBlockBuilder();
  for (const value of values) {
    if (typeof value === 'string') builder.append(null, Buffer.from(value));
    else builder.append(value.key, null);
  }
  const records = compress(Buffer.from(builder.bytes()));
  const bytes = Buffer.concat([batchHead({ count: values.length, now: appendedAt, records }), records]);
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  bytes.writeInt16BE(attributes, 21);
  if (lastOffsetDelta !== undefined) bytes.writeInt32BE(lastOffsetDelta, 23);
  bytes.writeBigInt64BE(producerId, 43);
  return sealed(bytes);
}

/** The key of a control record: 0 ends an aborted transaction, 1 a committed one. */
export function endOf(outcome: 'aborted' | 'committed'): { readonly key: Buffer } {
  return { key: Buffer.from([0, 0, 0, outcome === 'aborted' ? 0 : 1]) };
}

/** The same bytes, with the checksum that they need. */
export function sealed(bytes: Buffer): Buffer {
  if (bytes.length >= BATCH_HEAD_BYTES) bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}
