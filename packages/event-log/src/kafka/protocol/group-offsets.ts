import type { Api } from './api.ts';

export interface Coordinator {
  readonly errorCode: number;
  readonly nodeId: number;
}

const GROUP = 0;

/** Which broker keeps a group's positions. */
export const findCoordinator: Api<string, Coordinator> = {
  name: 'FindCoordinator',
  key: 10,
  version: 2,
  flexible: false,
  encode(writer, group) {
    writer.text(group).int8(GROUP);
  },
  decode(reader) {
    reader.int32();
    const errorCode = reader.int16();
    reader.nullableText();
    return { errorCode, nodeId: reader.int32() };
  },
};

export interface GroupOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** -1 where nothing is committed. */
  readonly offset: number;
  readonly metadata: string;
}

export interface GroupOffsets {
  readonly errorCode: number;
  readonly offsets: readonly GroupOffset[];
}

export const fetchOffsets: Api<{ readonly group: string; readonly topic: string; readonly partitions: readonly number[] }, GroupOffsets> = {
  name: 'OffsetFetch',
  key: 9,
  version: 5,
  flexible: false,
  encode(writer, { group, topic, partitions }) {
    writer.text(group).count(1).text(topic).count(partitions.length);
    for (const partition of partitions) writer.int32(partition);
  },
  decode(reader) {
    reader.int32();
    const topics = reader.list(6, () => {
      reader.text();
      return reader.list(20, () => {
        const [partition, offset] = [reader.int32(), reader.int64()];
        reader.int32();
        return { partition, offset, metadata: reader.text(), errorCode: reader.int16() };
      });
    });
    return { offsets: topics.flat(), errorCode: reader.int16() };
  },
};
