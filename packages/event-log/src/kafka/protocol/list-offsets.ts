import type { Api } from './api.ts';

export const EARLIEST = -2;
export const LATEST = -1;

export interface ListOffsetsRequest {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly at: typeof EARLIEST | typeof LATEST;
}

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  readonly offset: number;
}

const READ_COMMITTED = 1;

/** Where partitions begin and end. The end is that of what may be read: records of a transaction that is still open lie after it. */
export const listOffsets: Api<ListOffsetsRequest, readonly ListedOffset[]> = {
  name: 'ListOffsets',
  key: 2,
  version: 5,
  flexible: false,
  encode(writer, { topic, partitions, at }) {
    writer.int32(-1).int8(READ_COMMITTED).count(1).text(topic).count(partitions.length);
    for (const partition of partitions) writer.int32(partition).int32(-1).int64(at);
  },
  decode(reader) {
    reader.int32();
    const topics = reader.list(6, () => {
      reader.text();
      return reader.list(26, () => {
        const [partition, errorCode] = [reader.int32(), reader.int16()];
        reader.int64();
        const offset = reader.int64();
        reader.int32();
        return { partition, errorCode, offset };
      });
    });
    return topics.flat();
  },
};
