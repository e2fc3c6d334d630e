import type { Api } from './api.ts';

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface CreatedTopic {
  readonly name: string;
  readonly errorCode: number;
  readonly message: string;
}

export const createTopics: Api<{ readonly topics: readonly NewTopic[]; readonly timeoutMs: number }, readonly CreatedTopic[]> = {
  name: 'CreateTopics',
  key: 19,
  version: 4,
  flexible: false,
  encode(writer, { topics, timeoutMs }) {
    writer.count(topics.length);
    for (const { name, partitions, replicationFactor, configs } of topics) {
      writer.text(name).int32(partitions).int16(replicationFactor).count(0).count(Object.keys(configs).length);
      for (const [key, value] of Object.entries(configs)) writer.text(key).text(value);
    }
    writer.int32(timeoutMs).boolean(false);
  },
  decode(reader) {
    reader.int32();
    return reader.list(6, () => ({ name: reader.text(), errorCode: reader.int16(), message: reader.text() }));
  },
};

export interface TopicConfigs {
  readonly errorCode: number;
  readonly topic: string;
  readonly configs: ReadonlyMap<string, string>;
}

const TOPIC = 2;

export const describeConfigs: Api<{ readonly topics: readonly string[]; readonly names: readonly string[] }, readonly TopicConfigs[]> = {
  name: 'DescribeConfigs',
  key: 32,
  version: 2,
  flexible: false,
  encode(writer, { topics, names }) {
    writer.count(topics.length);
    for (const topic of topics) {
      writer.int8(TOPIC).text(topic).count(names.length);
      for (const name of names) writer.text(name);
    }
    writer.boolean(false);
  },
  decode(reader) {
    reader.int32();
    return reader.list(11, () => {
      const errorCode = reader.int16();
      reader.nullableText();
      reader.int8();
      const topic = reader.text();
      const configs = reader.list(11, () => {
        const entry = [reader.text(), reader.text()] as const;
        reader.boolean();
        reader.int8();
        reader.boolean();
        reader.list(5, () => [reader.text(), reader.nullableText(), reader.int8()]);
        return entry;
      });
      return { errorCode, topic, configs: new Map(configs) };
    });
  },
};
