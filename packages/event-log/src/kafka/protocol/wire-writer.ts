/**
 * Writes the values of Kafka's protocol, big-endian. In the newer, "flexible" versions of a request lengths are varints counted from one and
 * every structure ends in tagged fields; the same calls write either form.
 */
export class WireWriter {
  readonly flexible: boolean;
  #bytes: Buffer;
  #end = 0;

  constructor(flexible = false, initialBytes = 512) {
    this.flexible = flexible;
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  /** A view of what was written so far: good until the next write. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  int8(value: number): this {
    this.#end = this.#room(1).writeInt8(value, this.#end);
    return this;
  }

  int16(value: number): this {
    this.#end = this.#room(2).writeInt16BE(value, this.#end);
    return this;
  }

  int32(value: number): this {
    this.#end = this.#room(4).writeInt32BE(value, this.#end);
    return this;
  }

  /** Any safe integer. */
  int64(value: number): this {
    const bytes = this.#room(8);
    bytes.writeInt32BE(Math.floor(value / 2 ** 32), this.#end);
    bytes.writeUInt32BE(value - Math.floor(value / 2 ** 32) * 2 ** 32, this.#end + 4);
    this.#end += 8;
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  uvarint(value: number): this {
    const bytes = this.#room(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      bytes[this.#end++] = rest | 0x80;
      rest >>>= 7;
    }
    bytes[this.#end++] = rest;
    return this;
  }

  /** How many elements of an array follow; null stands for no array. */
  count(value: number | null): this {
    return this.flexible ? this.uvarint(value === null ? 0 : value + 1) : this.int32(value ?? -1);
  }

  text(value: string | null): this {
    const length = value === null ? null : Buffer.byteLength(value);
    if (this.flexible) this.uvarint(length === null ? 0 : length + 1);
    else this.int16(length ?? -1);
    if (value !== null && length !== null) this.#end += this.#room(length).write(value, this.#end, 'utf8');
    return this;
  }

  /** A header keeps the older form of text in flexible versions too. */
  oldText(value: string): this {
    const length = Buffer.byteLength(value);
    this.int16(length);
    this.#end += this.#room(length).write(value, this.#end, 'utf8');
    return this;
  }

  /** The length that goes before bytes which `raw` then writes. */
  bytesLength(length: number): this {
    return this.flexible ? this.uvarint(length + 1) : this.int32(length);
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#end);
    this.#end += bytes.length;
    return this;
  }

  /** The end of a structure: no tagged fields. */
  tags(): this {
    return this.flexible ? this.uvarint(0) : this;
  }

  #room(bytes: number): Buffer {
    if (this.#end + bytes > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + bytes));
      this.#bytes.copy(grown, 0, 0, this.#end);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
