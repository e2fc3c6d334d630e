import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AGGREGATOR_GROUP, EVENTS_TOPIC } from '@touchstone/event-log';
import {
  findKafka,
  guardDirectory,
  startChdbHttpFront,
  startOwnBroker,
  startStoreProxy,
  startTcpProxy,
  type ChdbHttpFront,
  type OwnBroker,
  type StoreProxy,
  type TcpProxy,
} from '@touchstone/testkit';
import { KEY } from '../../support/start-server.ts';
import { KafkaClient } from './kafka-client.ts';
import { startService, type ServiceName, type ServiceProcess } from './service-process.ts';
import { StoredRows } from './stored-rows.ts';

export const SESSION_TIMEOUT_MS = 3000;
const SETTLED_WITHIN_MS = 3 * 60_000;
const OUTPUT_SHOWN = 3000;
/** Those that say where the log was read to, and what was on it. */
const TABLES = new Set(['touches', 'facts', 'dead_letters', 'positions', 'account_scores', 'score_history']);

export interface StageOptions {
  readonly partitions?: number;
  /** Further settings of all services. */
  readonly env?: Readonly<Record<string, string>>;
  /** Puts proxies between services and broker, and between services and ClickHouse. */
  readonly proxied?: boolean;
}

/** A broker, ClickHouse, and the services around them, each in a process of its own: all that a scenario hurts, and what it is checked by. */
export class Stage {
  readonly partitions: number;
  readonly broker: OwnBroker;
  readonly kafka: KafkaClient;
  readonly stored: StoredRows;
  /** Null unless the stage is proxied. */
  readonly brokerProxy: TcpProxy | null;
  readonly storeProxy: StoreProxy | null;
  /** Before `storeProxy`; the way there. */
  readonly storeLink: TcpProxy | null;
  /** What was seen that must not be, one line each. */
  readonly wrong: string[] = [];
  readonly #options: StageOptions;
  readonly #directory: string;
  readonly #forgetDirectory: () => void;
  readonly #processes = new Set<ServiceProcess>();
  #front: ChdbHttpFront;

  private constructor(
    options: StageOptions,
    parts: {
      broker: OwnBroker;
      front: ChdbHttpFront;
      brokerProxy: TcpProxy | null;
      storeProxy: StoreProxy | null;
      storeLink: TcpProxy | null;
      directory: string;
      forgetDirectory: () => void;
    },
  ) {
    this.#options = options;
    this.partitions = options.partitions ?? 4;
    this.broker = parts.broker;
    this.brokerProxy = parts.brokerProxy;
    this.storeProxy = parts.storeProxy;
    this.storeLink = parts.storeLink;
    this.#front = parts.front;
    this.#directory = parts.directory;
    this.#forgetDirectory = parts.forgetDirectory;
    this.kafka = new KafkaClient(parts.broker.brokers);
    this.stored = new StoredRows(() => this.#front.url);
  }

  /** @throws Error where there is no broker to be had */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const directory = mkdtempSync(join(tmpdir(), 'touchstone-chaos-'));
    const forgetDirectory = guardDirectory(directory);
    let front: ChdbHttpFront | null = null;
    let broker: OwnBroker | null = null;
    let brokerProxy: TcpProxy | null = null;
    let storeProxy: StoreProxy | null = null;
    let storeLink: TcpProxy | null = null;
    if (options.proxied === true) {
      brokerProxy = await startTcpProxy({ to: () => broker!.behindProxy! });
      const proxy = await startStoreProxy({ to: () => front!.url });
      storeProxy = proxy;
      storeLink = await startTcpProxy({ to: () => ({ host: '127.0.0.1', port: proxy.port }), framing: 'none' });
    }
    [broker, front] = await Promise.all([
      startOwnBroker(brokerProxy === null ? {} : { advertisedPort: brokerProxy.port }),
      startChdbHttpFront({ directory }),
    ]);
    if (broker === null) {
      const found = await findKafka({ own: true });
      throw new Error(`no broker to be hurt: there is ${found.kind === 'none' ? found.reason : 'none'}`);
    }
    const stage = new Stage(options, { broker, front, brokerProxy, storeProxy, storeLink, directory, forgetDirectory });
    await stage.kafka.connect();
    return stage;
  }

