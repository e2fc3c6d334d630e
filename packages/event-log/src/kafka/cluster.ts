import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { EventLogError } from '../event-log.ts';
import { BrokerConnection } from './broker-connection.ts';
import type { FrameMemory } from './frame-memory.ts';
import { Lane } from './lane.ts';
import { assertNoError } from './protocol/broker-error.ts';
import { metadata } from './protocol/metadata.ts';
import type { MetadataResponse } from './protocol/metadata.ts';

export interface ClusterOptions {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl: TlsOptions | null;
  readonly sasl: SASLOptions | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly topics: readonly string[];
}

/** A topic as the brokers told of it last. */
export interface TopicState {
  /** 32 hex digits: another topic of the same name has another one. */
  readonly id: string;
  /** Leading broker by partition; -1 while there is none. */
  readonly leaders: readonly number[];
}

interface Address {
  readonly host: string;
  readonly port: number;
}

const NO_BROKER = -1;

/** Knows the brokers and who leads what, and gives out lanes of connections to them. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #control: Lane;
  readonly #lanes = new Set<Lane>();
  readonly #watchers = new Set<() => void>();
  #brokers: ReadonlyMap<number, Address> = new Map();
  #topics: ReadonlyMap<string, TopicState> = new Map();
  #controller = NO_BROKER;
  #refreshing: Promise<void> | null = null;
  #bootstrap: BrokerConnection | null = null;
  #turn = 0;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#control = this.lane();
  }

  /** Null while the topic is not there, or nothing is known yet. */
  topic(name: string): TopicState | null {
    return this.#topics.get(name) ?? null;
  }

  /** Null while nobody leads the partition. */
  leader(topic: string, partition: number): number | null {
    const leader = this.#topics.get(topic)?.leaders[partition] ?? NO_BROKER;
    return this.#brokers.has(leader) ? leader : null;
  }

  /** A broker that takes changes of topics. */
  get controller(): number {
    return this.#brokers.has(this.#controller) ? this.#controller : ([...this.#brokers.keys()][0] ?? NO_BROKER);
  }

  /** Any broker, another one each time. */
  get anyBroker(): number {
    const ids = [...this.#brokers.keys()];
    return ids[this.#turn++ % ids.length] ?? NO_BROKER;
  }

  /** For short requests; what waits long goes over a lane of its own. */
  get control(): Lane {
    return this.#control;
  }

  /** Connections of one's own, one to each broker that is asked. To be closed by whoever took it. */
  lane(memory?: FrameMemory): Lane {
    const lane = new Lane({
      open: (nodeId) => this.#open(nodeId, memory),
      isAt: (nodeId, address) => address === addressText(this.#brokers.get(nodeId)),
      onClosed: () => this.#lanes.delete(lane),
    });
    this.#lanes.add(lane);
    return lane;
  }

  /** `tell` is called after every refresh, until the returned function is called. */
  watch(tell: () => void): () => void {
    this.#watchers.add(tell);
    return () => void this.#watchers.delete(tell);
  }

  /**
   * Asks anew who leads what; callers at the same time share one question.
   * @throws EventLogError `io` when no broker answers, `refused`
   */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  close(): void {
    this.#closed = true;
    this.#bootstrap?.close();
    for (const lane of this.#lanes) lane.close();
  }

  async #refresh(): Promise<void> {
    const answer = await this.#ask();
    if (answer.brokers.length > 0) this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controller = answer.controllerId;
    const topics = new Map<string, TopicState>();
    for (const { errorCode, name, id, partitions } of answer.topics) {
      if (partitions.length === 0) {
        // A topic that is just being made has an error of its own, and no partitions yet.
        if (REFUSALS.has(errorCode)) assertNoError(errorCode, `topic ${name}`);
        continue;
      }
      const leaders = Array.from({ length: partitions.length }, () => NO_BROKER);
      for (const { partition, leader } of partitions) if (partition in leaders) leaders[partition] = leader;
      topics.set(name, { id, leaders });
    }
    this.#topics = topics;
    for (const tell of this.#watchers) tell();
  }

  /** Asks the brokers known, then those of the settings: their addresses may have changed while nobody answered. */
  async #ask(): Promise<MetadataResponse> {
    const { topics, brokers, requestTimeoutMs } = this.#options;
    let failure: unknown = new EventLogError('io', 'no broker is known');
    for (let i = 0; i < this.#brokers.size; i++) {
      try {
        return await this.#control.request(this.anyBroker, metadata, topics, requestTimeoutMs);
      } catch (cause) {
        failure = cause;
      }
      this.#assertOpen();
    }
    for (let i = 0; i < brokers.length; i++) {
      try {
        this.#bootstrap = await BrokerConnection.open(this.#target(addressOf(brokers[this.#turn++ % brokers.length]!)));
        this.#assertOpen();
        return await this.#bootstrap.request(metadata, topics, requestTimeoutMs);
      } catch (cause) {
        failure = cause;
      } finally {
        this.#bootstrap?.close();
        this.#bootstrap = null;
      }
      this.#assertOpen();
    }
    throw failure;
  }

  async #open(nodeId: number, memory: FrameMemory | undefined): Promise<BrokerConnection> {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) throw new EventLogError('io', `broker ${nodeId} is not known`);
    return BrokerConnection.open({ ...this.#target(address), ...(memory === undefined ? {} : { memory }) });
  }

  #target(address: Address) {
    const { clientId, ssl, sasl, connectTimeoutMs } = this.#options;
    return { ...address, clientId, ssl, sasl, connectTimeoutMs };
  }

  #assertOpen(): void {
    if (this.#closed) throw new EventLogError('closed', 'the log is closed');
  }
}

/** TOPIC_AUTHORIZATION_FAILED and INVALID_TOPIC_EXCEPTION: no later answer will be another one. */
const REFUSALS: ReadonlySet<number> = new Set([17, 29]);

export function addressOf(broker: string): Address {
  const colon = broker.lastIndexOf(':');
  return { host: broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(broker.slice(colon + 1)) };
}

function addressText(address: Address | undefined): string | null {
  return address === undefined ? null : `${address.host}:${address.port}`;
}
