import { EventLogError } from './event-log.ts';
import type { RecordBlock } from './event-log.ts';

/**
 * Records framed as in a Kafka record batch, format v2. Each is, with every number a zigzag varint unless said otherwise:
 *
 *     length | attributes int8 | timestampDelta | offsetDelta | keyLength, key | valueLength, value | headerCount, headers
 *
 * where `length` counts what follows it and a key or value length of -1 stands for null. We write timestampDelta 0 (a block has one time of
 * append) and no headers; the reader steps over both, so that blocks fetched from Kafka can be read as they came.
 */

/** A varint of 32 bits takes at most five bytes, one of 64 bits ten. */
const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;
/** What framing adds to key and value at most: length, attributes, timestampDelta, offsetDelta, two lengths, headerCount. */
export const FRAME_BYTES_MAX = 4 * VARINT_BYTES_MAX + 3;

/** Below this many bytes a plain loop copies faster than the call into the runtime that `set` is. */
const COPY_BY_LOOP_MAX = 24;

/** Frames records into one growing arena; `reset` starts the next block in the same memory. */
export class RecordBlockBuilder {
  #arena: Uint8Array;
  #end = 0;
  #count = 0;

  constructor(initialBytes = 4096) {
    this.#arena = new Uint8Array(initialBytes);
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#end;
  }

  /** Memory held, whether used or not. */
  get capacity(): number {
    return this.#arena.length;
  }

