import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError, RECORD_BYTES_MAX } from '../event-log.ts';
import type { CommittedPosition, EventLog, OutgoingRecord, PartitionExtent, SubscribeOptions, Subscription } from '../event-log.ts';
import { partitionOfKey } from '../partition-of-key.ts';
import { FRAME_BYTES_MAX } from '../record-block.ts';
import { Turn } from '../turn.ts';
import { AppendQueue } from './append-queue.ts';
import { addressOf, Cluster } from './cluster.ts';
import { startMembership } from './group-membership.ts';
import type { KafkaLogEvent } from './kafka-events.ts';
import type { KafkaLogOptions } from './kafka-options.ts';
import { KafkaSubscription } from './kafka-subscription.ts';
import { readCommitted, readExtents } from './read-positions.ts';
import { asLogError, Backoff, isRetriable, retrying } from './retry.ts';
import { checkTopics, makeMissingTopics } from './topics-check.ts';

const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;
const WAIT_FOR_BROKERS_MS = 10_000;
const DELIVERY_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 2_000;
const METADATA_INTERVAL_MS = 5_000;
const SESSION_TIMEOUT_MS = 10_000;
/** Kafka's rule for names of groups is looser; that of topics keeps them printable. */
const NAME = /^[a-zA-Z0-9._-]{1,249}$/;

export interface KafkaLog extends EventLog {
  /** Bytes appended that are not acknowledged yet. */
  readonly backlogBytes: number;
}

