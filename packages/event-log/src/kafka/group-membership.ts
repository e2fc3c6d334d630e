import { EventLogError } from '../event-log.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import type { GroupCluster } from './group-coordinator.ts';
import { GroupMember, LEAVE_TIMEOUT_MS } from './group-member.ts';
import type { CommitPosition, Heard } from './group-member.ts';
import { ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID } from './group-requests.ts';
import { HeldPartitions } from './held-partitions.ts';
import { Lease } from './lease.ts';
import { BrokerError } from './protocol/broker-error.ts';
import { Signal } from './signal.ts';

/*
 * Membership in a consumer group, by the group's own requests. kafkajs' Consumer is not used: its join, heartbeat and fetch are one loop that
 * ends for good on errors that pass, restarts whole on those that do not, and can not say that a partition was lost until a commit fails.
 *
 *                  ┌──────────── rebalancing, or thrown out ─────────────┐
 *                  v                                                     │
 *     start ──> JoinGroup ──> SyncGroup ──> held ──> heartbeat, heartbeat, ...
 *                  ^               │
 *                  └───────────────┘  had to let go of something: joins again without it
 *
 * Two loops: one joins when it should, the other sends heartbeats, during a join too. Partitions that stay are worked on through a rebalance,
 * and one that moves is first taken away and given to the other in the generation after (see `assignCooperatively`). What makes that safe:
 *
 * - A member says with each join what it holds, and nobody is given a partition that a member of the group says it holds.
 * - A member that the group goes on without has let its lease run out before: see `Lease`.
 * - One that was told, in any way, that the group has gone on without it lets go of everything before it joins again.
 */

const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 30_000;
/** How soon the others notice that a member joins or leaves. */
const HEARTBEAT_MS_MAX = 250;
/** While a rebalance is known to be about to begin, and for how long at most that is believed. */
const HURRIED_HEARTBEAT_MS = 25;
const HURRY_MS = 2000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 1000;
/** So often in a row a join is repeated at once when the group has changed meanwhile. */
const EAGER_JOINS = 3;
/** So many heartbeats may say that the generation is over before the answer to a join is taken for lost. */
const STALE_HEARTBEATS = 3;

export type MembershipEvent =
  | { readonly type: 'joined'; readonly generation: number; readonly partitions: readonly number[]; readonly durationMs: number }
  /** The group was not heard of for too long: nothing is owned until it is. */
  | { readonly type: 'lost_lease' }
  /** The group went on without this member. */
  | { readonly type: 'thrown_out' }
  | { readonly type: 'retrying'; readonly cause: unknown; readonly pauseMs: number };

export interface MembershipOptions {
  readonly cluster: GroupCluster;
  readonly group: string;
  /** One group shares one topic: see `GroupMember`. */
  readonly topic: string;
  readonly partitionCount: number;
  /** Default 10 s; the broker has limits of its own, from 6 s by default. */
  readonly sessionTimeoutMs?: number;
  /** How long the group waits for a member that is alive but does not join; default 30 s. */
  readonly rebalanceTimeoutMs?: number;
  /** Partitions that are ours from now on. Must not throw, as the others must not. */
  readonly onAssigned: (partitions: readonly number[]) => void;
  /** Partitions that are not ours any more, or can not be known to be. Not called by `stop`. */
  readonly onRevoked: (partitions: readonly number[]) => void;
  /** The membership has ended by itself, with an EventLogError `refused`: nothing else ends it. Partitions were revoked before. */
  readonly onFailed: (cause: EventLogError) => void;
  readonly onEvent?: (event: MembershipEvent) => void;
}

/** Begins to join, for ever; resolves before it has. */
export function startMembership(options: MembershipOptions): Promise<GroupMembership> {
  return Promise.resolve(new GroupMembership(options));
}

export class GroupMembership {
  readonly #options: MembershipOptions;
  readonly #sessionTimeoutMs: number;
  readonly #coordinator: GroupCoordinator;
  readonly #member: GroupMember;
  readonly #lease: Lease;
  readonly #held = new HeldPartitions();
  readonly #joinWanted = new Signal();
  readonly #heartbeatWanted = new Signal();
  readonly #watch: NodeJS.Timeout;
  readonly #joining: Promise<void>;
  #commits: Promise<void> = Promise.resolve();
  /** Counts how often everything was let go: what was begun before is not to be gone on with. */
  #epoch = 0;
  #joinUnderWay = false;
  #staleHeartbeats = 0;
  #hurryUntil = 0;
  #leaseLost = false;
  #stopped = false;

