/**
 * Where blocks wait before they are applied. Applying one does not wait for anything in its midst, so once a gate is shut no block is half
 * applied.
 */
export class BlockGate {
  /** While set, blocks of all partitions wait. */
  #all: Promise<void> | null = null;
  readonly #ofPartition = new Map<number, Promise<void>>();

  isShutTo(partition: number): boolean {
    return this.#waitOf(partition) !== undefined;
  }

  /** Resolves when nothing holds blocks of the partition. */
  async pass(partition: number): Promise<void> {
    for (let wait = this.#waitOf(partition); wait !== undefined; wait = this.#waitOf(partition)) await wait;
  }

  /** Runs a step while no block is being applied. */
  async whileShut(step: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#all = promise;
    try {
      // What is done in a partition that stands still must not find another model in its midst.
      await Promise.all(this.#ofPartition.values());
      await step();
    } finally {
      this.#all = null;
      resolve();
    }
  }

  /** From within a step of `whileShut`: blocks of the partition wait beyond its end, until this has ended, however it does. */
  keepShutTo(partition: number, until: Promise<unknown>): void {
    const ended = until.then(
      () => {},
      () => {},
    );
    this.#ofPartition.set(partition, ended);
    void ended.then(() => this.#open(partition, ended));
  }

  /** Runs a step while no block of the partition is being applied, once nothing else holds them. */
  async whileShutTo(partition: number, step: () => Promise<void>): Promise<void> {
    // Not by `pass`: until a call of that is heard of, somebody else may have shut the gate.
    for (let wait = this.#waitOf(partition); wait !== undefined; wait = this.#waitOf(partition)) await wait;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ofPartition.set(partition, promise);
    try {
      await step();
    } finally {
      this.#open(partition, promise);
      resolve();
    }
  }

  #waitOf(partition: number): Promise<void> | undefined {
    return this.#all ?? this.#ofPartition.get(partition);
  }

  /** Unless something else has shut it meanwhile. */
  #open(partition: number, wait: Promise<void>): void {
    if (this.#ofPartition.get(partition) === wait) this.#ofPartition.delete(partition);
  }
}
