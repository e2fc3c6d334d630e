import { EventLogError } from '../event-log.ts';
import type { RecordBlock, SubscribeOptions, Subscription } from '../event-log.ts';
import { blockFrom } from '../record-block.ts';
import type { Turn } from '../turn.ts';
import type { Cluster } from './cluster.ts';
import { FetchLoop, WAITING_MAX } from './fetch-loop.ts';
import type { GroupMembership, MembershipOptions } from './group-membership.ts';
import type { KafkaLogEvent } from './kafka-events.ts';
import { PartitionCursor } from './partition-cursor.ts';
import { BrokerError, OFFSET_OUT_OF_RANGE } from './protocol/broker-error.ts';
import type { FetchedPartition } from './protocol/fetch.ts';
import { asLogError, isRetriable } from './retry.ts';
import { VisibleBatches } from './visible-batches.ts';

export type MembershipCallbacks = Pick<MembershipOptions, 'onAssigned' | 'onRevoked' | 'onFailed'>;
export type Membership = Pick<GroupMembership, 'assigned' | 'owns' | 'commit' | 'stop'>;

export interface KafkaSubscriptionParts {
  readonly cluster: Cluster;
  readonly turn: Turn;
  readonly partitionCount: number;
  /** The topic's id when the log was opened. */
  readonly generation: string;
  readonly requestTimeoutMs: number;
  /** Joins the group of the subscription; null without a group. */
  readonly join: ((callbacks: MembershipCallbacks) => Promise<Membership>) | null;
  /** @throws EventLogError */
  readonly extent: (partition: number) => Promise<{ readonly start: number; readonly end: number }>;
  readonly onEvent: (event: KafkaLogEvent) => void;
  /** It was stopped, or has ended by itself, and no handler runs any more. */
  readonly onEnded: () => void;
}

/** So often in a row bytes of a partition may be unreadable before the subscription gives up: the first may have been broken on their way. */
const UNREADABLE_MAX = 3;

/**
 * Hands over the blocks of the partitions that are assigned, each partition in turns of its own:
 *
 *     assigned ──> onAssigned ──> [ wanted: not paused ] ──> fetched ──> onBlock, block by block ──┐
 *                                          ^───────────────────────────────────────────────────────┘
 *
 * A partition that is taken away loses its cursor, and with it everything that was under way for it, but for a handler that runs: when the
 * partition comes back, `onAssigned` waits for that one. Lost connections and moved leaders are waited out. The first failure of another kind,
 * or thrown by a handler, ends the subscription and is told once.
 */
export class KafkaSubscription implements Subscription {
  readonly #options: SubscribeOptions;
  readonly #parts: KafkaSubscriptionParts;
  readonly #fetching: FetchLoop;
  readonly #cursors = new Map<number, PartitionCursor>();
  readonly #paused = new Set<number>();
  /** Handlers that run, by partition: also of partitions that were taken away. */
  readonly #handlers = new Map<number, Promise<void>>();
  /** As far as is known from what was fetched, an offset that is there. */
  readonly #ends = new Map<number, number>();
  readonly #unwatch: () => void;
  readonly #everyPartition: ReadonlySet<number>;
  #membership: Membership | null = null;
  #stopped = false;
  #ending: Promise<void> | null = null;