  constructor(options: MembershipOptions) {
    const { cluster, group, sessionTimeoutMs = SESSION_TIMEOUT_MS, rebalanceTimeoutMs = REBALANCE_TIMEOUT_MS } = options;
    this.#options = options;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#coordinator = new GroupCoordinator(cluster, group);
    this.#member = new GroupMember(this.#coordinator, { ...options, sessionTimeoutMs, rebalanceTimeoutMs });
    this.#lease = new Lease(sessionTimeoutMs, rebalanceTimeoutMs);
    this.#watch = setInterval(() => this.#watchLease(), sessionTimeoutMs / 20);
    this.#joinWanted.raise();
    this.#joining = this.#keepJoined();
    void this.#keepAlive();
  }

  /** What the group has given us, whether or not the lease on it has run out; null before it has said anything. */
  get assigned(): ReadonlySet<number> | null {
    return this.#held.partitions;
  }

  /** Looks at the clock when asked: true never outlives a process that stood still. */
  owns(partition: number): boolean {
    return !this.#stopped && this.#held.has(partition) && this.#lease.holds(performance.now());
  }

  /**
   * Makes positions durable, all or none: the offset of the next record to handle, by partition.
   * @throws EventLogError `not_owner`, `io`, `refused`; RangeError for a position below one committed since the partition was assigned
   */
  async commit(positions: ReadonlyMap<number, CommitPosition>): Promise<void> {
    this.#assertCommittable(positions);
    // One after the other: a position must not overtake a later one on its way.
    const turn = this.#commits.then(() => this.#commit(positions));
    this.#commits = turn.catch(() => {});
    await turn;
  }

  /** Owns nothing from now on and leaves the group, so that others go on at once. Takes two seconds at most, where no broker answers. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#end();
    const leaving = this.#member.leave(this.#joining).catch(() => {});
    await Promise.race([leaving, pause(LEAVE_TIMEOUT_MS)]);
    this.#coordinator.close();
  }

  #end(): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    this.#joinWanted.raise();
    this.#heartbeatWanted.raise();
  }

  async #keepJoined(): Promise<void> {
    let attempts = 0;
    for (;;) {
      await this.#joinWanted.wait();
      if (this.#stopped) return;
      const epoch = this.#epoch;
      this.#joinUnderWay = true;
      try {
        if (await this.#join()) attempts = 0;
        else {
          attempts++;
          // Whoever never lets go of what it lost must not have the group rebalance without end.
          if (attempts > EAGER_JOINS) await this.#retryAfter(new Error('partitions are handed over again and again'), attempts);
          this.#joinWanted.raise();
        }
      } catch (cause) {
        if (this.#stopped || this.#refused(cause)) return;
        attempts++;
        const code = cause instanceof BrokerError ? cause.code : 0;
        if (epoch === this.#epoch && code === UNKNOWN_MEMBER_ID) this.#throwOut('unknown_member');
        if (epoch === this.#epoch && code === ILLEGAL_GENERATION) this.#throwOut('over');
        const changed = epoch !== this.#epoch || code === REBALANCE_IN_PROGRESS;
        if (!changed || attempts > EAGER_JOINS) await this.#retryAfter(cause, attempts);
        this.#joinWanted.raise();
      }
      this.#joinUnderWay = false;
    }
  }

  /** Resolves to whether no further rebalance is up to us. */
  async #join(): Promise<boolean> {
    const startedAt = performance.now();
    const epoch = this.#epoch;
    const claimed = this.#held.list();
    this.#staleHeartbeats = 0;

    const { sentAt, missedSome, assignments } = await this.#member.join(claimed);
    this.#assertCurrent(epoch);
    if (missedSome) this.#letGo();
    this.#lease.settled(sentAt);
    this.#heartbeatWanted.raise();

