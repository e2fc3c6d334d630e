import type { CommittedPosition } from '../event-log.ts';
import type { BlockFile } from './block-file.ts';
import type { Topic } from './topic.ts';

/**
 * How far each consumer group of a topic has come. Positions only rise: a directory has one owner, so a position below the committed one is
 * a mistake of the caller, and taking it would have records handled again that retention may have dropped.
 */
export class GroupPositions {
  readonly #file: BlockFile;
  readonly #topic: Topic;
  readonly #byGroup = new Map<string, Map<number, CommittedPosition>>();
  /** One commit after the other, so that each is checked against what is really committed. */
  #lastCommit: Promise<void> = Promise.resolve();

  constructor(file: BlockFile, topic: Topic) {
    this.#file = file;
    this.#topic = topic;
    for (const { group, partition, position } of file.positions(topic.name)) {
      if (!this.#byGroup.has(group)) this.#byGroup.set(group, new Map());
      this.#byGroup.get(group)!.set(partition, position);
    }
  }

  committed(group: string): ReadonlyMap<number, CommittedPosition> {
    return new Map(this.#byGroup.get(group));
  }

  /**
   * The lowest position of any group that ever committed in the partition, or that the topic is kept for: retention stops there. Infinity when
   * there is none.
   */
  lowest(partition: number): number {
    let lowest = Infinity;
    for (const group of this.#topic.keptFor) lowest = Math.min(lowest, this.#byGroup.get(group)?.get(partition)?.offset ?? 0);
    for (const positions of this.#byGroup.values()) lowest = Math.min(lowest, positions.get(partition)?.offset ?? Infinity);
    return lowest;
  }

  /** @throws RangeError for a position below the committed one or above the end; EventLogError `io` */
  commit(group: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const commit = this.#lastCommit.then(() => this.#commit(group, offsets));
    this.#lastCommit = commit.catch(() => {});
    return commit;
  }

  async #commit(group: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const committed = this.#byGroup.get(group);
    const moved = new Map<number, CommittedPosition>();
    for (const [partition, offset] of offsets) {
      const from = committed?.get(partition)?.offset ?? 0;
      const end = this.#topic.partitions[partition]?.end ?? -1;
      if (!Number.isInteger(offset) || offset < from || offset > end) {
        throw new RangeError(
          `${group} can not commit ${offset} in ${this.#topic.name}/${partition}: it is at ${from} and the end is ${end}`,
        );
      }
      moved.set(partition, { offset, generation: this.#topic.generation });
    }
    // When this fails, perhaps they were saved all the same. Memory then keeps the lower ones, which are right to retention and to a retry.
    await this.#file.savePositions(this.#topic.name, group, moved);
    this.#byGroup.set(group, new Map([...(committed ?? []), ...moved]));
  }
}
