import { EventLogError, type RecordBlock, type SubscribeOptions, type Subscription } from '@touchstone/event-log';
import type { BrokerPartition } from './broker.ts';
import type { Assignment, Coordinator } from './coordinator.ts';
import { deliver, type Delivery } from './delivery.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { LogWorld } from './log-world.ts';

/** A member believes in its assignment for this part of the session timeout after it was last heard of. */
const LEASE_PART = 2 / 3;
const HEARTBEATS_A_SESSION = 4;

/**
 * One member of a consumer group, as the Kafka adapter promises it: it owns a partition only while it has been heard of lately, counted from when
 * it spoke. It learns late what was decided, and a handler under way goes on meanwhile.
 *
 *     joining --assigned--> member --told to join again, or not sure any more--> joining
 */
export class GroupSubscription implements Subscription {
  readonly #options: SubscribeOptions;
  readonly #world: LogWorld;
  readonly #host: Host;
  readonly #link: Link;
  readonly #coordinator: Coordinator;
  readonly #partitions: readonly BrokerPartition[];
  readonly #deliveries = new Map<number, Delivery>();
  readonly #lastDeliveries = new Map<number, Delivery>();
  readonly #paused = new Set<number>();
  readonly #handling = new Set<Promise<void>>();
  readonly #id: string;
  #lives = 0;
  #joins = 0;
  #generation = -1;
  #assigned: Set<number> | null = null;
  #isJoining = false;
  #heardAt = 0;
  #isStopped = false;

