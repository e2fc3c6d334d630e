import { FIRST_ROWS, grown, moreRows } from './growth.ts';

/**
 * Instants at which something is due, one a row at most, the earliest first: a binary heap that knows where each row stands, so that a row's
 * instant can be moved. Of rows due at one instant the one that comes first by `isBefore` is first.
 */
export class DueHeap {
  /** Rows in heap order, and each row's place in it + 1 (0: it has none). */
  #rows = new Uint32Array(FIRST_ROWS);
  #places = new Uint32Array(FIRST_ROWS);
  #dueAt = new Float64Array(FIRST_ROWS);
  #size = 0;
  readonly #isBefore: (row: number, other: number) => boolean;

  /** @param isBefore whether a row comes before another one that is due at the same instant */
  constructor(isBefore: (row: number, other: number) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#size;
  }

  /** The row that is due first; -1 when none is. */
  get first(): number {
    return this.#size === 0 ? -1 : this.#rows[0]!;
  }

  /** When the first is due; Infinity when none is. */
  get firstDueAt(): number {
    return this.#size === 0 ? Infinity : this.#dueAt[this.#rows[0]!]!;
  }

  /** When the row is due; Infinity when it is not. */
  dueAt(row: number): number {
    return row < this.#places.length && this.#places[row] !== 0 ? this.#dueAt[row]! : Infinity;
  }

  /** @param dueAt Infinity takes the row out */
  set(row: number, dueAt: number): void {
    if (row >= this.#places.length) this.#grow(Math.max(row + 1, moreRows(this.#places.length)));
    const place = this.#places[row]! - 1;
    if (dueAt === Infinity) {
      if (place >= 0) this.#remove(place);
      return;
    }
    const former = this.#dueAt[row]!;
    this.#dueAt[row] = dueAt;
    if (place < 0) this.#rise(this.#size++, row);
    else if (dueAt < former) this.#rise(place, row);
    else if (dueAt > former) this.#sink(place, row);
  }

  clear(): void {
    this.#size = 0;
    this.#places.fill(0);
  }

  #remove(place: number): void {
    this.#places[this.#rows[place]!] = 0;
    const last = this.#rows[--this.#size]!;
    if (place === this.#size) return;
    // It comes from another branch, so it may belong above or below.
    this.#rise(place, last);
    this.#sink(this.#places[last]! - 1, last);
  }

  #rise(from: number, row: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      const above = this.#rows[parent]!;
      if (!this.#comesFirst(row, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, row);
  }

  #sink(from: number, row: number): void {
    let place = from;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#comesFirst(this.#rows[child + 1]!, this.#rows[child]!)) child++;
      const below = this.#rows[child]!;
      if (!this.#comesFirst(below, row)) break;
      this.#put(place, below);
      place = child;
    }
    this.#put(place, row);
  }

  #put(place: number, row: number): void {
    this.#rows[place] = row;
    this.#places[row] = place + 1;
  }

  #comesFirst(row: number, other: number): boolean {
    const difference = this.#dueAt[row]! - this.#dueAt[other]!;
    return difference === 0 ? this.#isBefore(row, other) : difference < 0;
  }

  #grow(rows: number): void {
    this.#rows = grown(this.#rows, rows);
    this.#places = grown(this.#places, rows);
    this.#dueAt = grown(this.#dueAt, rows);
  }
}
