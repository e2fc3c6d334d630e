import {
  EventLogError,
  type CommittedPosition,
  type EventLog,
  type OutgoingRecord,
  type PartitionExtent,
  type SubscribeOptions,
  type Subscription,
} from '@touchstone/event-log';
import { followAll } from './follow-all.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { LogWorld } from './log-world.ts';
import { GroupSubscription } from './model-subscription.ts';

/** The event log as one host sees it, over its own connection. */
export class ModelLog implements EventLog {
  readonly #host: Host;
  readonly #link: Link;
  readonly #world: LogWorld;
  #subscription: GroupSubscription | null = null;
  #isClosed = false;

  constructor(host: Host, link: Link, world: LogWorld) {
    this.#host = host;
    this.#link = link;
    this.#world = world;
  }

  /** The host's membership in its group; null before it subscribed. */
  get subscription(): GroupSubscription | null {
    return this.#subscription;
  }

  partitionCount(topic: string): number {
    return this.#world.broker.partitionsOf(topic).length;
  }

  async append(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    this.#assertOpen();
    if (records.length === 0) return;
    const subscription = this.#subscription;
    this.#world.observer.appends(topic, records, subscription);
    const sent = records.map((record) => ({ ...record }));
    const tenures = new Map(sent.map(({ partition = -1 }) => [partition, subscription?.tenureOf(partition) ?? -1]));
    const take = (taken: readonly OutgoingRecord[], isLate: boolean): void => {
      for (const appended of this.#world.broker.append(topic, taken)) {
        const { index } = appended.partition;
        this.#world.observer.appended(appended, !isLate && tenures.get(index) === this.#world.coordinator.tenureOf(index));
      }
    };
    // Partitions have leaders of their own: an append that fails may have reached some of them.
    const first = sent[0]!.partition;
    await this.#link.call(
      (isLate) => take(sent, isLate),
      () =>
        take(
          sent.filter(({ partition }) => partition === first),
          true,
        ),
    );
  }

  extents(topic: string): Promise<readonly PartitionExtent[]> {
    this.#assertOpen();
    const partitions = this.#world.broker.partitionsOf(topic);
    return this.#link.call(() => partitions.map(({ end, generation, index, start }) => ({ partition: index, start, end, generation })));
  }

  committed(topic: string, group: string): Promise<ReadonlyMap<number, CommittedPosition>> {
    this.#assertOpen();
    return this.#link.call(() => new Map(this.#world.broker.committedOf(topic, group)));
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    this.#assertOpen();
    if (options.group === null) return followAll(options, this.#host, this.#world);
    await this.#link.call(() => {});
    this.#subscription = new GroupSubscription(options, this.#host, this.#link, this.#world);
    return this.#subscription;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#subscription?.stop();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new EventLogError('closed', 'the log is closed');
  }
}
