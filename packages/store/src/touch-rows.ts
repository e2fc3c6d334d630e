import type { TouchCursor } from '@touchstone/engine';
import type { TouchRows } from './store.ts';
import { CHUNK_BYTES, type ChunkPool } from './chunk-pool.ts';
import { FIXED_BYTES, PLACE, WHOLE_TOUCH } from './touch-columns.ts';

/**
 * Touches as RowBinary rows, made by copying the cursor's byte ranges: about half a microsecond a row, and no string is built. The rows fill
 * chunks that are never moved, so growth copies nothing.
 */
const FIRST_CHUNK_BYTES = 64 * 1024;
/** Longer ranges are copied by the runtime, shorter ones in a loop, which costs less than the call. */
const LOOP_BYTES_MAX = 128;
const HIGH_WORD = 2 ** 32;
const NO_BYTES = new Uint8Array(0);
const { textFields } = WHOLE_TOUCH;

function varintBytes(value: number): number {
  if (value < 1 << 7) return 1;
  if (value < 1 << 14) return 2;
  return value < 1 << 21 ? 3 : 5;
}

export class TouchRowArena implements TouchRows {
  readonly partition: number;
  count = 0;
  byteLength = 0;
  readonly #full: Uint8Array[] = [];
  #chunk: Uint8Array = NO_BYTES;
  #view = viewOf(NO_BYTES);
  #at = 0;
  /** The bytes of the last touch, which those of a block share. */
  #source: Uint8Array = NO_BYTES;
  #sourceView = this.#view;
  readonly #pool: ChunkPool | undefined;
  #isGone = false;

  /** @param pool where chunks come from; the runtime by default */
  constructor(partition: number, pool?: ChunkPool) {
    this.partition = partition;
    this.#pool = pool;
  }

  add(offset: number, appendedAt: number, touch: TouchCursor): void {
    const begin = this.#reserve(rowBytes(touch));
    const view = this.#view;
    view.setUint16(begin + PLACE.partition, this.partition, true);
    setInt64(view, begin + PLACE.offset, offset);
    setInt64(view, begin + PLACE.appended_at, appendedAt);
    setInt64(view, begin + PLACE.occurred_at, touch.occurredAt);
    view.setFloat64(begin + PLACE.minutes, touch.minutes, true);
    const { start, end, bytes } = touch;
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#sourceView = viewOf(bytes);
    }
    const chunk = this.#chunk;
    const source = this.#sourceView;
    let at = begin + FIXED_BYTES;
    for (let index = 0; index < textFields.length; index++) {
      const field = textFields[index]!;
      const from = start[field]!;
      if (from < 0) chunk[at++] = 0;
      else at = copyText(chunk, view, at, bytes, source, from, end[field]!);
    }
    at = setVarint(chunk, at, touch.propertyCount);
    const { properties } = touch;
    for (let index = 0; index < touch.propertyCount * 4; index += 2) {
      at = copyText(chunk, view, at, bytes, source, properties[index]!, properties[index + 1]!);
    }
    this.#at = at;
    this.count++;
    this.byteLength += at - begin;
  }

  /** The rows so far; valid until the next `add`. */
  chunks(): Uint8Array[] {
    if (this.#isGone) throw new TypeError('These touches are stored, and their bytes given away');
    return this.#at === 0 ? [...this.#full] : [...this.#full, this.#chunk.subarray(0, this.#at)];
  }

  /** Gives up the rows, which are stored: the chunks they filled may be filled again. */
  give(): ArrayBufferLike[] {
    const given = this.chunks().map(({ buffer }) => buffer);
    this.#full.length = 0;
    this.#chunk = NO_BYTES;
    this.#at = 0;
    this.#isGone = given.length > 0;
    return given;
  }

  #reserve(bytes: number): number {
    if (this.#at + bytes > this.#chunk.length) {
      if (this.#at > 0) this.#full.push(this.#chunk.subarray(0, this.#at));
      const usual = this.byteLength === 0 ? FIRST_CHUNK_BYTES : CHUNK_BYTES;
      const used = usual === CHUNK_BYTES && bytes <= CHUNK_BYTES ? this.#pool?.take() : undefined;
      this.#chunk = used ?? Buffer.allocUnsafeSlow(Math.max(usual, bytes));
      this.#view = viewOf(this.#chunk);
      this.#at = 0;
    }
    return this.#at;
  }
}

function rowBytes(touch: TouchCursor): number {
  const { start, end, properties } = touch;
  let bytes = FIXED_BYTES + varintBytes(touch.propertyCount);
  for (let index = 0; index < textFields.length; index++) {
    const field = textFields[index]!;
    const length = start[field]! < 0 ? 0 : end[field]! - start[field]!;
    bytes += varintBytes(length) + length;
  }
  for (let index = 0; index < touch.propertyCount * 4; index += 2) {
    const length = properties[index + 1]! - properties[index]!;
    bytes += varintBytes(length) + length;
  }
  return bytes;
}

function setInt64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / HIGH_WORD), true);
}

function setVarint(chunk: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 127) {
    chunk[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  chunk[at++] = rest;
  return at;
}

function copyText(chunk: Uint8Array, view: DataView, start: number, bytes: Uint8Array, source: DataView, from: number, to: number): number {
  const length = to - from;
  let at = setVarint(chunk, start, length);
  if (length > LOOP_BYTES_MAX) {
    chunk.set(bytes.subarray(from, to), at);
    return at + length;
  }
  let rest = from;
  // By four bytes: a loop over single ones takes a third longer for a whole row.
  for (; rest + 4 <= to; rest += 4, at += 4) view.setInt32(at, source.getInt32(rest));
  while (rest < to) chunk[at++] = bytes[rest++]!;
  return at;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