    const { generation } = this.#member;
    const given = await this.#member.sync(assignments);
    this.#assertCurrent(missedSome ? epoch + 1 : epoch);
    this.#lease.settled(given.sentAt);
    const { partitions, moreToCome } = given;
    const { lost, gained } = this.#held.change(partitions);
    this.#hurryUntil = moreToCome ? performance.now() + HURRY_MS : 0;
    this.#heartbeatWanted.raise();
    this.#tell({ type: 'joined', generation, partitions, durationMs: performance.now() - startedAt });
    if (lost.length > 0) this.#options.onRevoked(lost);
    if (gained.length > 0) this.#options.onAssigned(gained);
    return claimed.every((partition) => partitions.includes(partition));
  }

  async #keepAlive(): Promise<void> {
    const intervalMs = Math.min(HEARTBEAT_MS_MAX, this.#sessionTimeoutMs / 10);
    let failures = 0;
    for (;;) {
      if (this.#stopped) return;
      const epoch = this.#epoch;
      try {
        if (this.#member.generation >= 0) {
          const heard = await this.#member.heartbeat();
          failures = 0;
          if (!this.#stopped && epoch === this.#epoch) this.#hear(heard);
        }
        await this.#heartbeatWanted.wait(performance.now() < this.#hurryUntil ? HURRIED_HEARTBEAT_MS : intervalMs);
      } catch (cause) {
        if (this.#stopped || this.#refused(cause)) return;
        await this.#retryAfter(cause, ++failures);
      }
    }
  }

  #hear({ sentAt, current, said }: Heard): void {
    if (said === 'settled') this.#lease.settled(sentAt);
    if (said === 'rebalancing') this.#lease.rebalancing(sentAt);
    if (said === 'unknown_member') this.#throwOut(said);
    if (said === 'over' && current && !this.#joinUnderWay) this.#throwOut(said);
    else if (said === 'over' && current && ++this.#staleHeartbeats >= STALE_HEARTBEATS) {
      // The group has gone on with the join that we wait for, or without it: asking again tells.
      this.#coordinator.drop('join', 'the answer to a join did not come');
    }
    if (said === 'rebalancing' && current && !this.#joinUnderWay) {
      this.#hurryUntil = 0;
      this.#joinWanted.raise();
    }
  }

  /** The group went on without us: whatever we held may be another's by now. */
  #throwOut(why: 'unknown_member' | 'over'): void {
    if (this.#held.size > 0) this.#tell({ type: 'thrown_out' });
    if (why === 'unknown_member') this.#member.forget();
    this.#joinAnew('thrown out of the group');
  }

  #joinAnew(why: string): void {
    this.#letGo();
    this.#coordinator.drop('join', why);
    this.#joinWanted.raise();
  }

  #letGo(): void {
    this.#epoch++;
    this.#lease.end();
    const lost = this.#held.clear();
    if (lost.length > 0) this.#options.onRevoked(lost);
  }

  #watchLease(): void {
    const now = performance.now();
    const lost = this.#held.size > 0 && !this.#lease.holds(now);
    if (lost && !this.#leaseLost) this.#tell({ type: 'lost_lease' });
    this.#leaseLost = lost;
    if (lost && this.#lease.abandoned(now)) this.#joinAnew('what it claimed was let go');
  }

  #assertCommittable(positions: ReadonlyMap<number, CommitPosition>): void {
    const { topic, group } = this.#options;
    for (const partition of positions.keys()) {
      if (this.owns(partition)) continue;
      throw new EventLogError('not_owner', `${topic}/${partition} is not, or not surely, assigned to this member of ${group}`);
    }
    for (const [partition, { offset }] of positions) this.#held.assertForward(partition, offset);
  }

  async #commit(positions: ReadonlyMap<number, CommitPosition>): Promise<void> {
    if (positions.size === 0) return;
    this.#assertCommittable(positions);
    const { group, topic } = this.#options;
    const epoch = this.#epoch;
    try {
      await this.#member.commit(positions);
    } catch (cause) {
      if (cause instanceof EventLogError) throw cause;
      const code = cause instanceof BrokerError ? cause.code : 0;
      if (code !== UNKNOWN_MEMBER_ID && code !== ILLEGAL_GENERATION && code !== REBALANCE_IN_PROGRESS) {
        throw new EventLogError('io', `positions of ${topic} could not be committed: ${String(cause)}`, { cause });
      }
      // A heartbeat finds out what is the matter.
      this.#heartbeatWanted.raise();
      throw new EventLogError('not_owner', `the group ${group} has changed, or is about to`, { cause });
    }
    if (epoch !== this.#epoch) return;
    for (const [partition, { offset }] of positions) this.#held.committed(partition, offset);
  }

  /** Whether that was what ends a membership. */
  #refused(cause: unknown): boolean {
    if (!(cause instanceof EventLogError) || cause.code !== 'refused') return false;
    if (this.#stopped) return true;
    this.#letGo();
    this.#end();
    this.#coordinator.close();
    this.#options.onFailed(cause);
    return true;
  }

  async #retryAfter(cause: unknown, failures: number): Promise<void> {
    const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (failures - 1)) * (0.75 + Math.random() / 4);
    this.#tell({ type: 'retrying', cause, pauseMs });
    await pause(pauseMs);
  }

  #assertCurrent(epoch: number): void {
    if (this.#stopped) throw new EventLogError('closed', 'the membership has ended');
    if (epoch !== this.#epoch) throw new EventLogError('not_owner', 'the group went on without this member while it joined');
  }

  #tell(event: MembershipEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Keeps no process alive: the watch over the lease does, until the membership ends. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