  /** Copies the record; the caller may change key and value afterwards. */
  append(key: Uint8Array | null, value: Uint8Array | null): void {
    const keyLength = key === null ? -1 : key.length;
    const valueLength = value === null ? -1 : value.length;
    const body =
      3 +
      varintBytes(this.#count) +
      varintBytes(keyLength) +
      (key === null ? 0 : keyLength) +
      varintBytes(valueLength) +
      (value === null ? 0 : valueLength);
    if (this.#end + body + VARINT_BYTES_MAX > this.#arena.length) this.#grow(this.#end + body + VARINT_BYTES_MAX);

    const arena = this.#arena;
    let at = writeVarint(arena, this.#end, body);
    arena[at++] = 0;
    arena[at++] = 0;
    at = writeVarint(arena, at, this.#count);
    at = writeVarint(arena, at, keyLength);
    if (key !== null) at = copy(arena, at, key);
    at = writeVarint(arena, at, valueLength);
    if (value !== null) at = copy(arena, at, value);
    arena[at++] = 0;
    this.#end = at;
    this.#count++;
  }

  /** A view of what was framed since the last `reset`: good until the next `append` or `reset`. */
  bytes(): Uint8Array {
    return this.#arena.subarray(0, this.#end);
  }

  reset(): void {
    this.#end = 0;
    this.#count = 0;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#arena.length * 2));
    grown.set(this.bytes());
    this.#arena = grown;
  }
}

/**
 * Walks the records of a block without allocating: after `next()` came back true the fields describe one record, as positions in the
 * block's bytes. Whatever the bytes hold, it reads only inside them, each at most once, and ends.
 */
export class RecordReader {
  /** Offset of the record. */
  offset = -1;
  /** -1 when the record has no key. */
  keyStart = -1;
  keyEnd = -1;
  /** -1 when the record has no value. */
  valueStart = -1;
  valueEnd = -1;

  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #remaining = 0;
  #baseOffset = 0;
  #nextOffset = 0;

  open(block: RecordBlock): this {
    this.#bytes = block.bytes;
    this.#at = 0;
    this.#remaining = block.count;
    this.#baseOffset = block.baseOffset;
    this.#nextOffset = block.nextOffset;
    this.offset = block.baseOffset - 1;
    return this;
  }

  /** Where in the block's bytes the next record begins. */
  get position(): number {
    return this.#at;
  }

  /** How many records `next` will still reach. */
  get remaining(): number {
    return this.#remaining;
  }

  /** @throws EventLogError `corrupt` when the bytes are not `count` well-framed records with rising offsets below `nextOffset` */
  next(): boolean {
    if (this.#remaining === 0) {
      if (this.#at !== this.#bytes.length) throw corrupt('the block goes on after its last record', this.#at);
      return false;
    }
    const bytes = this.#bytes;
    const length = this.#varint(bytes.length);
    // A record is seven bytes at least; a negative or hostile length fails here, before it is used for anything.
    const end = this.#at + length;
    if (length < 0 || end > bytes.length) throw corrupt('a record is longer than the block', this.#at);

    this.#at++;
    this.#skipVarlong(end);
    const offset = this.#baseOffset + this.#varint(end);
    if (offset <= this.offset || offset >= this.#nextOffset) throw corrupt('an offset does not rise, or is not of the block', this.#at);

    // A key or value that reaches past the end of its record is found out by the number that must follow it.
    const keyLength = this.#varint(end);
    const keyStart = this.#at;
    const keyEnd = keyLength < 0 ? keyStart : keyStart + keyLength;
    this.#at = keyEnd;

    const valueLength = this.#varint(end);
    const valueStart = this.#at;
    const valueEnd = valueLength < 0 ? valueStart : valueStart + valueLength;
    this.#at = valueEnd;
    if (keyLength < -1 || valueLength < -1) throw corrupt('a length is below that of null', keyStart);

    const headerCount = this.#varint(end);
    if (headerCount < 0 || (headerCount === 0 && this.#at !== end)) throw corrupt('a record goes on after its end', this.#at);

    this.#at = end;
    this.#remaining--;
    this.offset = offset;
    this.keyStart = keyLength < 0 ? -1 : keyStart;
    this.keyEnd = keyLength < 0 ? -1 : keyEnd;
    this.valueStart = valueLength < 0 ? -1 : valueStart;
    this.valueEnd = valueLength < 0 ? -1 : valueEnd;
    return true;
  }

  /** A zigzag varint of 32 bits that ends before `end`. */
  #varint(end: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= end) throw corrupt('a number is cut off', at);
    let byte = bytes[at++]!;
    let raw = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28) throw corrupt('a number is too long', at);
      if (at >= end) throw corrupt('a number is cut off', at);
      byte = bytes[at++]!;
      raw |= (byte & 0x7f) << shift;
    }
    this.#at = at;
    return (raw >>> 1) ^ -(raw & 1);
  }

  #skipVarlong(end: number): void {
    const bytes = this.#bytes;
    const limit = Math.min(end, this.#at + VARLONG_BYTES_MAX);
    let at = this.#at;
    while (at < limit && bytes[at]! >= 0x80) at++;
    if (at >= limit) throw corrupt('a number is cut off or too long', at);
    this.#at = at + 1;
  }
}

/**
 * The block without its records below `offset`. `baseOffset` stays, because the offset deltas inside the records count from it, as in a
 * Kafka batch whose first records were compacted away.
 */
export function blockFrom(block: RecordBlock, offset: number): RecordBlock {
  if (offset <= block.baseOffset) return block;
  const reader = new RecordReader().open(block);
  let position = reader.position;
  let count = reader.remaining;
  while (reader.next() && reader.offset < offset) {
    position = reader.position;
    count = reader.remaining;
  }
  return { ...block, count, bytes: block.bytes.subarray(position) };
}

function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

function writeVarint(target: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    target[at++] = zigzag | 0x80;
    zigzag >>>= 7;
  }
  target[at++] = zigzag;
  return at;
}

function copy(target: Uint8Array, at: number, source: Uint8Array): number {
  const length = source.length;
  if (length > COPY_BY_LOOP_MAX) target.set(source, at);
  else for (let i = 0; i < length; i++) target[at + i] = source[i]!;
  return at + length;
}

function corrupt(what: string, position: number): EventLogError {
  return new EventLogError('corrupt', `${what} (at byte ${position} of the block)`);
}
