import type { Random } from '../support/random.ts';
import type { Timeline } from './timeline.ts';
import type { Trace } from './trace.ts';

export interface CoordinatorOptions {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly trace: Trace;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Whether members keep the partitions they had, as far as that is fair. */
  readonly isSticky: boolean;
}

/** What a member is given at the end of a rebalance. */
export interface Assignment {
  /** When it was decided: until then the member was heard of. */
  readonly decidedAt: number;
  readonly generation: number;
  /** Partitions, each with the number of its tenure. */
  readonly tenures: ReadonlyMap<number, number>;
}

interface Member {
  readonly id: string;
  lastSeenAt: number;
  /** Number of its newest join: an older one that arrives late says nothing any more. */
  join: number;
  /** Answers the join that waits; null when none does. */
  answer: ((assignment: Assignment) => void) | null;
}

/**
 * The broker's side of a consumer group: members join, are heard of, leave or are given up, and whenever that happens all of them join again and
 * the partitions are shared out anew.
 *
 *     stable --join, leave, silence--> gathering --all have joined, or time is up--> stable
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #members = new Map<string, Member>();
  readonly #owners = new Map<number, string>();
  /** Counts the owners of each partition: who holds the newest number is the owner. */
  readonly #tenures = new Map<number, number>();
  #generation = 0;
  #isGathering = false;
  #cancelDeadline: () => void = () => {};
  rebalances = 0;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** Whose the partition is, by the number of its tenure: whoever was told a lower one is a former owner. */
  tenureOf(partition: number): number {
    return this.#tenures.get(partition) ?? 0;
  }

  join(id: string, join: number, answer: (assignment: Assignment) => void): void {
    const { timeline } = this.#options;
    const known = this.#members.get(id);
    if (known !== undefined && join < known.join) return;
    this.#members.set(id, { id, join, lastSeenAt: timeline.now, answer });
    if (known === undefined) this.#watch(id);
    this.#gather();
    this.#endIfAllJoined();
  }

  heartbeat(id: string, generation: number): 'ok' | 'rebalance' | 'unknown' {
    const member = this.#members.get(id);
    if (member === undefined) return 'unknown';
    member.lastSeenAt = this.#options.timeline.now;
    return this.#isGathering || generation !== this.#generation ? 'rebalance' : 'ok';
  }

  leave(id: string): void {
    if (!this.#members.delete(id)) return;
    this.#options.trace.note('leaves', id);
    this.#gather();
    this.#endIfAllJoined();
  }

  /** Whether it is a member as of the newest rebalance. What it owns is not asked, as a broker does not. */
  isCurrent(id: string, generation: number): boolean {
    return this.#members.has(id) && generation === this.#generation;
  }

  /** All join again, though nothing has happened. */
  disturb(): void {
    if (this.#members.size > 0) this.#gather();
  }

  #watch(id: string): void {
    const { sessionTimeoutMs, timeline, trace } = this.#options;
    const member = this.#members.get(id);
    if (member === undefined) return;
    const silentMs = timeline.now - member.lastSeenAt;
    // A member that waits for the end of a rebalance has nothing to say.
    if (silentMs >= sessionTimeoutMs && member.answer === null) {
      trace.note('is given up', id);
      this.#members.delete(id);
      this.#gather();
      this.#endIfAllJoined();
      return;
    }
    timeline.after(member.answer === null ? sessionTimeoutMs - silentMs : sessionTimeoutMs, () => this.#watch(id));
  }

  #gather(): void {
    if (this.#isGathering) return;
    const { rebalanceTimeoutMs, timeline } = this.#options;
    this.#isGathering = true;
    this.rebalances++;
    this.#cancelDeadline = timeline.after(rebalanceTimeoutMs, () => this.#end());
  }

  #endIfAllJoined(): void {
    if (!this.#isGathering || this.#members.size === 0) return;
    for (const { answer } of this.#members.values()) if (answer === null) return;
    this.#cancelDeadline();
    this.#cancelDeadline = this.#options.timeline.after(1, () => this.#end());
  }

  #end(): void {
    const { timeline, trace } = this.#options;
    for (const { answer, id } of this.#members.values()) if (answer === null) this.#members.delete(id);
    this.#isGathering = false;
    this.#generation++;
    this.#assign();
    const shares = new Map<string, Map<number, number>>();
    for (const [partition, id] of this.#owners) {
      const share = shares.get(id) ?? new Map<number, number>();
      shares.set(id, share.set(partition, this.tenureOf(partition)));
    }
    for (const member of this.#members.values()) {
      const tenures = shares.get(member.id) ?? new Map<number, number>();
      trace.note('is assigned', member.id, [...tenures.keys()].join(','));
      member.lastSeenAt = timeline.now;
      const { answer } = member;
      member.answer = null;
      answer?.({ decidedAt: timeline.now, generation: this.#generation, tenures });
    }
  }

  #assign(): void {
    const { isSticky, partitions, random } = this.#options;
    const ids = random.shuffle([...this.#members.keys()]);
    const former = new Map(this.#owners);
    this.#owners.clear();
    if (ids.length === 0) return;
    const most = Math.ceil(partitions / ids.length);
    const counts = new Map(ids.map((id) => [id, 0]));
    const give = (partition: number, id: string): void => {
      this.#owners.set(partition, id);
      counts.set(id, counts.get(id)! + 1);
      if (former.get(partition) !== id) this.#tenures.set(partition, this.tenureOf(partition) + 1);
    };
    for (let partition = 0; partition < partitions; partition++) {
      const before = former.get(partition);
      if (isSticky && before !== undefined && (counts.get(before) ?? most) < most) give(partition, before);
    }
    for (let partition = 0; partition < partitions; partition++) {
      if (this.#owners.has(partition)) continue;
      const [id] = ids.toSorted((one, other) => counts.get(one)! - counts.get(other)!);
      give(partition, id!);
    }
  }
}
