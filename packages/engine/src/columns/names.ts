import { decodeUtf8 } from '../touch.ts';
import { FIRST_ROWS, grown, moreRows } from './growth.ts';
import { hash32 } from './hash.ts';

/** Names are kept in chunks of this size, so that more of them never means copying those before. */
const CHUNK_BYTES = 1 << 18;
/** Numbers a slot: row + 1 (0: empty) and the name's hash. */
const SLOT = 2;
/** Numbers a row: scope, where the name begins (chunk number times the chunk's size, plus the place in it), length in bytes. */
const ROW = 3;

/**
 * Gives each name a row number, in order of first appearance, and finds it again by its bytes, without building a string. A name is told
 * apart within its scope: contacts are named within their account, so one table holds the contacts of all.
 *
 * What one look-up reads stands side by side (a slot, a row, the name's bytes): it costs three misses of the processor's cache, not six.
 */
export class Names {
  size = 0;
  #rows = new Uint32Array(FIRST_ROWS * ROW);
  /** Open addressing with linear probing. Slots are a power of two, at most three quarters full. */
  #slots = new Uint32Array(FIRST_ROWS * 2 * SLOT);
  readonly #chunks: Uint8Array[] = [];
  #chunkUsed = 0;

  /** The row of a name, or -1. */
  find(scope: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(hash32(bytes, start, end, scope), scope, bytes, start, end)]! - 1;
  }

  /** The row of a name, which is added when it is new: then the row equals the former `size`. */
  intern(scope: number, bytes: Uint8Array, start: number, end: number): number {
    const hash = hash32(bytes, start, end, scope);
    const slot = this.#slotOf(hash, scope, bytes, start, end);
    const row = this.#slots[slot]! - 1;
    return row >= 0 ? row : this.#add(slot, hash, scope, bytes, start, end);
  }

  text(row: number): string {
    const start = this.#rows[row * ROW + 1]!;
    const at = start % CHUNK_BYTES;
    return decodeUtf8(this.#chunks[(start - at) / CHUNK_BYTES]!, at, at + this.#rows[row * ROW + 2]!);
  }

  /** Where the name's slot is, or the empty one it would take. */
  #slotOf(hash: number, scope: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (hash << 1) & mask; ; at = (at + SLOT) & mask) {
      const row = slots[at]! - 1;
      if (row < 0 || (slots[at + 1] === hash && this.#equals(row, scope, bytes, start, end))) return at;
    }
  }

  #equals(row: number, scope: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const at = row * ROW;
    if (this.#rows[at + 2] !== length || this.#rows[at] !== scope) return false;
    const stored = this.#rows[at + 1]!;
    const from = stored % CHUNK_BYTES;
    const chunk = this.#chunks[(stored - from) / CHUNK_BYTES]!;
    for (let i = 0; i < length; i++) if (chunk[from + i] !== bytes[start + i]) return false;
    return true;
  }

  #add(slot: number, hash: number, scope: number, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > CHUNK_BYTES) throw new RangeError(`a name has ${length} bytes; ${CHUNK_BYTES} is the most`);
    if (this.#chunks.length === 0 || this.#chunkUsed + length > CHUNK_BYTES) {
      this.#chunks.push(new Uint8Array(CHUNK_BYTES));
      this.#chunkUsed = 0;
    }
    const row = this.size++;
    if (row * ROW === this.#rows.length) this.#rows = grown(this.#rows, moreRows(row) * ROW);
    const chunk = this.#chunks.length - 1;
    this.#chunks[chunk]!.set(bytes.subarray(start, end), this.#chunkUsed);
    this.#rows[row * ROW] = scope;
    this.#rows[row * ROW + 1] = chunk * CHUNK_BYTES + this.#chunkUsed;
    this.#rows[row * ROW + 2] = length;
    this.#chunkUsed += length;
    this.#slots[slot] = row + 1;
    this.#slots[slot + 1] = hash;
    if (this.size * 4 * SLOT > this.#slots.length * 3) this.#spread();
    return row;
  }

  /** Twice as many slots. */
  #spread(): void {
    const former = this.#slots;
    const slots = new Uint32Array(former.length * 2);
    const mask = slots.length - 1;
    for (let from = 0; from < former.length; from += SLOT) {
      if (former[from] === 0) continue;
      let at = (former[from + 1]! << 1) & mask;
      while (slots[at] !== 0) at = (at + SLOT) & mask;
      slots[at] = former[from]!;
      slots[at + 1] = former[from + 1]!;
    }
    this.#slots = slots;
  }
}
