import type { OutgoingRecord, RecordBlock } from '@touchstone/event-log';
import type { Appended, Broker } from './broker.ts';
import type { Coordinator } from './coordinator.ts';
import type { FaultCounts } from './faults.ts';
import type { GroupSubscription } from './model-subscription.ts';
import type { Trace } from './trace.ts';

/** Whoever watches what is done to the log. */
export interface LogObserver {
  /** Records are about to leave a host. */
  appends(topic: string, records: readonly OutgoingRecord[], subscription: GroupSubscription | null): void;
  /** @param isOwner by partition: whether it comes from the owner, in the order sent */
  appended(appended: Appended, isOwner: boolean): void;
  delivers(partition: number, block: RecordBlock, tenure: number): void;
  commits(subscription: GroupSubscription, partition: number, owns: boolean): void;
  /** A position is about to be taken. */
  committed(partition: number, offset: number, isOwner: boolean): void;
}

/** What the logs of all hosts have in common, and how they misbehave. */
export interface LogWorld {
  readonly broker: Broker;
  readonly coordinator: Coordinator;
  readonly observer: LogObserver;
  readonly counts: FaultCounts;
  readonly trace: Trace;
  readonly sessionTimeoutMs: number;
  fetchLatencyMs(): number;
  /** From the coordinator's decision to its arrival at a member. */
  assignmentDelayMs(): number;
  isBrokerDown(): boolean;
  /** The broker takes positions from whoever was a member once. */
  takesCommitsOfFormerOwners(): boolean;
  /** A member gives all partitions up before it joins again; otherwise it keeps what it is assigned again. */
  revokesToJoin(): boolean;
  /** Whoever is not sure of its membership any more leaves the group before it joins again. */
  leavesPolitely(): boolean;
  /** A partition that is assigned again is delivered although a handler of its former assignment still runs. */
  overlapsHandlers(): boolean;
  repeatsBlocks(): boolean;
  splitsBlocks(): boolean;
}
