import type { DeliveryRow } from '@touchstone/store';

/** The messages of an endpoint that are in memory, what is due first in front, each once. */
export class DueQueue {
  readonly #rows: DeliveryRow[] = [];
  readonly #keys = new Set<string>();

  get size(): number {
    return this.#rows.length;
  }

  get first(): DeliveryRow | undefined {
    return this.#rows[0];
  }

  has(row: DeliveryRow): boolean {
    return this.#keys.has(keyOf(row));
  }

  /** Takes the place of the same message. With more than `most` the last is let go: that one, which may be the row itself, or null. */
  add(row: DeliveryRow, most: number): DeliveryRow | null {
    const key = keyOf(row);
    if (this.#keys.has(key)) this.#drop((other) => keyOf(other) === key);
    // In a storm this is so for nearly all messages of an endpoint that is dead.
    if (this.#rows.length >= most && !isBefore(row, this.#rows.at(-1)!)) return row;
    let [from, to] = [0, this.#rows.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (isBefore(row, this.#rows[middle]!)) to = middle;
      else from = middle + 1;
    }
    this.#rows.splice(from, 0, row);
    this.#keys.add(key);
    if (this.#rows.length <= most) return null;
    const last = this.#rows.pop()!;
    this.#keys.delete(keyOf(last));
    return last;
  }

  takeFirst(): DeliveryRow | undefined {
    const row = this.#rows.shift();
    if (row !== undefined) this.#keys.delete(keyOf(row));
    return row;
  }

  /** In no order that means anything. */
  takeAll(): readonly DeliveryRow[] {
    this.#keys.clear();
    return this.#rows.splice(0);
  }

  dropPartition(partition: number): void {
    this.#drop((row) => row.partition === partition);
  }

  #drop(isDropped: (row: DeliveryRow) => boolean): void {
    const kept = this.#rows.filter((row) => !isDropped(row));
    this.#rows.splice(0, this.#rows.length, ...kept);
    this.#keys.clear();
    for (const row of kept) this.#keys.add(keyOf(row));
  }
}

export function keyOf({ at, id }: Pick<DeliveryRow, 'at' | 'id'>): string {
  return `${at}/${id}`;
}

function isBefore(one: DeliveryRow, other: DeliveryRow): boolean {
  if (one.nextAttemptAt !== other.nextAttemptAt) return one.nextAttemptAt < other.nextAttemptAt;
  if (one.at !== other.at) return one.at < other.at;
  return one.id < other.id;
}
