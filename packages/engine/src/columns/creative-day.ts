import type { StateWalk } from '../state-walk.ts';
import { CELL, CELL_WIDTH } from './creative-cell.ts';
import { CreativeDayView } from './creative-day-view.ts';
import { grown, moreRows } from './growth.ts';
import { mixed } from './hash.ts';

const FIRST_CELLS = 16;
const SLOT = 2;
/**
 * What creatives did on one UTC day: a cell for each creative and contact (or account, for its touches of nobody known) that it touched. Cells
 * only ever come on top, so their rows are good for as long as the day is kept.
 *
 * 40 bytes a cell, 11 to 21 more for finding it, and up to half as much again that stands empty while the day grows.
 */
export class CreativeDay {
  numbers: Uint32Array;
  minutes: Float64Array;
  /** What the touches were worth, weighed as in `Accounts.sum`, without the role's multiplier. */
  sum: Float64Array;
  size = 0;
  /** Two numbers a slot: row + 1 of a cell, or 0, and the cell's hash. Open addressing with linear probing, at most three quarters are taken. */
  #slots: Uint32Array;
  /** Readers' own, and no part of the state: cells of a creative as chains of rows + 1, as far as somebody has asked. */
  readonly #heads = new Map<number, number>();
  #next = new Uint32Array(0);
  #chained = 0;
  readonly #views = new Set<CreativeDayView>();
  /** Whether cells have to be kept before they are changed. */
  isViewed = false;

  /** @param cells for how many there is room at once: tables that grow copy what they have, which for a new one costs more than all else */
  constructor(cells = 0) {
    const room = Math.max(FIRST_CELLS, cells);
    this.numbers = new Uint32Array(room * CELL_WIDTH);
    this.minutes = new Float64Array(room);
    this.sum = new Float64Array(room);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(room * 2)) * SLOT);
  }

  /** The row of a cell, or -1. */
  find(creative: number, account: number, contact: number): number {
    return this.#slots[this.#slotOf(cellHash(creative, account, contact), creative, account, contact)]! - 1;
  }

  /** First step of finding: the row of a cell with this hash, which may be another one, or -1. `isAt` has the last word. */
  look(hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (hash * SLOT) & mask;
    while (slots[at] !== 0 && slots[at + 1] !== hash >>> 0) at = (at + SLOT) & mask;
    return slots[at]! - 1;
  }

  isAt(row: number, creative: number, account: number, contact: number): boolean {
    if (row >= this.size) return false;
    const at = row * CELL_WIDTH;
    const { numbers } = this;
    return numbers[at] === creative && numbers[at + CELL.account] === account && numbers[at + CELL.contact] === contact;
  }

  /** The row of a cell, which is made when there is none. `hash` is that of the other three. */
  intern(hash: number, creative: number, account: number, contact: number): number {
    const slot = this.#slotOf(hash, creative, account, contact);
    const row = this.#slots[slot]! - 1;
    return row >= 0 ? row : this.#add(slot, hash, creative, account, contact);
  }

  /** Cells that are not chained yet: some nanoseconds of work each for the next reader. */
  get unchained(): number {
    return this.size - this.#chained;
  }

  /** Chains at most so many cells. Writers pay nothing for it, and what was chained stays so. */
  chain(cellsMax: number): void {
    if (this.#next.length < this.size) this.#next = grown(this.#next, this.sum.length);
    const to = Math.min(this.size, this.#chained + cellsMax);
    for (let row = this.#chained; row < to; row++) {
      const creative = this.numbers[row * CELL_WIDTH + CELL.creative]!;
      this.#next[row] = this.#heads.get(creative) ?? 0;
      this.#heads.set(creative, row + 1);
    }
    this.#chained = to;
  }

  /** Row + 1 of the creative's newest cell of those that are chained; 0 for none. */
  head(creative: number): number {
    return this.#heads.get(creative) ?? 0;
  }

  /** Row + 1 of the cell of the same creative before this one; 0 for none. */
  next(row: number): number {
    return this.#next[row]!;
  }

  /** Its cells of this instant, for a reader that takes several turns, until it is closed. */
  openView(): CreativeDayView {
    const view = new CreativeDayView(this);
    this.#views.add(view);
    this.isViewed = true;
    return view;
  }

  closeView(view: CreativeDayView): void {
    this.#views.delete(view);
    this.isViewed = this.#views.size > 0;
  }

  /** A cell is about to be changed; needed only while `isViewed`. */
  keep(row: number): void {
    for (const view of this.#views) view.keep(row);
  }

  scale(by: number): void {
    const { sum } = this;
    for (let row = 0; row < sum.length; row++) sum[row]! *= by;
    for (const view of this.#views) view.scale(by);
  }

  /** Where the cell's slot is, or the empty one it would take. */
  #slotOf(hash: number, creative: number, account: number, contact: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (hash * SLOT) & mask; ; at = (at + SLOT) & mask) {
      if (slots[at] === 0) return at;
      if (slots[at + 1] === hash >>> 0 && this.isAt(slots[at]! - 1, creative, account, contact)) return at;
    }
  }

  #add(slot: number, hash: number, creative: number, account: number, contact: number): number {
    const row = this.size++;
    if (row === this.sum.length) this.#grow(moreRows(row));
    const at = row * CELL_WIDTH;
    this.numbers[at] = creative;
    this.numbers[at + CELL.account] = account;
    this.numbers[at + CELL.contact] = contact;
    this.#slots[slot] = row + 1;
    this.#slots[slot + 1] = hash;
    if (this.size * 4 * SLOT > this.#slots.length * 3) this.#spread();
    return row;
  }

  #grow(cells: number): void {
    this.numbers = grown(this.numbers, cells * CELL_WIDTH);
    this.minutes = grown(this.minutes, cells);
    this.sum = grown(this.sum, cells);
  }

  /** Twice as many slots. */
  #spread(): void {
    const former = this.#slots;
    const slots = new Uint32Array(former.length * 2);
    const mask = slots.length - 1;
    for (let from = 0; from < former.length; from += SLOT) {
      if (former[from] === 0) continue;
      let at = (former[from + 1]! * SLOT) & mask;
      while (slots[at] !== 0) at = (at + SLOT) & mask;
      slots[at] = former[from]!;
      slots[at + 1] = former[from + 1]!;
    }
    this.#slots = slots;
  }

  walk(state: StateWalk): void {
    this.size = state.number(this.size);
    this.numbers = state.column(this.numbers, this.size * CELL_WIDTH);
    this.minutes = state.column(this.minutes, this.size);
    this.sum = state.column(this.sum, this.size);
    this.#slots = state.column(this.#slots, this.#slots.length);
  }
}

/** Of a cell's key; a number for a table of cells. */
export function cellHash(creative: number, account: number, contact: number): number {
  const who = contact === 0 ? account * 2 : contact * 2 + 1;
  return mixed(who ^ Math.imul(creative, 0x9e3779b1));
}
