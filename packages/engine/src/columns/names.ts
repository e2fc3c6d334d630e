import type { StateWalk } from '../state-walk.ts';
import { decodeUtf8 } from '../touch.ts';
import { FIRST_ROWS, grown, moreRows } from './growth.ts';
import { hash32, viewOf } from './hash.ts';

/** Names are kept in chunks of this size, so that more of them never means copying those before. */
const CHUNK_SHIFT = 18;
const CHUNK_BYTES = 1 << CHUNK_SHIFT;
/** A name's length, before it in its chunk. */
const HEADER_BYTES = 2;
const NAME_BYTES_MAX = 0xffff;
/** Numbers a slot: row + 1 (0: empty), the name's hash, and its place. */
const SLOT = 3;
const FIRST_SLOTS = FIRST_ROWS * 2;

/**
 * Gives each name a row number, in order of first appearance, and finds it again by its bytes, without building a string. A name is told
 * apart within its scope: contacts are named within their account, so one table holds the contacts of all. The scope is the seed of the hash,
 * and stored nowhere else: of the same bytes no two seeds give the same hash, so names that are equal in hash and bytes are of one scope.
 *
 * What one look-up reads stands side by side (a slot; length and bytes): it costs two misses of the processor's cache, not six.
 */
export class Names {
  size = 0;
  /** Where each row's header is: chunk number times the chunk's size, plus the place in it. */
  #places = new Uint32Array(FIRST_ROWS);
  /** Open addressing with linear probing. Their number is a power of two, at most three quarters are taken. */
  #slots = new Uint32Array(FIRST_SLOTS * SLOT);
  #mask = FIRST_SLOTS - 1;
  readonly #chunks: Uint8Array[] = [];
  /** The chunks once more, to compare words at a time. */
  readonly #words: DataView[] = [];
  #chunkUsed = 0;

  /** The row of a name, or -1. */
  find(scope: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#slotOf(this.hash(scope, bytes, start, end), bytes, start, end)]! - 1;
  }

  /** The row of a name, which is added when it is new: then the row equals the former `size`. */
  intern(scope: number, bytes: Uint8Array, start: number, end: number): number {
    const hash = this.hash(scope, bytes, start, end);
    const slot = this.#slotOf(hash, bytes, start, end);
    const row = this.#slots[slot]! - 1;
    return row >= 0 ? row : this.#add(slot, hash, bytes, start, end);
  }

  hash(scope: number, bytes: Uint8Array, start: number, end: number): number {
    return hash32(bytes, start, end, scope);
  }

  /**
   * First step of finding many names: the row that has each hash, or -1, and where its name stands. Rows of other names may have the same hash,
   * so `isAt` has the last word.
   */
  look(hashes: Int32Array, rows: Int32Array, places: Uint32Array, count: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]! >>> 0;
      let at = (hash & mask) * SLOT;
      while (slots[at] !== 0 && slots[at + 1] !== hash) at = ((at / SLOT + 1) & mask) * SLOT;
      rows[i] = slots[at]! - 1;
      places[i] = slots[at + 2]!;
    }
  }

  /** Whether the name at a place that `look` gave is this one. */
  isAt(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#equals(place, bytes, start, end);
  }

  text(row: number): string {
    const bytes = this.bytes(row);
    return decodeUtf8(bytes, 0, bytes.length);
  }

  /** A view of the name, good for as long as these names are. */
  bytes(row: number): Uint8Array {
    const place = this.#places[row]!;
    const chunk = this.#chunks[place >>> CHUNK_SHIFT]!;
    const at = place & (CHUNK_BYTES - 1);
    const length = chunk[at]! | (chunk[at + 1]! << 8);
    return chunk.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
  }

  /** Whether a row's name comes before another one's by its bytes. */
  isBefore(row: number, other: number): boolean {
    const one = this.bytes(row);
    const two = this.bytes(other);
    const shared = Math.min(one.length, two.length);
    for (let i = 0; i < shared; i++) if (one[i] !== two[i]) return one[i]! < two[i]!;
    return one.length < two.length;
  }

  /** Where the name's slot is, or the empty one it would take. */
  #slotOf(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT;
      if (slots[at] === 0 || (slots[at + 1] === hash && this.#equals(slots[at + 2]!, bytes, start, end))) return at;
    }
  }

  #equals(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    const kept = this.#words[place >>> CHUNK_SHIFT]!;
    const at = place & (CHUNK_BYTES - 1);
    const length = end - start;
    if (kept.getUint16(at, true) !== length) return false;
    const asked = viewOf(bytes);
    const from = at + HEADER_BYTES;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (kept.getInt32(from + i, true) !== asked.getInt32(start + i, true)) return false;
    for (; i < length; i++) if (kept.getUint8(from + i) !== asked.getUint8(start + i)) return false;
    return true;
  }

  #add(slot: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const place = this.#store(bytes, start, end);
    const row = this.size++;
    if (row === this.#places.length) this.#places = grown(this.#places, moreRows(row));
    this.#places[row] = place;
    this.#slots[slot] = row + 1;
    this.#slots[slot + 1] = hash;
    this.#slots[slot + 2] = place;
    if (this.size * 4 > (this.#mask + 1) * 3) this.#spread();
    return row;
  }

  #store(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > NAME_BYTES_MAX) throw new RangeError(`a name has ${length} bytes; ${NAME_BYTES_MAX} is the most`);
    if (this.#chunks.length === 0 || this.#chunkUsed + HEADER_BYTES + length > CHUNK_BYTES) {
      const added = new Uint8Array(CHUNK_BYTES);
      this.#chunks.push(added);
      this.#words.push(new DataView(added.buffer));
      this.#chunkUsed = 0;
    }
    const number = this.#chunks.length - 1;
    const chunk = this.#chunks[number]!;
    const at = this.#chunkUsed;
    chunk[at] = length;
    chunk[at + 1] = length >>> 8;
    chunk.set(bytes.subarray(start, end), at + HEADER_BYTES);
    this.#chunkUsed += HEADER_BYTES + length;
    return number * CHUNK_BYTES + at;
  }

  /** Twice as many slots. */
  #spread(): void {
    const former = this.#slots;
    const slots = new Uint32Array(former.length * 2);
    const mask = this.#mask * 2 + 1;
    for (let from = 0; from < former.length; from += SLOT) {
      if (former[from] === 0) continue;
      let slot = former[from + 1]! & mask;
      while (slots[slot * SLOT] !== 0) slot = (slot + 1) & mask;
      const at = slot * SLOT;
      slots[at] = former[from]!;
      slots[at + 1] = former[from + 1]!;
      slots[at + 2] = former[from + 2]!;
    }
    this.#slots = slots;
    this.#mask = mask;
  }

  walk(state: StateWalk): void {
    this.size = state.number(this.size);
    this.#places = state.column(this.#places, this.size);
    this.#slots = state.column(this.#slots, this.#slots.length);
    this.#mask = this.#slots.length / SLOT - 1;
    const chunks = state.number(this.#chunks.length);
    this.#chunkUsed = state.number(this.#chunkUsed);
    for (let number = 0; number < chunks; number++) {
      const used = number === chunks - 1 ? this.#chunkUsed : CHUNK_BYTES;
      const chunk = state.column(this.#chunks[number] ?? new Uint8Array(0), used);
      this.#chunks[number] = chunk;
      this.#words[number] = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    }
  }
}
