import type { Api } from './api.ts';

export interface ProduceRequest {
  readonly timeoutMs: number;
  readonly topics: ReadonlyMap<string, readonly ProducedBatch[]>;
}

/** A record batch in two parts, so that the records need not be copied together with their header before they are sent. */
export interface ProducedBatch {
  readonly partition: number;
  readonly header: Uint8Array;
  readonly records: Uint8Array;
}

export interface ProduceResult {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

const ALL_REPLICAS = -1;

/** Without producer ids: see `AppendQueue` for why a batch may be written twice. */
export const produce: Api<ProduceRequest, readonly ProduceResult[]> = {
  name: 'Produce',
  key: 0,
  version: 7,
  flexible: false,
  sizeOf({ topics }) {
    let bytes = 1024;
    for (const batches of topics.values()) for (const { header, records } of batches) bytes += 8 + header.length + records.length;
    return bytes;
  },
  encode(writer, { timeoutMs, topics }) {
    writer.text(null).int16(ALL_REPLICAS).int32(timeoutMs).count(topics.size);
    for (const [topic, batches] of topics) {
      writer.text(topic).count(batches.length);
      for (const { partition, header, records } of batches) {
        writer
          .int32(partition)
          .bytesLength(header.length + records.length)
          .raw(header)
          .raw(records);
      }
    }
  },
  decode(reader) {
    const topics = reader.list(6, () => {
      const topic = reader.text();
      return reader.list(30, () => {
        const [partition, errorCode] = [reader.int32(), reader.int16()];
        reader.int64();
        reader.int64();
        reader.int64();
        return { topic, partition, errorCode };
      });
    });
    return topics.flat();
  },
};
