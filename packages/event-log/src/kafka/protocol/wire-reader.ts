import { EventLogError } from '../../event-log.ts';

/**
 * Reads what `WireWriter` writes. Whatever the bytes hold, it reads only inside them, and a length that can not be right is found out before
 * it is used for anything.
 * @throws EventLogError `corrupt` from every method
 */
export class WireReader {
  readonly flexible: boolean;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer, flexible = false) {
    this.#bytes = bytes;
    this.flexible = flexible;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  /** Offsets and times: a number beyond the safe integers is refused. */
  int64(): number {
    const at = this.#take(8);
    const value = this.#bytes.readInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw corrupt('a number is larger than any offset or time', at);
    return value;
  }

  /** For numbers that only identify, such as producer ids, which use all 64 bits. */
  bigint64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw corrupt('a length is too long', this.#at);
  }

  /** Reads an array; null counts as empty. `bytesMin` is what an element takes at least, so that a hostile count is refused at once. */
  list<T>(bytesMin: number, read: () => T): T[] {
    const count = this.flexible ? this.uvarint() - 1 : this.int32();
    if (count < -1 || count * bytesMin > this.remaining) throw corrupt('a list is longer than the answer', this.#at);
    const list: T[] = [];
    for (let i = 0; i < count; i++) list.push(read());
    return list;
  }

  text(): string {
    return this.nullableText() ?? '';
  }

  nullableText(): string | null {
    const length = this.flexible ? this.uvarint() - 1 : this.int16();
    if (length < -1) throw corrupt('a length is below that of null', this.#at);
    if (length === -1) return null;
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A view into the bytes read from. */
  nullableBytes(): Buffer | null {
    const length = this.flexible ? this.uvarint() - 1 : this.int32();
    if (length < -1) throw corrupt('a length is below that of null', this.#at);
    if (length === -1) return null;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** 16 bytes as 32 hex digits. */
  uuid(): string {
    const at = this.#take(16);
    return this.#bytes.toString('hex', at, at + 16);
  }

  /** Steps over the tagged fields at the end of a structure: they only ever add to it. */
  tags(): void {
    if (!this.flexible) return;
    const count = this.uvarint();
    if (count > this.remaining) throw corrupt('there are more tagged fields than bytes', this.#at);
    for (let i = 0; i < count; i++) {
      this.uvarint();
      this.#take(this.uvarint());
    }
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.#bytes.length - at) throw corrupt('an answer is cut off', at);
    this.#at = at + bytes;
    return at;
  }
}

function corrupt(what: string, position: number): EventLogError {
  return new EventLogError('corrupt', `${what} (at byte ${position} of the broker's answer)`);
}
