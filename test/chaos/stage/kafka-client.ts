import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Kafka through kafkajs alone: what is checked here must not be read by the code that is checked. kafkajs is what our own adapter takes its
 * connections from, so it is asked for there.
 */
const require = createRequire(new URL('../../../packages/event-log/package.json', import.meta.url));
const { Kafka, logLevel } = require('kafkajs') as KafkaJs;

export interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly appendedAt: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface OutgoingMessage {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly partition: number;
}

const ASKED_FOR_MS = 30_000;
const READ_WITHIN_MS = 10 * 60_000;
const FETCH = { maxWaitTimeInMs: 50, maxBytesPerPartition: 4 * 1024 * 1024, sessionTimeout: 10_000, rebalanceTimeout: 10_000 };

export class KafkaClient {
  readonly #kafka: Client;
  readonly admin: Admin;
  readonly #open = new Set<{ disconnect(): Promise<void> }>();
  #connected: Promise<void> | null = null;

  constructor(brokers: string) {
    this.#kafka = new Kafka({
      clientId: 'chaos',
      brokers: brokers.split(','),
      logLevel: logLevel.NOTHING,
      connectionTimeout: 2000,
      requestTimeout: 10_000,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 200 },
    });
    this.admin = this.#kafka.admin();
    this.#open.add(this.admin);
  }

  connect(): Promise<void> {
    return (this.#connected ??= this.admin.connect());
  }

  /** Offset after the last record of each partition. */
  async ends(topic: string): Promise<Map<number, number>> {
    const offsets = await this.#offsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  }

  /** Positions of a group; partitions without one are left out. */
  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const [found] = await this.admin.fetchOffsets({ groupId: group, topics: [topic] });
    const partitions = (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const);
    return new Map(partitions.filter(([, offset]) => offset >= 0));
  }

  /** Sends with acks of all; may have sent part of it, or all, when it rejects. */
  async producer(): Promise<{ send(topic: string, messages: readonly OutgoingMessage[]): Promise<void> }> {
    const producer = this.#kafka.producer({ allowAutoTopicCreation: false });
    this.#open.add(producer);
    await producer.connect();
    return {
      async send(topic, messages) {
        await producer.send({ topic, acks: -1, messages });
      },
    };
  }

  /** Everything the topic holds now, each partition in its order. */
  async read(topic: string): Promise<Message[]> {
    const offsets = await this.#offsets(topic);
    const left = new Map(offsets.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, Number(high)]));
    const messages: Message[] = [];
    if (left.size === 0) return messages;
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(() => done.reject(new Error(`${topic} could not be read within ${READ_WITHIN_MS} ms`)), READ_WITHIN_MS);
    const stop = await this.follow(topic, (message) => {
      const end = left.get(message.partition);
      if (end !== undefined && message.offset < end) messages.push(message);
      if (message.offset === end! - 1 && left.delete(message.partition) && left.size === 0) done.resolve();
    });
    try {
      await done.promise;
    } finally {
      clearTimeout(timer);
      await stop();
    }
    return messages;
  }

  /** Hands over every record of the topic, from its beginning on, until the returned function is called. */
  async follow(topic: string, onMessage: (message: Message) => void): Promise<() => Promise<void>> {
    const consumer = this.#kafka.consumer({ groupId: `chaos-${randomUUID()}`, ...FETCH });
    this.#open.add(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      async eachBatch({ batch: { partition, messages } }) {
        for (const { offset, timestamp, key, value } of messages) {
          onMessage({ partition, offset: Number(offset), appendedAt: Number(timestamp), key, value });
        }
      },
    });
    return async () => {
      this.#open.delete(consumer);
      await consumer.disconnect();
    };
  }

  /** A broker that has just come back leads its partitions a moment later, and kafkajs asks once. */
  async #offsets(topic: string): Promise<{ partition: number; high: string; low: string }[]> {
    const deadline = Date.now() + ASKED_FOR_MS;
    for (;;) {
      try {
        return await this.admin.fetchTopicOffsets(topic);
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(100);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((one) => one.disconnect()));
    this.#open.clear();
  }
}

/** The little of kafkajs' types that is used here. */
interface KafkaJs {
  readonly Kafka: new (options: object) => Client;
  readonly logLevel: { readonly NOTHING: number };
}

interface Client {
  admin(): Admin;
  producer(options: object): Connected & { send(batch: object): Promise<unknown> };
  consumer(options: object): Connected & {
    subscribe(options: { topic: string; fromBeginning: boolean }): Promise<void>;
    run(options: { autoCommit: boolean; eachBatch: (payload: { batch: Batch }) => Promise<void> }): Promise<void>;
  };
}

interface Connected {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface Batch {
  readonly partition: number;
  readonly messages: readonly { offset: string; timestamp: string; key: Buffer | null; value: Buffer | null }[];
}

interface Admin extends Connected {
  fetchTopicOffsets(topic: string): Promise<{ partition: number; high: string; low: string }[]>;
  fetchOffsets(options: { groupId: string; topics: string[] }): Promise<{ partitions: { partition: number; offset: string }[] }[]>;
  setOffsets(options: { groupId: string; topic: string; partitions: { partition: number; offset: string }[] }): Promise<void>;
  listTopics(): Promise<string[]>;
  createTopics(options: {
    waitForLeaders: boolean;
    topics: { topic: string; numPartitions: number; configEntries?: { name: string; value: string }[] }[];
  }): Promise<boolean>;
  deleteTopics(options: { topics: string[] }): Promise<void>;
  deleteTopicRecords(options: { topic: string; partitions: { partition: number; offset: string }[] }): Promise<void>;
}