  /** The ClickHouse process ends hard and comes back at the same address with the same data. */
  async killStore(standMs: number): Promise<void> {
    const { port } = this.#front;
    await this.#front.kill();
    await sleep(standMs);
    this.#front = await startChdbHttpFront({ directory: this.#directory, port });
  }

  get environment(): Record<string, string> {
    return {
      KAFKA_BROKERS: this.brokerProxy?.address ?? this.broker.brokers,
      CLICKHOUSE_URL: this.storeLink === null ? this.#front.url : `http://${this.storeLink.address}`,
      TOUCHSTONE_ADMIN_KEY: KEY,
      PARTITIONS: String(this.partitions),
      KAFKA_REPLICATION_FACTOR: '1',
      KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
      CHECKPOINT_INTERVAL_MS: '500',
      LOG_LEVEL: 'info',
      ...this.#options.env,
    };
  }

  async start(
    service: ServiceName,
    options: { env?: Record<string, string>; port?: number; nodeOptions?: readonly string[] } = {},
  ): Promise<ServiceProcess> {
    const started = await startService({ service, ...options, env: { ...this.environment, ...options.env } });
    this.#processes.add(started);
    void started.ended.then(({ code, signal }) => {
      this.#processes.delete(started);
      if (started.isExpectedToEnd) return;
      this.wrong.push(`${service} ${started.pid} ended by itself (${code ?? signal}): ${started.output().slice(-OUTPUT_SHOWN)}`);
    });
    return started;
  }

  /** Several aggregators at once; resolves when all are ready. */
  async startAggregators(count: number): Promise<ServiceProcess[]> {
    // The first makes schema and topics.
    const first = await this.start('aggregator');
    await first.becomesReady();
    const others = await Promise.all(Array.from({ length: count - 1 }, () => this.start('aggregator')));
    await Promise.all(others.map((one) => one.becomesReady()));
    return [first, ...others];
  }

  /** Waits until all that is on the log is stored, published and committed; says what is not when that takes too long. */
  async settle(withinMs = SETTLED_WITHIN_MS): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const behind = await this.#behind().catch((error: unknown) => `it can not be asked: ${String(error)}`);
      if (behind === null) return;
      if (Date.now() > deadline) {
        this.wrong.push(`after ${withinMs} ms ${behind}`);
        return;
      }
      await sleep(100);
    }
  }

  async #behind(): Promise<string | null> {
    const ends = await this.kafka.ends(EVENTS_TOPIC);
    const committed = await this.kafka.committed(AGGREGATOR_GROUP, EVENTS_TOPIC);
    const stored = await this.stored.positions();
    for (const [partition, end] of ends) {
      if (end === 0) continue;
      const [at, kept] = [committed.get(partition), stored.get(partition)];
      if (at !== end || kept !== end) return `partition ${partition} ends at ${end}, is stored to ${kept} and committed to ${at}`;
    }
    return null;
  }

  /** Ends the services, and takes away all that they have written: the next ones begin anew. */
  async reset(): Promise<void> {
    await Promise.all([...this.#processes].map((one) => one.kill()));
    const topics = (await this.kafka.admin.listTopics()).filter((topic) => !topic.startsWith('__'));
    if (topics.length > 0) await this.kafka.admin.deleteTopics({ topics });
    while ((await this.kafka.admin.listTopics()).some((topic) => topics.includes(topic))) await sleep(50);
    for (const table of await this.stored.ask('SHOW TABLES')) {
      if (TABLES.has(table)) await this.stored.ask(`TRUNCATE TABLE ${table}`);
    }
    this.wrong.length = 0;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#processes].map((one) => one.kill()));
    await this.kafka.close();
    await Promise.allSettled([
      this.broker.close(),
      this.#front.kill(),
      this.brokerProxy?.close(),
      this.storeLink?.close(),
      this.storeProxy?.close(),
    ]);
    rmSync(this.#directory, { recursive: true, force: true });
    this.#forgetDirectory();
  }
}
