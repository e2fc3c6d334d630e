import type { Api } from './api.ts';

export interface FetchRequest {
  readonly topic: string;
  /** 32 hex digits. */
  readonly topicId: string;
  readonly maxWaitMs: number;
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
  readonly partitions: readonly { readonly partition: number; readonly offset: number }[];
}

export interface FetchResponse {
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Offset after the last record that is on all replicas. */
  readonly highWatermark: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last perhaps cut off: a view of the answer. */
  readonly records: Buffer | null;
}

const READ_COMMITTED = 1;

/**
 * Whole requests instead of fetch sessions: what is asked for changes with every request, because busy partitions are left out.
 * Version 13 names the topic by its id, so that a topic made anew is never read in place of the former one. Brokers before Kafka 3.1 know
 * version 11 at most; there only the metadata, looked at from time to time, tells.
 */
function fetchOf(version: 11 | 13): Api<FetchRequest, FetchResponse> {
  const flexible = version >= 12;
  return {
    name: 'Fetch',
    key: 1,
    version,
    flexible,
    encode(writer, request) {
      writer.int32(-1).int32(request.maxWaitMs).int32(1).int32(request.bytesMax).int8(READ_COMMITTED).int32(0).int32(-1).count(1);
      if (version === 13) writer.raw(Buffer.from(request.topicId, 'hex'));
      else writer.text(request.topic);
      writer.count(request.partitions.length);
      for (const { partition, offset } of request.partitions) {
        writer.int32(partition).int32(-1).int64(offset);
        if (flexible) writer.int32(-1);
        writer.int64(-1).int32(request.partitionBytesMax).tags();
      }
      writer.tags().count(0).text('').tags();
    },
    decode(reader) {
      reader.int32();
      const errorCode = reader.int16();
      reader.int32();
      const topics = reader.list(6, () => {
        if (version === 13) reader.uuid();
        else reader.text();
        const partitions = reader.list(36, () => {
          const [partition, partitionError, highWatermark] = [reader.int32(), reader.int16(), reader.int64()];
          reader.int64();
          reader.int64();
          const aborted = reader.list(16, () => {
            const transaction = { producerId: reader.bigint64(), firstOffset: reader.int64() };
            reader.tags();
            return transaction;
          });
          reader.int32();
          const records = reader.nullableBytes();
          reader.tags();
          return { partition, errorCode: partitionError, highWatermark, aborted, records };
        });
        reader.tags();
        return partitions;
      });
      return { errorCode, partitions: topics.flat() };
    },
  };
}

export const fetchByName = fetchOf(11);
export const fetchById = fetchOf(13);
