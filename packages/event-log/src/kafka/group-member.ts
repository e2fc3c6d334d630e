import { EventLogError } from '../event-log.ts';
import type { GroupCoordinator } from './group-coordinator.ts';
import {
  commitOffsets,
  heartbeat,
  ILLEGAL_GENERATION,
  joinGroup,
  leaveGroup,
  MEMBER_ID_REQUIRED,
  REBALANCE_IN_PROGRESS,
  syncGroup,
  UNKNOWN_MEMBER_ID,
} from './group-requests.ts';
import type { JoinGroupResponse } from './group-requests.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './member-metadata.ts';
import type { MemberAssignment } from './member-metadata.ts';
import { assignCooperatively } from './sticky-assigner.ts';

/** How partitions are shared, with its version. */
const PROTOCOL = 'touchstone-sticky-1';
export const LEAVE_TIMEOUT_MS = 2000;

export interface GroupMemberOptions {
  readonly group: string;
  readonly topic: string;
  readonly partitionCount: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

export interface CommitPosition {
  readonly offset: number;
  /** Kept with the offset, for whoever reads it. */
  readonly metadata: string;
}

/** Times are when the request was sent that this is the answer to, by the clock of `performance.now`. */
export interface Joined {
  readonly sentAt: number;
  /** The group had a generation in between that we know nothing of. */
  readonly missedSome: boolean;
  /** What all others are to be told, if it is us who shares out. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

export interface Heard {
  readonly sentAt: number;
  /** Of the generation that the group has now. */
  readonly current: boolean;
  readonly said: 'settled' | 'rebalancing' | 'unknown_member' | 'over';
}

/** What a member says to its coordinator, and who it is there. When to say it is up to `GroupMembership`. */
export class GroupMember {
  readonly #coordinator: GroupCoordinator;
  readonly #options: GroupMemberOptions;
  /**
   * Members of one group have this in common, or are told INCONSISTENT_GROUP_PROTOCOL and wait until the others have left: any of them may be
   * the one who shares out, so they must agree on what there is to share and how.
   */
  readonly #protocol: string;
  /** Empty until the coordinator has given one. */
  #id = '';
  /** The last generation that we were in; -1 before. */
  #generation = -1;
  /** The last one whose assignment we have: joining with another one than before makes the coordinator begin a rebalance. */
  #assignedIn = -1;
  #leaving = false;

  constructor(coordinator: GroupCoordinator, options: GroupMemberOptions) {
    this.#coordinator = coordinator;
    this.#options = options;
    this.#protocol = `${PROTOCOL}/${options.topic}/${options.partitionCount}`;
  }

  get known(): boolean {
    return this.#id !== '';
  }

  get generation(): number {
    return this.#generation;
  }

  /** Answers once all members have joined. */
  async join(held: readonly number[]): Promise<Joined> {
    const metadata = encodeSubscription(this.#options.topic, { generation: this.#assignedIn, held });
    let joined = await this.#sendJoin(metadata);
    if (joined.answer.errorCode === MEMBER_ID_REQUIRED) {
      this.#id = joined.answer.memberId;
      if (this.#leaving) throw new EventLogError('closed', 'the membership has ended');
      joined = await this.#sendJoin(metadata);
    }
    const { generation, memberId } = joined.answer;
    const missedSome = this.#generation >= 0 && generation !== this.#generation && generation !== this.#generation + 1;
    this.#id = memberId;
    this.#generation = generation;
    return { sentAt: joined.sentAt, missedSome, assignments: this.#shareOut(joined.answer) };
  }

  /** Answers once the member that shares out has done so. */
  async sync(assignments: ReadonlyMap<string, Buffer>): Promise<MemberAssignment & { readonly sentAt: number }> {
    const { topic, partitionCount, sessionTimeoutMs } = this.#options;
    const sentAt = performance.now();
    const { generation } = this;
    const request = { ...this.#membership(), assignments };
    const { assignment } = await this.#coordinator.request('join', syncGroup, request, { timeoutMs: sessionTimeoutMs / 2 });
    const given = decodeAssignment(assignment, topic, partitionCount);
    this.#assignedIn = generation;
    return { ...given, sentAt };
  }

  async heartbeat(): Promise<Heard> {
    const sentAt = performance.now();
    const { generation } = this;
    const { errorCode } = await this.#coordinator.request('heartbeat', heartbeat, this.#membership(), {
      timeoutMs: this.#options.sessionTimeoutMs * 0.3,
      expected: [REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION],
    });
    const said = { [UNKNOWN_MEMBER_ID]: 'unknown_member', [ILLEGAL_GENERATION]: 'over', [REBALANCE_IN_PROGRESS]: 'rebalancing' } as const;
    return { sentAt, current: generation === this.#generation, said: said[errorCode as keyof typeof said] ?? 'settled' };
  }

  async commit(positions: ReadonlyMap<number, CommitPosition>): Promise<void> {
    const { topic, sessionTimeoutMs } = this.#options;
    const request = { ...this.#membership(), topic, positions };
    await this.#coordinator.request('commit', commitOffsets, request, { timeoutMs: sessionTimeoutMs });
  }

  /** No join is begun after this was called. `joining` is the one that may be under way. */
  async leave(joining: Promise<void>): Promise<void> {
    this.#leaving = true;
    // A join without an answer may be about to make us a member, for whom the others would then wait.
    if (!this.known) await joining;
    if (!this.known) return;
    const request = { group: this.#options.group, memberId: this.#id };
    await this.#coordinator.request('heartbeat', leaveGroup, request, { timeoutMs: LEAVE_TIMEOUT_MS });
  }

  /** The coordinator does not know us any more. */
  forget(): void {
    this.#id = '';
    this.#generation = -1;
    this.#assignedIn = -1;
  }

  #membership(): { readonly group: string; readonly generation: number; readonly memberId: string } {
    return { group: this.#options.group, generation: this.#generation, memberId: this.#id };
  }

  async #sendJoin(metadata: Buffer): Promise<{ readonly answer: JoinGroupResponse; readonly sentAt: number }> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const sentAt = performance.now();
    const request = { group, memberId: this.#id, sessionTimeoutMs, rebalanceTimeoutMs, protocol: this.#protocol, metadata };
    // A request that waits longer than that is sent again, which does no harm: it may have gone astray.
    const wait = { timeoutMs: sessionTimeoutMs / 2, expected: [MEMBER_ID_REQUIRED] };
    return { answer: await this.#coordinator.request('join', joinGroup, request, wait), sentAt };
  }

  #shareOut({ leaderId, memberId, members }: JoinGroupResponse): ReadonlyMap<string, Buffer> {
    if (leaderId !== memberId) return new Map();
    const { topic, partitionCount } = this.#options;
    const claims = members
      .map(({ id, metadata }) => decodeSubscription(id, metadata, topic, partitionCount))
      .filter((claim) => claim !== null);
    const { partitions, withheld } = assignCooperatively(claims, partitionCount);
    const moreToCome = withheld.length > 0;
    return new Map(members.map(({ id }) => [id, encodeAssignment(topic, { partitions: partitions.get(id) ?? [], moreToCome })]));
  }
}
