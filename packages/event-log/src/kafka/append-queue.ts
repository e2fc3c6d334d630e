import { EventLogError } from '../event-log.ts';
import type { OutgoingRecord } from '../event-log.ts';
import { FRAME_BYTES_MAX } from '../record-block.ts';
import { Append, PartitionQueue } from './partition-queue.ts';
import type { Batch } from './partition-queue.ts';
import type { Cluster } from './cluster.ts';
import type { KafkaLogEvent } from './kafka-events.ts';
import type { Lane } from './lane.ts';
import { BrokerError, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE } from './protocol/broker-error.ts';
import { produce } from './protocol/produce.ts';
import type { ProducedBatch } from './protocol/produce.ts';
import { BATCH_HEAD_BYTES, batchHead } from './record-batch.ts';
import { asLogError, isRetriable } from './retry.ts';

export interface AppendQueueOptions {
  readonly cluster: Cluster;
  readonly clock: () => number;
  readonly backlogBytesMax: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly onEvent: (event: KafkaLogEvent) => void;
}

/** Bytes of one request, unless a single batch has more. */
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Sends appends to the leaders of their partitions, many in one request. While a request to a broker is under way, what is appended for it
 * collects, and all of that goes into the next one:
 *
 *     append ──> collecting ──(nothing under way to its leader)──> sent ──> acknowledged by all replicas: callers resolve
 *                    ^                                               │
 *                    └──────(the same batch, first again)──── lost, or its leader has moved ──> after `deliveryTimeoutMs`: `io`
 *
 * A partition has one batch under way at a time, so its order is kept. A batch whose answer got lost is sent again, and may then be in the log
 * twice: records carry ids of their own for that. Kafka's own way against it, idempotent producers, lost acknowledged records in kafkajs, and
 * could not cover a restart of ours anyway.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  readonly #lane: Lane;
  readonly #partitions = new Map<string, PartitionQueue>();
  /** Partitions that have something to send and nothing under way. */
  readonly #waiting = new Set<PartitionQueue>();
  /** Brokers that a request is under way to. */
  readonly #busy = new Set<number>();
  readonly #unsettled = new Set<Append>();
  #waitingBytes = 0;
  #scheduled = false;
  #retryTimer: NodeJS.Timeout | null = null;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
    this.#lane = options.cluster.lane();
  }

  /** Bytes taken that are not acknowledged yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Copies the records before it returns, so the caller may change their bytes at once. `bytes` is what they take framed, at most.
   * @throws EventLogError `backlogged`, with nothing taken
   */
  append(topic: string, partitions: readonly number[], records: readonly OutgoingRecord[], bytes: number): Promise<void> {
    const { backlogBytesMax } = this.#options;
    // What is larger than the whole bound is taken when nothing else waits, for it would fit no better later.
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > backlogBytesMax) {
      throw new EventLogError('backlogged', `${this.#waitingBytes} bytes wait to be written; ${bytes} more would pass ${backlogBytesMax}`);
    }
    const now = performance.now();
    const append = new Append(bytes);
    for (const [index, { key, value }] of records.entries()) {
      const queue = this.#queue(topic, partitions[index]!);
      queue.add(append, key, value, FRAME_BYTES_MAX + (key?.length ?? 0) + (value?.length ?? 0), now);
      if (!queue.underWay) this.#waiting.add(queue);
    }
    this.#waitingBytes += bytes;
    this.#unsettled.add(append);
    this.#schedule();
    return append.outcome.promise;
  }

  /** Resolves when nothing waits any more; whether it is in the log is told to those who appended it. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#unsettled].map(({ outcome }) => outcome.promise));
  }

  close(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#lane.close();
  }

  #queue(topic: string, partition: number): PartitionQueue {
    const key = `${topic}/${partition}`;
    let queue = this.#partitions.get(key);
    if (queue === undefined) this.#partitions.set(key, (queue = new PartitionQueue(topic, partition)));
    return queue;
  }

  /** The turn of the event loop is finished first, so that what arrived together is sent together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    const { cluster, deliveryTimeoutMs } = this.#options;
    const now = performance.now();
    const byLeader = new Map<number, Batch[]>();
    const bytesOf = new Map<number, number>();
    let dueAt = Infinity;
    for (const queue of this.#waiting) {
      for (const batch of queue.dropOlderThan(now - deliveryTimeoutMs)) this.#fail(batch, queue.lastFailure);
      if (queue.empty) {
        this.#waiting.delete(queue);
        continue;
      }
      if (queue.retryAt > now) {
        dueAt = Math.min(dueAt, queue.retryAt);
        continue;
      }
      const leader = cluster.leader(queue.topic, queue.partition);
      if (leader === null) {
        const cause = new EventLogError('io', `nobody leads ${queue.topic}/${queue.partition}`);
        dueAt = Math.min(dueAt, queue.putOff(now, cause));
        void cluster.refresh().catch(() => {});
        continue;
      }
      if (this.#busy.has(leader)) continue;
      const bytes = bytesOf.get(leader) ?? 0;
      if (bytes > 0 && bytes + queue.nextBytes > REQUEST_BYTES_MAX) continue;
      const batch = queue.take();
      this.#waiting.delete(queue);
      if (!byLeader.has(leader)) byLeader.set(leader, []);
      byLeader.get(leader)!.push(batch);
      bytesOf.set(leader, bytes + batch.records.byteLength);
    }
    for (const [leader, batches] of byLeader) void this.#send(leader, batches);
    this.#dispatchAt(dueAt);
  }

  #dispatchAt(dueAt: number): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = dueAt === Infinity ? null : setTimeout(() => this.#dispatch(), Math.max(1, dueAt - performance.now()));
  }

  async #send(leader: number, batches: readonly Batch[]): Promise<void> {
    const { requestTimeoutMs, clock, onEvent } = this.#options;
    const startedAt = performance.now();
    this.#busy.add(leader);
    const failures = new Map<Batch, unknown>();
    try {
      const topics = new Map<string, ProducedBatch[]>();
      for (const { queue, records } of batches) {
        if (!topics.has(queue.topic)) topics.set(queue.topic, []);
        const bytes = records.bytes();
        const header = batchHead({ count: records.count, now: clock(), records: bytes });
        topics.get(queue.topic)!.push({ partition: queue.partition, header, records: bytes });
      }
      const results = await this.#lane.request(leader, produce, { timeoutMs: requestTimeoutMs, topics }, requestTimeoutMs);
      const errors = new Map(results.map(({ topic, partition, errorCode }) => [`${topic}/${partition}`, errorCode]));
      for (const batch of batches) {
        const errorCode = errors.get(batch.queue.name);
        if (errorCode === undefined)
          failures.set(batch, new EventLogError('corrupt', `the broker did not say what became of ${batch.queue.name}`));
        else if (errorCode !== 0) failures.set(batch, new BrokerError(errorCode, `an append to ${batch.queue.name}`));
      }
    } catch (cause) {
      for (const batch of batches) failures.set(batch, cause);
    }
    if (failures.size > 0) await this.#refresh(leader, [...failures.values()][0]);
    this.#busy.delete(leader);

    const now = performance.now();
    let [records, bytes] = [0, 0];
    for (const batch of batches) {
      const failure = failures.get(batch);
      if (failure === undefined) {
        records += batch.records.count;
        bytes += batch.records.byteLength + BATCH_HEAD_BYTES;
        batch.queue.settled();
        this.#settle(batch, null);
      } else if (isRetriable(failure)) {
        batch.queue.putBack(batch, now, failure);
      } else {
        batch.queue.settled();
        this.#fail(batch, failure);
      }
      if (!batch.queue.empty) this.#waiting.add(batch.queue);
    }
    if (records > 0) {
      const durationMs = now - startedAt;
      onEvent({ type: 'appended', broker: leader, batches: batches.length - failures.size, records, bytes, durationMs });
    }
    if (this.#waiting.size > 0) this.#schedule();
  }

  async #refresh(leader: number, cause: unknown): Promise<void> {
    const { cluster, onEvent } = this.#options;
    if (!isRetriable(cause)) return;
    onEvent({ type: 'append_retried', broker: leader, cause });
    await cluster.refresh().catch(() => {});
  }

  #fail(batch: Batch, cause: unknown): void {
    const { topic, partition, name } = batch.queue;
    const error = appendError(name, cause);
    this.#options.onEvent({ type: 'append_failed', topic, partition, cause: error });
    this.#settle(batch, error);
  }

  #settle(batch: Batch, error: EventLogError | null): void {
    for (const append of batch.appends) {
      if (!append.settle(error)) continue;
      this.#waitingBytes -= append.bytes;
      this.#unsettled.delete(append);
    }
    batch.release();
  }
}

function appendError(partition: string, cause: unknown): EventLogError {
  if (cause instanceof BrokerError && (cause.code === MESSAGE_TOO_LARGE || cause.code === RECORD_LIST_TOO_LARGE)) {
    return new EventLogError('record_too_large', `${partition} takes no batch this large: raise max.message.bytes of the topic`, { cause });
  }
  const error = asLogError(cause, `records could not be appended to ${partition}`);
  // What came over the wire was broken; to the caller it matters that the outcome is not known.
  return error.code === 'corrupt' ? new EventLogError('io', error.message, { cause }) : error;
}