/**
 * Opens the log of a Kafka cluster: connects, makes topics that do not exist and checks the others.
 * @throws EventLogError `io` when no broker can be used in time, `refused` for credentials or rights, `topic_mismatch`; RangeError for options
 * that can not be
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  for (const [name, { partitions }] of Object.entries(options.topics)) {
    assertName('topic', name);
    if (!Number.isInteger(partitions) || partitions < 1) throw new RangeError(`${name} needs at least one partition`);
  }
  const { brokers, clientId, ssl = null, sasl = null, topics } = options;
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  const { waitForBrokersMs = WAIT_FOR_BROKERS_MS, onEvent = () => {} } = options;
  const cluster = new Cluster({ brokers, clientId, ssl, sasl, connectTimeoutMs, requestTimeoutMs, topics: Object.keys(topics) });
  const untilMs = performance.now() + waitForBrokersMs;
  const backoff = new Backoff();
  for (;;) {
    try {
      await cluster.refresh();
      const check = { cluster, topics, requestTimeoutMs, onEvent };
      await makeMissingTopics(check);
      await cluster.refresh();
      await checkTopics(check);
      return new KafkaClusterLog(options, cluster);
    } catch (cause) {
      const pauseMs = backoff.next();
      if (!isRetriable(cause) || performance.now() + pauseMs > untilMs) {
        cluster.close();
        throw asLogError(cause, 'the log could not be opened');
      }
      onEvent({ type: 'waiting', cause });
      await sleep(pauseMs);
    }
  }
}

interface TopicInUse {
  readonly partitions: number;
  readonly generation: string;
}

class KafkaClusterLog implements KafkaLog {
  readonly #options: KafkaLogOptions;
  readonly #cluster: Cluster;
  readonly #topics: ReadonlyMap<string, TopicInUse>;
  readonly #appends: AppendQueue;
  readonly #requestTimeoutMs: number;
  readonly #subscriptions = new Set<KafkaSubscription>();
  readonly #turn = new Turn();
  readonly #lookOut: NodeJS.Timeout;
  #nextWithoutKey = 0;
  #closing: Promise<void> | null = null;

  constructor(options: KafkaLogOptions, cluster: Cluster) {
    const { clock = Date.now, backlogBytesMax = BACKLOG_BYTES_MAX, deliveryTimeoutMs = DELIVERY_TIMEOUT_MS } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    const requestTimeoutMs = this.#requestTimeoutMs;
    this.#topics = new Map(
      Object.entries(options.topics).map(([name, { partitions }]) => [name, { partitions, generation: cluster.topic(name)!.id }]),
    );
    const onEvent = (event: KafkaLogEvent) => this.#tell(event);
    this.#appends = new AppendQueue({ cluster, clock, backlogBytesMax, deliveryTimeoutMs, requestTimeoutMs, onEvent });
    const lookOut = () => void cluster.refresh().catch(() => {});
    this.#lookOut = setInterval(lookOut, options.metadataIntervalMs ?? METADATA_INTERVAL_MS).unref();
  }

  get backlogBytes(): number {
    return this.#appends.waitingBytes;
  }

  partitionCount(topic: string): number {
    return this.#inUse(topic).partitions;
  }

  async append(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    const { partitions } = this.#inUse(topic);
    if (records.length === 0) return;
    let bytes = 0;
    const places: number[] = [];
    for (const record of records) {
      bytes += FRAME_BYTES_MAX + bytesOf(record);
      places.push(this.#partitionFor(topic, partitions, record));
    }
    await this.#appends.append(topic, places, records, bytes);
  }

  async extents(topic: string): Promise<readonly PartitionExtent[]> {
    const { partitions, generation } = this.#inUse(topic);
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    return this.#retrying(`extents of ${topic}`, () => readExtents(this.#cluster, { topic, generation }, all, this.#requestTimeoutMs));
  }

  async committed(topic: string, group: string): Promise<ReadonlyMap<number, CommittedPosition>> {
    const { partitions } = this.#inUse(topic);
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const what = `positions of ${group} in ${topic}`;
    return this.#retrying(what, () => readCommitted(this.#cluster, { topic, group }, all, this.#requestTimeoutMs));
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const { topic, group } = options;
    const { partitions: partitionCount, generation } = this.#inUse(topic);
    if (group !== null) assertName('group', group);
    const { brokers, clientId, ssl = null, sasl = null, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const { sessionTimeoutMs = SESSION_TIMEOUT_MS } = this.#options;
    const cluster = { brokers: brokers.map(addressOf), clientId, ssl, sasl, connectTimeoutMs };
    const subscription = await KafkaSubscription.start(options, {
      cluster: this.#cluster,
      turn: this.#turn,
      partitionCount,
      generation,
      requestTimeoutMs: this.#requestTimeoutMs,
      join:
        group === null
          ? null
          : (callbacks) =>
              startMembership({
                ...callbacks,
                cluster,
                group,
                topic,
                partitionCount,
                sessionTimeoutMs,
                onEvent: (event) => this.#tell({ type: 'membership', topic, group, event }),
              }),
      extent: async (partition) => {
        const what = `extent of ${topic}/${partition}`;
        const read = () => readExtents(this.#cluster, { topic, generation }, [partition], this.#requestTimeoutMs);
        return (await this.#retrying(what, read))[0]!;
      },
      onEvent: (event) => this.#tell(event),
      onEnded: () => this.#subscriptions.delete(subscription),
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Stops the subscriptions, finishes what was appended or gives it up, and closes all connections. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#lookOut);
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
    await this.#appends.settled();
    this.#appends.close();
    this.#cluster.close();
  }

  #partitionFor(topic: string, partitions: number, { key, partition }: OutgoingRecord): number {
    const index = partition ?? (key === null ? this.#nextWithoutKey++ % partitions : partitionOfKey(key, partitions));
    if (Number.isInteger(index) && index >= 0 && index < partitions) return index;
    throw new RangeError(`${topic} has no partition ${index}: it has ${partitions}`);
  }

  #inUse(topic: string): TopicInUse {
    if (this.#closing !== null) throw new EventLogError('closed', 'the log is closed');
    const inUse = this.#topics.get(topic);
    if (inUse !== undefined) return inUse;
    throw new RangeError(`there is no topic ${topic}: the log was opened with ${[...this.#topics.keys()].join(', ')}`);
  }

  #retrying<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const untilMs = performance.now() + (this.#options.deliveryTimeoutMs ?? DELIVERY_TIMEOUT_MS);
    return retrying(this.#cluster, { what, untilMs }, attempt);
  }

  #tell(event: KafkaLogEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** @throws EventLogError `record_too_large` */
function bytesOf({ key, value }: OutgoingRecord): number {
  const bytes = (key?.length ?? 0) + (value?.length ?? 0);
  if (bytes <= RECORD_BYTES_MAX) return bytes;
  throw new EventLogError('record_too_large', `a record has ${bytes} bytes, ${RECORD_BYTES_MAX} are allowed`);
}

function assertName(what: 'topic' | 'group', name: string): void {
  if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} can not be the name of a ${what}: it must match ${NAME}`);
}
