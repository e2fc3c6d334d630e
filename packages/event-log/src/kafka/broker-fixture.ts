import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import type { KafkaLog } from './kafka-log.ts';
import { openKafkaLog } from './kafka-log.ts';
import type { KafkaLogOptions, KafkaTopicOptions } from './kafka-options.ts';

/** Names of topics and logs on a broker that other tests use as well. For tests. */
export class BrokerFixture {
  readonly brokers: readonly string[];
  readonly #logs: KafkaLog[] = [];

  constructor(brokers: string) {
    this.brokers = brokers.split(',');
  }

  /** A topic of its own for a test; it is made by opening a log with it. */
  name(): string {
    return `test-${randomUUID()}`;
  }

  async open(topics: Readonly<Record<string, Partial<KafkaTopicOptions>>>, options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
    const all = Object.fromEntries(
      Object.entries(topics).map(([name, topic]) => [name, { partitions: 2, replicationFactor: 1, cleanup: 'delete' as const, ...topic }]),
    );
    const log = await openKafkaLog({ brokers: this.brokers, clientId: 'test', topics: all, sessionTimeoutMs: 6_000, ...options });
    this.#logs.push(log);
    return log;
  }

  /** kafkajs, as somebody else who uses the same cluster. */
  get others(): Kafka {
    return new Kafka({ brokers: [...this.brokers], clientId: 'others', logLevel: logLevel.NOTHING });
  }

  async administer<T>(run: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.others.admin();
    await admin.connect();
    try {
      return await run(admin);
    } finally {
      await admin.disconnect();
    }
  }

  async closeLogs(): Promise<void> {
    await Promise.all(this.#logs.splice(0).map((log) => log.close()));
  }
}
