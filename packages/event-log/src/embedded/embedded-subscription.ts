import { EventLogError } from '../event-log.ts';
import type { RecordBlock, SubscribeOptions, Subscription } from '../event-log.ts';
import { blockFrom } from '../record-block.ts';
import type { Turn } from '../turn.ts';
import { asEventLogError } from './as-event-log-error.ts';
import type { BlockFile } from './block-file.ts';
import type { GroupPositions } from './group-positions.ts';
import type { Partition } from './partition.ts';
import type { Topic } from './topic.ts';

/**
 * Hands the blocks of every partition to the handlers, each partition in a loop of its own, so that a slow one holds up no other:
 *
 *     assigned ──> in range? ──> [ wait for more, or for resume ] ──> read ──> handle ──┐
 *                                          ^────────────────────────────────────────────┘
 *
 * The first failure of any loop, be it of the log or thrown by a handler, ends them all and is told once.
 */
export class EmbeddedSubscription implements Subscription {
  readonly #options: SubscribeOptions;
  readonly #topic: Topic;
  readonly #file: BlockFile;
  readonly #positions: GroupPositions;
  readonly #turn: Turn;
  readonly #assigned: ReadonlySet<number>;
  readonly #paused = new Set<number>();
  /** Ends the wait of a partition's loop; absent while the loop is not waiting. */
  readonly #wake = new Map<number, () => void>();
  /** Resolves when no handler runs any more and none will. */
  readonly ended: Promise<void>;
  #stopped = false;
  #owner = true;

  constructor(options: SubscribeOptions, topic: Topic, file: BlockFile, positions: GroupPositions, turn: Turn) {
    this.#options = options;
    this.#topic = topic;
    this.#assigned = new Set(topic.partitions.map(({ index }) => index));
    this.#file = file;
    this.#positions = positions;
    this.#turn = turn;
    this.ended = Promise.all(topic.partitions.map((partition) => this.#run(partition))).then(() => {});
  }

  /** True until it was stopped or ended by itself. */
  get active(): boolean {
    return !this.#stopped;
  }

  get assigned(): ReadonlySet<number> {
    return this.#assigned;
  }

  /** One process holds the log: until another subscription takes the group over, all partitions are ours. */
  owns(partition: number): boolean {
    return this.#owner && this.#assigned.has(partition);
  }

  pause(partition: number): void {
    this.#paused.add(partition);
  }

  resume(partition: number): void {
    this.#paused.delete(partition);
    this.#wake.get(partition)?.();
  }

  /** Works after `stop` too, for what the last handlers finished, until another subscription takes the group over. */
  async commit(positions: ReadonlyMap<number, number>): Promise<void> {
    const { group } = this.#options;
    for (const partition of positions.keys()) {
      if (group === null || !this.owns(partition)) {
        const why = group === null ? 'has no group' : 'does not own the partition';
        throw new EventLogError('not_owner', `this subscription ${why}: ${this.#topic.name}/${partition} can not be committed`);
      }
    }
    if (group !== null) await this.#positions.commit(group, positions);
  }

  /** Waits for `onAssigned` as well. Do not await it inside a handler, for which it waits. */
  async stop(): Promise<void> {
    this.#end();
    await this.ended;
  }

  /** Another subscription, or nobody, commits for the group from now on. */
  disown(): void {
    this.#owner = false;
  }

  async #run(partition: Partition): Promise<void> {
    const unwatch = partition.watch(() => this.#wake.get(partition.index)?.());
    try {
      // So that the subscriber holds the subscription before its handlers are called.
      await new Promise(setImmediate);
      if (!this.#stopped) await this.#deliver(partition, await this.#options.onAssigned(partition.index));
    } catch (cause) {
      if (!this.#stopped) {
        this.#end();
        this.#options.onFailed(cause);
      }
    } finally {
      unwatch();
    }
  }

  async #deliver(partition: Partition, from: number): Promise<void> {
    let offset = from;
    for (;;) {
      await this.#turn.take();
      // Nothing is awaited from here to the read: what is checked still holds then, and no wake-up is missed.
      if (this.#stopped) return;
      if (!this.#file.readable) {
        await this.#file.ready();
        continue;
      }
      assertInRange(partition, offset);
      if (offset === partition.end || this.#paused.has(partition.index)) {
        await new Promise<void>((resolve) => this.#wake.set(partition.index, resolve));
        this.#wake.delete(partition.index);
        continue;
      }
      const block = blockFrom(readBlock(this.#file, partition, offset), offset);
      await this.#options.onBlock(block);
      offset = block.nextOffset;
    }
  }

  #end(): void {
    this.#stopped = true;
    for (const wake of this.#wake.values()) wake();
  }
}

function assertInRange({ topic, index, start, end }: Partition, offset: number): void {
  if (Number.isInteger(offset) && start <= offset && offset <= end) return;
  throw new EventLogError('offset_out_of_range', `${topic}/${index} holds offsets ${start} to ${end}, not ${offset}`);
}

function readBlock(file: BlockFile, partition: Partition, offset: number): RecordBlock {
  try {
    return file.block(partition.topic, partition.index, offset);
  } catch (cause) {
    throw asEventLogError(cause, `offset ${offset} of ${partition.topic}/${partition.index} could not be read`);
  }
}