  constructor(options: SubscribeOptions, host: Host, link: Link, world: LogWorld) {
    this.#options = options;
    this.#host = host;
    this.#link = link;
    this.#world = world;
    this.#coordinator = world.coordinator;
    this.#partitions = world.broker.partitionsOf(options.topic);
    this.#id = host.name;
    host.receive(0, () => this.#join());
    this.#beatLater();
  }

  get assigned(): ReadonlySet<number> | null {
    return this.#assigned;
  }

  owns(partition: number): boolean {
    return !this.#isStopped && !this.#isJoining && this.#isSure() && (this.#assigned?.has(partition) ?? false);
  }

  /** Number of the tenure in which the partition was given to this member; -1 when it was not. */
  tenureOf(partition: number): number {
    return this.#deliveries.get(partition)?.tenure ?? -1;
  }

  /** Where the log ended when the partition was given to this member. */
  endAtAssignment(partition: number): number {
    return this.#deliveries.get(partition)?.endAtAssignment ?? -1;
  }

  pause(partition: number): void {
    this.#paused.add(partition);
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
    this.#deliveries.get(partition)?.wake();
  }

  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    const { group, topic } = this.#options;
    for (const [partition, offset] of positions) {
      const delivery = this.#deliveries.get(partition);
      if (delivery === undefined) throw new EventLogError('not_owner', `partition ${partition} is not assigned`);
      if (offset < delivery.committed) throw new RangeError(`${offset} is below ${delivery.committed}, which is committed`);
      this.#world.observer.commits(this, partition, this.owns(partition));
    }
    const tenures = new Map([...positions.keys()].map((partition) => [partition, this.tenureOf(partition)]));
    const generation = this.#generation;
    const id = this.#memberId;
    await this.#link.call((isLate) => {
      if (!this.#coordinator.isCurrent(id, generation)) {
        if (!this.#world.takesCommitsOfFormerOwners()) throw new EventLogError('not_owner', 'the group has gone on without this member');
        this.#world.counts.add('commit of a former member taken');
      }
      const committed = this.#world.broker.committedOf(topic, group!);
      for (const [partition, offset] of positions) {
        const { end, generation: ofTopic } = this.#partitions[partition]!;
        if (offset > end) throw new RangeError(`${offset} is past the end ${end} of partition ${partition}`);
        const isOwner = !isLate && tenures.get(partition) === this.#coordinator.tenureOf(partition);
        this.#world.observer.committed(partition, offset, isOwner);
        committed.set(partition, { offset, generation: ofTopic });
      }
    });
    for (const [partition, offset] of positions) {
      const delivery = this.#deliveries.get(partition);
      if (delivery !== undefined && delivery.tenure === tenures.get(partition)) delivery.committed = Math.max(delivery.committed, offset);
    }
  }

  async stop(): Promise<void> {
    if (!this.#isStopped) {
      this.#end();
      this.#link.call(() => this.#coordinator.leave(this.#memberId)).catch(() => {});
    }
    while (this.#handling.size > 0) await Promise.all(this.#handling);
  }

  get #memberId(): string {
    return `${this.#id}.${this.#lives}`;
  }

  #isSure(): boolean {
    return this.#host.elapsed() - this.#heardAt < this.#world.sessionTimeoutMs * LEASE_PART;
  }

  #join(): void {
    if (this.#isStopped) return;
    this.#isJoining = true;
    if (this.#world.revokesToJoin()) this.#revoke([...this.#deliveries.keys()]);
    const id = this.#memberId;
    const join = ++this.#joins;
    const isWaiting = (): boolean => !this.#isStopped && join === this.#joins;
    // The coordinator answers when all have joined. What it answers to a join that was given up does not count.
    this.#link
      .call(() => {
        this.#coordinator.join(id, join, (assignment) => {
          this.#host.receive(this.#world.assignmentDelayMs(), () => isWaiting() && this.#take(assignment));
        });
      })
      .catch(() => this.#host.after(200, () => isWaiting() && this.#isJoining && this.#join()));
    this.#host.after(this.#world.sessionTimeoutMs * 4, () => isWaiting() && this.#isJoining && this.#join());
  }

  #take({ decidedAt, generation, tenures }: Assignment): void {
    this.#world.trace.note('takes', this.#memberId, generation, [...tenures.keys()].join(','));
    this.#isJoining = false;
    this.#generation = generation;
    this.#heardAt = decidedAt;
    if (!this.#isSure()) {
      this.#lose();
      return;
    }
    this.#revoke(
      [...this.#deliveries].filter(([partition, { tenure }]) => tenures.get(partition) !== tenure).map(([partition]) => partition),
    );
    this.#assigned = new Set(tenures.keys());
    for (const [partition, tenure] of tenures) if (!this.#deliveries.has(partition)) this.#assign(partition, tenure);
  }

  #assign(partition: number, tenure: number): void {
    const former = this.#world.overlapsHandlers() ? undefined : this.#lastDeliveries.get(partition);
    const delivery: Delivery = deliver({
      partition: this.#partitions[partition]!,
      tenure,
      former: former?.ended ?? Promise.resolve(),
      host: this.#host,
      world: this.#world,
      isPaused: () => this.#paused.has(partition),
      isCurrent: (self) => !this.#isStopped && this.#deliveries.get(partition) === self,
      begin: () => this.#options.onAssigned(partition),
      handle: (block: RecordBlock) => this.#options.onBlock(block),
      onFailed: (cause) => this.#fail(cause),
    });
    this.#deliveries.set(partition, delivery);
    this.#lastDeliveries.set(partition, delivery);
    this.#handling.add(delivery.ended);
    void delivery.ended.then(() => this.#handling.delete(delivery.ended));
  }

  #revoke(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const delivery = this.#deliveries.get(partition);
      this.#deliveries.delete(partition);
      this.#assigned?.delete(partition);
      this.#paused.delete(partition);
      delivery?.wake();
      this.#world.trace.note('is revoked', this.#memberId, partition);
      this.#options.onRevoked?.(partition);
    }
  }

  /** Not heard of for too long: others may have the partitions by now. */
  #lose(): void {
    this.#revoke([...this.#deliveries.keys()]);
    const former = this.#memberId;
    if (this.#world.leavesPolitely()) this.#link.call(() => this.#coordinator.leave(former)).catch(() => {});
    this.#lives++;
    this.#join();
  }

  #beatLater(): void {
    this.#host.after(this.#world.sessionTimeoutMs / HEARTBEATS_A_SESSION, () => {
      if (this.#isStopped) return;
      if (!this.#isJoining && !this.#isSure()) this.#lose();
      else if (!this.#isJoining) this.#beat();
      this.#beatLater();
    });
  }

  #beat(): void {
    const saidAt = this.#host.elapsed();
    const id = this.#memberId;
    this.#link
      .call(() => this.#coordinator.heartbeat(id, this.#generation))
      .then((answer) => {
        if (this.#isStopped || this.#isJoining || id !== this.#memberId) return;
        if (answer === 'unknown') this.#lose();
        else if (answer === 'rebalance') this.#join();
        else this.#heardAt = Math.max(this.#heardAt, saidAt);
      })
      .catch(() => {});
  }

  #fail(cause: unknown): void {
    if (this.#isStopped) return;
    this.#end();
    this.#link.call(() => this.#coordinator.leave(this.#memberId)).catch(() => {});
    this.#options.onFailed(cause);
  }

  #end(): void {
    this.#isStopped = true;
    for (const delivery of this.#deliveries.values()) delivery.wake();
  }
}
