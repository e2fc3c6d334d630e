import type { EventLogError } from '../event-log.ts';
import { RecordBlockBuilder } from '../record-block.ts';
import { Backoff } from './retry.ts';

/** Batches are cut at this size, so that reading one costs bounded time and memory; a larger record has a batch of its own. */
export const BATCH_BYTES_MAX = 1024 * 1024;
/** A batch takes no more once its first record is so old: what is given up after too long a wait is then about equally old. */
const COLLECT_MS_MAX = 1_000;
/** Arenas above this go back to the collector instead of being used again. */
const SPARE_BYTES_MAX = 256 * 1024;

/** One call of `append`: its records may be in several batches. */
export class Append {
  readonly outcome = Promise.withResolvers<void>();
  readonly bytes: number;
  #open = 0;
  #error: EventLogError | null = null;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  join(): void {
    this.#open++;
  }

  /** One of its batches is through, or given up. True when it was the last one, and the caller knows. */
  settle(error: EventLogError | null): boolean {
    this.#error ??= error;
    if (--this.#open > 0) return false;
    if (this.#error === null) this.outcome.resolve();
    else this.outcome.reject(this.#error);
    return true;
  }
}

/** Records of one partition that are sent together, and again together if need be. */
export class Batch {
  readonly queue: PartitionQueue;
  readonly records: RecordBlockBuilder;
  readonly appends = new Set<Append>();
  /** By `performance.now`. */
  readonly openedAt: number;
  /** Nothing is added any more: it was sent once, and whether it arrived is not known. */
  sealed = false;

  constructor(queue: PartitionQueue, records: RecordBlockBuilder, openedAt: number) {
    this.queue = queue;
    this.records = records;
    this.openedAt = openedAt;
  }

  release(): void {
    this.appends.clear();
    this.queue.takeBack(this.records);
  }
}

/** What waits to be appended to one partition, oldest first. */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  readonly #batches: Batch[] = [];
  readonly #backoff = new Backoff();
  #spare: RecordBlockBuilder | null = null;
  #underWay = false;
  /** By `performance.now`: nothing is sent before. */
  retryAt = 0;
  lastFailure: unknown = new Error('no broker took them in time');

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic}/${partition}`;
  }

  /** Whether a batch was taken and nothing is known of it yet. */
  get underWay(): boolean {
    return this.#underWay;
  }

  get empty(): boolean {
    return this.#batches.length === 0;
  }

  get nextBytes(): number {
    return this.#batches[0]?.records.byteLength ?? 0;
  }

  add(append: Append, key: Uint8Array | null, value: Uint8Array | null, bytes: number, now: number): void {
    let batch = this.#batches.at(-1);
    if (
      batch === undefined ||
      batch.sealed ||
      batch.records.byteLength + bytes > BATCH_BYTES_MAX ||
      now - batch.openedAt > COLLECT_MS_MAX
    ) {
      batch = new Batch(this, this.#spare ?? new RecordBlockBuilder(), now);
      this.#spare = null;
      this.#batches.push(batch);
    }
    batch.records.append(key, value);
    if (!batch.appends.has(append)) {
      batch.appends.add(append);
      append.join();
    }
  }

  /** The oldest batch, which nothing is added to from now on. */
  take(): Batch {
    const batch = this.#batches.shift()!;
    batch.sealed = true;
    this.#underWay = true;
    return batch;
  }

  /** The batch that was taken is through, for good or ill. */
  settled(): void {
    this.#underWay = false;
    this.#backoff.reset();
    this.retryAt = 0;
  }

  /** The batch that was taken is to be sent again, before all others. */
  putBack(batch: Batch, now: number, cause: unknown): void {
    this.#underWay = false;
    this.#batches.unshift(batch);
    this.putOff(now, cause);
  }

  /** Nothing is sent for a while; returns until when. */
  putOff(now: number, cause: unknown): number {
    this.lastFailure = cause;
    this.retryAt = now + this.#backoff.next();
    return this.retryAt;
  }

  dropOlderThan(openedAt: number): Batch[] {
    let count = 0;
    while (count < this.#batches.length && this.#batches[count]!.openedAt <= openedAt) count++;
    return count === 0 ? [] : this.#batches.splice(0, count);
  }

  takeBack(records: RecordBlockBuilder): void {
    if (records.capacity > SPARE_BYTES_MAX) return;
    records.reset();
    this.#spare = records;
  }
}
