import type { Api } from './api.ts';

export interface MetadataResponse {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  /** 32 hex digits; all zero where the topic does not exist. */
  readonly id: string;
  readonly partitions: readonly { readonly errorCode: number; readonly partition: number; readonly leader: number }[];
}

const NO_ID = Buffer.alloc(16);

/** Who leads what. Version 10 is the first with topic ids, which tell a topic that was made anew from the former one. */
export const metadata: Api<readonly string[], MetadataResponse> = {
  name: 'Metadata',
  key: 3,
  version: 10,
  flexible: true,
  encode(writer, topics) {
    writer.count(topics.length);
    for (const topic of topics) writer.raw(NO_ID).text(topic).tags();
    writer.boolean(false).boolean(false).boolean(false).tags();
  },
  decode(reader) {
    reader.int32();
    const brokers = reader.list(11, () => {
      const broker = { nodeId: reader.int32(), host: reader.text(), port: reader.int32() };
      reader.nullableText();
      reader.tags();
      return broker;
    });
    reader.nullableText();
    const controllerId = reader.int32();
    const topics = reader.list(26, () => {
      const [errorCode, name, id] = [reader.int16(), reader.text(), reader.uuid()];
      reader.boolean();
      const partitions = reader.list(18, () => {
        const partition = { errorCode: reader.int16(), partition: reader.int32(), leader: reader.int32() };
        reader.int32();
        for (let i = 0; i < 3; i++) reader.list(4, () => reader.int32());
        reader.tags();
        return partition;
      });
      reader.int32();
      reader.tags();
      return { errorCode, name, id, partitions };
    });
    return { brokers, controllerId, topics };
  },
};
