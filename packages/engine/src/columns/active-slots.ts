import { FIRST_ROWS, grown } from './growth.ts';

/**
 * In which of the latest time slots (hours or days) each contact had a touch: one bit a slot, counted back from the contact's newest slot.
 * Distinct contacts of any window are then exact, and late touches need no special case.
 *
 *     newest ─┐        ┌─ newest - 3
 *     word 0:  1 0 0 1 …        word 1: newest - 32 …
 */
export class ActiveSlots {
  readonly #words: number;
  /** Slot number of bit 0, by contact; meaningless while the contact has no bit. */
  #newest = new Uint32Array(FIRST_ROWS);
  #bits: Uint32Array;

  /** @param slots how far back is remembered; a multiple of 32 */
  constructor(slots: number) {
    this.#words = slots / 32;
    this.#bits = new Uint32Array(FIRST_ROWS * this.#words);
  }

  makeRoom(rows: number): void {
    this.#newest = grown(this.#newest, rows);
    this.#bits = grown(this.#bits, rows * this.#words);
  }

  /** Marks a slot; one older than what is remembered leaves no mark. */
  mark(contact: number, slot: number): void {
    const at = contact * this.#words;
    if (slot > this.#newest[contact]!) {
      this.#shift(at, slot - this.#newest[contact]!);
      this.#newest[contact] = slot;
      this.#bits[at]! |= 1;
      return;
    }
    const back = this.#newest[contact]! - slot;
    if (back < this.#words * 32) this.#bits[at + (back >>> 5)]! |= 1 << (back & 31);
  }

  /** Whether any slot from `first` to `last`, both included, is marked. */
  any(contact: number, first: number, last: number): boolean {
    const newest = this.#newest[contact]!;
    if (newest < first) return false;
    let back = Math.max(0, newest - last);
    const end = Math.min(newest - first, this.#words * 32 - 1);
    const at = contact * this.#words;
    while (back <= end) {
      const word = back >>> 5;
      const through = Math.min(end, (word << 5) | 31);
      const width = through - back + 1;
      const mask = width === 32 ? 0xffffffff : ((1 << width) - 1) << (back & 31);
      if ((this.#bits[at + word]! & mask) !== 0) return true;
      back = through + 1;
    }
    return false;
  }

  /** Moves all bits of a contact `by` slots back; those that fall off the end are forgotten. */
  #shift(at: number, by: number): void {
    const words = by >>> 5;
    const bits = by & 31;
    for (let word = this.#words - 1; word >= 0; word--) {
      const from = word - words;
      let value = from >= 0 ? this.#bits[at + from]! << bits : 0;
      if (bits !== 0 && from >= 1) value |= this.#bits[at + from - 1]! >>> (32 - bits);
      this.#bits[at + word] = value;
    }
  }
}
