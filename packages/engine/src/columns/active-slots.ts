import type { Bands } from '../bands.ts';
import type { StateWalk } from '../state-walk.ts';
import { FIRST_ROWS, grown } from './growth.ts';

/**
 * In which of the latest time slots (hours or days) each contact had a touch: one bit a slot, counted back from the contact's newest slot.
 * Distinct contacts of any window are then exact, and late touches need no special case.
 *
 *     newest ─┐        ┌─ newest - 3
 *     word 0:  1 0 0 1 …        word 1: newest - 32 …
 *
 * A contact's newest slot stands in front of its bits, since marking needs both: one miss of the processor's cache, not two.
 */
export class ActiveSlots {
  /** Words of bits a contact has. */
  readonly #words: number;
  /** A contact's numbers: the slot of bit 0 (meaningless while it has no bit), then its words. */
  #rows: Uint32Array;

  /** @param slots how far back is remembered; a multiple of 32 */
  constructor(slots: number) {
    this.#words = slots / 32;
    this.#rows = new Uint32Array(FIRST_ROWS * (this.#words + 1));
  }

  makeRoom(rows: number): void {
    this.#rows = grown(this.#rows, rows * (this.#words + 1));
  }

  /** Marks a slot; one older than what is remembered leaves no mark. */
  mark(contact: number, slot: number): void {
    const rows = this.#rows;
    const at = contact * (this.#words + 1);
    const newest = rows[at]!;
    if (slot > newest) {
      this.#shift(at + 1, slot - newest);
      rows[at] = slot;
      rows[at + 1]! |= 1;
      return;
    }
    const back = newest - slot;
    if (back < this.#words * 32) rows[at + 1 + (back >>> 5)]! |= 1 << (back & 31);
  }

  /** A contact's newest slot; 0 before the first mark. */
  newestOf(contact: number): number {
    return this.#rows[contact * (this.#words + 1)]!;
  }

  /** The bands (see bands.ts) in which a slot is marked, as bits; ages are counted back from the slot `current`. */
  bandsOf(contact: number, current: number, bands: Pick<Bands, 'agesEnd' | 'ends' | 'ofAge'>): number {
    const rows = this.#rows;
    const at = contact * (this.#words + 1);
    const newestAge = current - rows[at]!;
    const { agesEnd, ends, ofAge } = bands;
    if (newestAge >= agesEnd) return 0;
    let found = 0;
    // Slots ahead of the current one have no age yet.
    let age = Math.max(0, newestAge);
    for (let back = age - newestAge; back < this.#words * 32 && age < agesEnd; back = age - newestAge) {
      const left = rows[at + 1 + (back >>> 5)]! >>> (back & 31);
      if (left === 0) {
        age += 32 - (back & 31);
        continue;
      }
      age += 31 - Math.clz32(left & -left);
      if (age >= agesEnd) break;
      const band = ofAge[age]!;
      found |= 1 << band;
      age = ends[band]!;
    }
    return found;
  }

  /** Moves all bits of a contact `by` slots back; those that fall off the end are forgotten. */
  #shift(at: number, by: number): void {
    const rows = this.#rows;
    const last = at + this.#words - 1;
    const words = by >>> 5;
    const bits = by & 31;
    if (words >= this.#words) rows.fill(0, at, last + 1);
    else {
      for (let word = last; word > at + words; word--) {
        // A shift by 32 is one by 0, so whole words are moved as they are.
        const carried = bits === 0 ? 0 : rows[word - words - 1]! >>> (32 - bits);
        rows[word] = (rows[word - words]! << bits) | carried;
      }
      rows[at + words] = rows[at]! << bits;
      for (let word = at; word < at + words; word++) rows[word] = 0;
    }
  }

  walk(state: StateWalk, contacts: number): void {
    this.#rows = state.column(this.#rows, contacts * (this.#words + 1));
  }
}
