/**
 * Hashes of byte ranges, four bytes at a step, after MurmurHash3 (Austin Appleby, public domain).
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

let viewed: Uint8Array = new Uint8Array(0);
let view = new DataView(viewed.buffer);

/** The bytes as words can be read from them at once. Ranges to be hashed come from the same bytes many times in a row, so their view is kept. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return view;
}

/** MurmurHash3 x86_32: for tables that compare what they find. Of the same bytes, different seeds (32 bits) give different hashes. */
export function hash32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const words = viewOf(bytes);
  let hash = seed;
  let at = start;
  const whole = start + ((end - start) & ~3);
  while (at < whole) {
    hash ^= mixedWord(words.getInt32(at, true));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    at += 4;
  }
  return mixed(hash ^ mixedWord(tailOf(bytes, at, end)) ^ (end - start));
}

const C3 = 0xab0e9789;
const C4 = 0x38b34ae5;
const SEED_LOW = 0x2545f491;
const SEED_HIGH = 0x6c078965;

/**
 * 64 bits, for tables that trust them: of 100 million ids remembered at once, some two collide with probability 0.0003.
 *
 * The halves are lanes one and two of MurmurHash3 x86_128, each on all words. Two seeds of one lane would not do: ids that differ in two
 * neighbouring words and collide under one seed collide under the other with probability 2^-18 instead of 2^-32.
 */
export class Hash64 {
  /** Both as numbers with a sign: those are never boxed. */
  low = 0;
  high = 0;

  /** Sets both halves to those of a range. */
  set(bytes: Uint8Array, start: number, end: number): void {
    const words = viewOf(bytes);
    let low = SEED_LOW;
    let high = SEED_HIGH;
    let at = start;
    const whole = start + ((end - start) & ~3);
    while (at < whole) {
      const word = words.getInt32(at, true);
      low ^= mixedWord(word);
      low = (Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64) | 0;
      high ^= otherwiseMixedWord(word);
      high = (Math.imul((high << 17) | (high >>> 15), 5) + 0x0bcaa747) | 0;
      at += 4;
    }
    const tail = tailOf(bytes, at, end);
    this.low = mixed(low ^ mixedWord(tail) ^ (end - start)) | 0;
    this.high = mixed(high ^ otherwiseMixedWord(tail) ^ (end - start)) | 0;
  }
}

/** The last bytes, up to three, as a number. */
function tailOf(bytes: Uint8Array, at: number, end: number): number {
  if (end - at === 3) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  if (end - at === 2) return bytes[at]! | (bytes[at + 1]! << 8);
  return end - at === 1 ? bytes[at]! : 0;
}

function mixedWord(word: number): number {
  const product = Math.imul(word, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function otherwiseMixedWord(word: number): number {
  const product = Math.imul(word, C3);
  return Math.imul((product << 16) | (product >>> 16), C4);
}

/** Spreads every bit of the input over the output; used on its own where the key is a number already. */
export function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
