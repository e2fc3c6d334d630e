export interface HeldChange {
  readonly lost: readonly number[];
  readonly gained: readonly number[];
}

/** The partitions that a member works on, and what it has committed of each since it got it. */
export class HeldPartitions {
  /** Null until the group has said for the first time what is ours. */
  #committed: Map<number, number> | null = null;
  #partitions: ReadonlySet<number> | null = null;

  get partitions(): ReadonlySet<number> | null {
    return this.#partitions;
  }

  get size(): number {
    return this.#committed?.size ?? 0;
  }

  has(partition: number): boolean {
    return this.#committed?.has(partition) ?? false;
  }

  list(): number[] {
    return [...(this.#committed?.keys() ?? [])];
  }

  change(to: readonly number[]): HeldChange {
    const before = this.#committed ?? new Map<number, number>();
    const gained = to.filter((partition) => !before.has(partition));
    const lost = [...before.keys()].filter((partition) => !to.includes(partition));
    this.#committed = new Map(to.map((partition) => [partition, before.get(partition) ?? 0]));
    this.#partitions = new Set(to);
    return { lost, gained };
  }

  /** Takes all away, and says what that was. */
  clear(): readonly number[] {
    return this.#committed === null ? [] : this.change([]).lost;
  }

  /** @throws RangeError for an offset that no record can have, or below what was committed before */
  assertForward(partition: number, offset: number): void {
    const floor = this.#committed?.get(partition) ?? 0;
    if (Number.isSafeInteger(offset) && offset >= floor) return;
    throw new RangeError(`partition ${partition} is committed up to ${floor}: ${offset} can not follow`);
  }

  committed(partition: number, offset: number): void {
    if (this.has(partition)) this.#committed!.set(partition, Math.max(offset, this.#committed!.get(partition)!));
  }
}
