/** Numbers a slot: where the name begins and ends, its scope, and the number that was found. */
const SLOT = 4;
const NO_BYTES = new Uint8Array(0);

/**
 * Numbers of names that were found before, by where the bytes of the names are: answers of the store have equal texts of a column in one place, as far
 * as they come by a dictionary, and then a name need not be hashed and compared again. Nothing is lost where each name has a place of its own but
 * the look.
 *
 * A direct-mapped cache: a name takes the place of the one before it.
 */
export class KnownPlaces {
  readonly #slots: Int32Array;
  readonly #shift: number;
  #bytes: Uint8Array = NO_BYTES;

  /** @param bits 2 to the power of these are kept */
  constructor(bits: number) {
    this.#slots = new Int32Array(SLOT * 2 ** bits).fill(-1);
    this.#shift = 32 - bits;
  }

  /** The number kept for the name at this place; -1 when there is none. `scope` is as in `Names`. */
  find(scope: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const at = this.#slotOf(scope, start);
    if (bytes !== this.#bytes || slots[at] !== start || slots[at + 1] !== end || slots[at + 2] !== scope) return -1;
    return slots[at + 3]!;
  }

  keep(scope: number, bytes: Uint8Array, start: number, end: number, number: number): void {
    const slots = this.#slots;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      slots.fill(-1);
    }
    const at = this.#slotOf(scope, start);
    slots[at] = start;
    slots[at + 1] = end;
    slots[at + 2] = scope;
    slots[at + 3] = number;
  }

  /** Whoever is done with the bytes for a while should not keep them in memory. */
  forget(): void {
    this.#bytes = NO_BYTES;
  }

  #slotOf(scope: number, start: number): number {
    return (Math.imul(start + Math.imul(scope, 0x85ebca6b), 0x9e3779b1) >>> this.#shift) * SLOT;
  }
}