  private constructor(options: SubscribeOptions, parts: KafkaSubscriptionParts) {
    this.#options = options;
    this.#parts = parts;
    this.#everyPartition = new Set(Array.from({ length: parts.partitionCount }, (_, partition) => partition));
    const { cluster, generation, requestTimeoutMs, onEvent } = parts;
    const { topic } = options;
    this.#fetching = new FetchLoop({
      cluster,
      topic,
      topicId: generation,
      requestTimeoutMs,
      wanted: () => this.#wanted(),
      deliver: (cursor, offset, fetched) => this.#deliver(cursor, offset, fetched),
      onRetry: (broker, cause) => onEvent({ type: 'fetch_retried', topic, broker, cause }),
      onFailed: (cause) => this.#fail(asLogError(cause, `${topic} could not be read`)),
    });
    this.#unwatch = cluster.watch(() => this.#checkTopic());
  }

  static async start(options: SubscribeOptions, parts: KafkaSubscriptionParts): Promise<KafkaSubscription> {
    const subscription = new KafkaSubscription(options, parts);
    if (parts.join === null) {
      subscription.#assign([...subscription.#everyPartition]);
      return subscription;
    }
    subscription.#membership = await parts.join({
      onAssigned: (partitions) => subscription.#assign(partitions),
      onRevoked: (partitions) => subscription.#revoke(partitions),
      onFailed: (cause) => subscription.#fail(cause),
    });
    return subscription;
  }

  get assigned(): ReadonlySet<number> | null {
    return this.#options.group === null ? this.#everyPartition : (this.#membership?.assigned ?? null);
  }

  owns(partition: number): boolean {
    if (this.#stopped) return false;
    return this.#options.group === null ? this.#everyPartition.has(partition) : (this.#membership?.owns(partition) ?? false);
  }

  pause(partition: number): void {
    this.#paused.add(partition);
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
    this.#fetching.wake();
  }

  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    const { topic, group } = this.#options;
    const membership = this.#membership;
    for (const partition of positions.keys()) {
      if (membership !== null && this.owns(partition)) continue;
      const why = group === null ? 'has no group' : 'does not, or not surely, own the partition';
      throw new EventLogError('not_owner', `this subscription ${why}: ${topic}/${partition} can not be committed`);
    }
    for (const [partition, offset] of positions) await this.#assertNotPastEnd(partition, offset);
    const metadata = this.#parts.generation;
    await membership?.commit(new Map([...positions].map(([partition, offset]) => [partition, { offset, metadata }])));
  }

  /** Waits for `onAssigned` as well. Do not await it inside a handler, for which it waits. */
  async stop(): Promise<void> {
    this.#end();
    await this.#ending;
  }

  /** Resolves at once: what goes on is waited for by `stop`. */
  #end(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unwatch();
    this.#fetching.stop();
    for (const cursor of this.#cursors.values()) cursor.gone = true;
    this.#ending = this.#finish().finally(this.#parts.onEnded);
  }

  /** The group is left last: until then nobody else begins with what a handler is at. */
  async #finish(): Promise<void> {
    while (this.#handlers.size > 0) await Promise.all(this.#handlers.values());
    await this.#membership?.stop();
  }

  #fail(cause: unknown): void {
    if (this.#stopped) return;
    this.#end();
    this.#options.onFailed(cause);
  }

  *#wanted(): Iterable<PartitionCursor> {
    for (const cursor of this.#cursors.values()) {
      const isReady = cursor.offset !== null && !cursor.busy && cursor.waiting < WAITING_MAX;
      if (isReady && !cursor.gone && !this.#paused.has(cursor.partition)) yield cursor;
    }
  }

  #assign(partitions: readonly number[]): void {
    for (const partition of partitions) {
      if (this.#stopped) return;
      const cursor = new PartitionCursor(partition);
      this.#cursors.set(partition, cursor);
      const { topic, group } = this.#options;
      this.#parts.onEvent({ type: 'assigned', topic, group, partition });
      void this.#handle(cursor, () => this.#begin(cursor));
    }
  }

  #revoke(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const cursor = this.#cursors.get(partition);
      if (cursor === undefined) continue;
      cursor.gone = true;
      this.#cursors.delete(partition);
      this.#ends.delete(partition);
      this.#paused.delete(partition);
      const { topic, group, onRevoked } = this.#options;
      this.#parts.onEvent({ type: 'revoked', topic, group, partition });
      if (!this.#stopped) onRevoked?.(partition);
    }
  }

  async #begin(cursor: PartitionCursor): Promise<void> {
    // So that the subscriber holds the subscription before its handlers are called.
    await new Promise(setImmediate);
    if (cursor.gone) return;
    const offset = await this.#options.onAssigned(cursor.partition);
    if (!Number.isSafeInteger(offset) || offset < 0) throw this.#outOfRange(cursor.partition, offset, null);
    cursor.offset = offset;
    this.#fetching.wake();
  }

  /** Runs a handler of the partition after the one before it; what it throws ends the subscription. */
  #handle(cursor: PartitionCursor, run: () => Promise<void>): Promise<void> {
    const { partition } = cursor;
    const before = this.#handlers.get(partition) ?? Promise.resolve();
    const running = before
      .then(() => (cursor.gone ? undefined : run()))
      .catch((cause: unknown) => {
        // What goes wrong with a partition that is another's by now is no reason to give up the rest.
        if (!cursor.gone) this.#fail(cause);
      });
    this.#handlers.set(partition, running);
    return running.finally(() => {
      if (this.#handlers.get(partition) === running) this.#handlers.delete(partition);
    });
  }

  #deliver(cursor: PartitionCursor, offset: number, fetched: FetchedPartition): Promise<void> {
    if (cursor.gone) return Promise.resolve();
    if (fetched.errorCode !== 0) return this.#handle(cursor, () => this.#refused(cursor, offset, fetched.errorCode));
    this.#ends.set(cursor.partition, fetched.highWatermark);
    cursor.backoff.reset();
    const { records } = fetched;
    if (records === null || records.length === 0) return Promise.resolve();
    return this.#handle(cursor, async () => {
      // What comes before it was not handed over after all: both are asked for again.
      if (cursor.offset !== offset) return;
      await this.#handOver(cursor, new VisibleBatches(cursor.partition, offset, records, fetched.aborted));
    });
  }

  async #handOver(cursor: PartitionCursor, batches: VisibleBatches): Promise<void> {
    const { partition } = cursor;
    for (let handed = 0; ; handed++) {
      await this.#parts.turn.take();
      // Meanwhile the partition may have been paused, or lost: what was fetched is asked for again later.
      if (cursor.gone || this.#paused.has(partition)) return;
      const from = cursor.offset!;
      const block = this.#read(cursor, batches, handed);
      if (block === null) return;
      await this.#options.onBlock(blockFrom(block, from));
      cursor.offset = block.nextOffset;
    }
  }

  /** Null when there is nothing more in what was fetched, or it can not be read and is to be fetched again. */
  #read(cursor: PartitionCursor, batches: VisibleBatches, handed: number): RecordBlock | null {
    const { partition } = cursor;
    try {
      const block = batches.next();
      if (block !== null) cursor.unreadable = 0;
      else if (handed === 0) throw new EventLogError('corrupt', 'a record batch is longer than what the broker sent of it');
      return block;
    } catch (cause) {
      const where = `${this.#options.topic}/${partition} at offset ${cursor.offset}`;
      const why = cause instanceof Error ? cause.message : String(cause);
      if (++cursor.unreadable >= UNREADABLE_MAX) throw new EventLogError('corrupt', `${where} can not be read: ${why}`, { cause });
      cursor.retryAt = performance.now() + cursor.backoff.next();
      return null;
    }
  }

  async #refused(cursor: PartitionCursor, offset: number, errorCode: number): Promise<void> {
    const { cluster, onEvent, extent } = this.#parts;
    const { topic } = this.#options;
    const { partition } = cursor;
    const cause = new BrokerError(errorCode, `reading ${topic}/${partition}`);
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      // A topic made anew looks like this too, and is a failure of its own.
      await cluster.refresh().catch(() => {});
      if (cursor.gone) return;
      throw this.#outOfRange(partition, offset, await extent(partition).catch(() => null));
    }
    if (!isRetriable(cause)) throw asLogError(cause, `${topic} could not be read`);
    onEvent({ type: 'fetch_retried', topic, broker: cluster.leader(topic, partition) ?? -1, cause });
    cursor.retryAt = performance.now() + cursor.backoff.next();
    if (cause.kind === 'refresh') await cluster.refresh().catch(() => {});
  }

  #outOfRange(partition: number, offset: number, extent: { readonly start: number; readonly end: number } | null): EventLogError {
    const holds = extent === null ? 'does not hold that' : `holds offsets ${extent.start} to ${extent.end}`;
    return new EventLogError('offset_out_of_range', `${this.#options.topic}/${partition} can not be read from ${offset}: it ${holds}`);
  }

  async #assertNotPastEnd(partition: number, offset: number): Promise<void> {
    if (offset <= (this.#ends.get(partition) ?? 0)) return;
    const { end } = await this.#parts.extent(partition);
    if (!(offset <= end)) throw new RangeError(`${this.#options.topic}/${partition} ends at ${end}: ${offset} can not be committed`);
  }

  /** After every refresh of what is known: nothing may be read or committed in a topic that is another one by now. */
  #checkTopic(): void {
    const { cluster, generation, partitionCount } = this.#parts;
    const { topic } = this.#options;
    const state = cluster.topic(topic);
    if (state === null) return;
    if (state.id !== generation) {
      this.#fail(
        new EventLogError(
          'topic_mismatch',
          `topic ${topic} was made anew while it was read: its id was ${generation} and is ${state.id}. Start this program again`,
        ),
      );
    } else if (state.leaders.length !== partitionCount) {
      this.#fail(
        new EventLogError(
          'topic_mismatch',
          `topic ${topic} has ${state.leaders.length} partitions by now, not ${partitionCount}: the partition of a key depends on their number`,
        ),
      );
    }
  }
}
