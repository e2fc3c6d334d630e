import type { StateWalk } from '../state-walk.ts';
import { FIRST_ROWS, grown, moreRows, type ColumnStep } from './growth.ts';

/** An account's old cells are looked for once in 16 slots: looking means walking its whole chain. */
const SWEEP_SHIFT = 4;

/**
 * Touches and minutes by account, time slot (a UTC hour, or a UTC day) and kind. The cells of an account form a chain, newest slot first:
 * nearly every touch belongs to the first few cells, so no table is needed to find its own. Cells out of every window are given back.
 *
 * Row 0 is never used: a chain ends with 0.
 */
export class Cells {
  /** Hours or days since the epoch. */
  slot = new Uint32Array(FIRST_ROWS);
  kind = new Uint16Array(FIRST_ROWS);
  touches = new Uint32Array(FIRST_ROWS);
  minutes = new Float64Array(FIRST_ROWS);
  next = new Uint32Array(FIRST_ROWS);
  #used = 1;
  #free = 0;

  /**
   * Adds a touch to its cell, made when there is none.
   * @param heads first cell of each account's chain; written when the new cell comes first
   * @param oldestSlot slots before it are in no window any more; such cells of the account are given back now and then
   */
  add(heads: Uint32Array, account: number, slot: number, kind: number, minutes: number, oldestSlot: number): void {
    let before = 0;
    let cell = heads[account]!;
    while (cell !== 0 && this.slot[cell]! > slot) {
      before = cell;
      cell = this.next[cell]!;
    }
    const after = cell;
    while (cell !== 0 && this.slot[cell] === slot) {
      if (this.kind[cell] === kind) {
        this.touches[cell]!++;
        this.minutes[cell]! += minutes;
        return;
      }
      cell = this.next[cell]!;
    }
    const made = this.#take();
    this.slot[made] = slot;
    this.kind[made] = kind;
    this.touches[made] = 1;
    this.minutes[made] = minutes;
    this.next[made] = after;
    if (before === 0) heads[account] = made;
    else this.next[before] = made;
    if (before === 0 && after !== 0 && this.slot[after]! >>> SWEEP_SHIFT !== slot >>> SWEEP_SHIFT) this.#giveBack(made, oldestSlot);
  }

  #take(): number {
    if (this.#free !== 0) {
      const cell = this.#free;
      this.#free = this.next[cell]!;
      return cell;
    }
    if (this.#used === this.slot.length) this.#grow(moreRows(this.#used));
    return this.#used++;
  }

  /** Ends the chain before its first cell that is older than `oldestSlot`. */
  #giveBack(head: number, oldestSlot: number): void {
    let last = head;
    let cell = this.next[head]!;
    while (cell !== 0 && this.slot[cell]! >= oldestSlot) {
      last = cell;
      cell = this.next[cell]!;
    }
    this.next[last] = 0;
    while (cell !== 0) {
      const following = this.next[cell]!;
      this.next[cell] = this.#free;
      this.#free = cell;
      cell = following;
    }
  }

  #grow(rows: number): void {
    this.#eachColumn((column) => grown(column, rows));
  }

  #eachColumn(step: ColumnStep): void {
    this.slot = step(this.slot);
    this.kind = step(this.kind);
    this.touches = step(this.touches);
    this.minutes = step(this.minutes);
    this.next = step(this.next);
  }

  walk(state: StateWalk): void {
    this.#used = state.number(this.#used);
    this.#free = state.number(this.#free);
    this.#eachColumn((column) => state.column(column, this.#used));
  }
}
