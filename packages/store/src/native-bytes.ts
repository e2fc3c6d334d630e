import { decodeUtf8 } from '@touchstone/engine';
import { cutShort } from './answer-bytes.ts';
import { StoreError } from './store-error.ts';

/** ClickHouse's Native format, as far as columns of text need it: lengths are varints, numbers little-endian. */
export class NativeBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      if (this.at >= this.bytes.length) break;
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw cutShort();
  }

  text(): string {
    const length = this.varint();
    const start = this.skip(length);
    return decodeUtf8(this.bytes, start, start + length);
  }

  /** Where as many bytes begin, which are passed over. */
  skip(length: number): number {
    const start = this.at;
    if (start + length > this.bytes.length) throw cutShort();
    this.at += length;
    return start;
  }
}

const FIRST_ROWS = 1024;
/** Of the 64 bits before a block's dictionary: the low byte says how many bytes a number has, as a power of two; the block brings its own entries. */
const OWN_ENTRIES = 1 << 9;
const DICTIONARY_VERSION = 1;
const WORD_BYTES = 8;

/** Where the texts of a column's rows are: of each row, or of each entry of a dictionary and then which of them a row has. */
export class TextColumn {
  /** -1 for an empty text. */
  start: Int32Array = new Int32Array(FIRST_ROWS);
  end: Int32Array = new Int32Array(FIRST_ROWS);
  /** By row, where texts come by a dictionary; otherwise null. */
  entry: Int32Array | null = null;
  #numbers: Int32Array = new Int32Array(0);

  /** Takes so many rows of a column of this type. */
  read(native: NativeBytes, rows: number, type: string): void {
    // Each takes a byte at least. A number out of broken bytes must not be made room for: it may ask for more than there is memory.
    if (rows > native.bytes.length - native.at) throw cutShort();
    this.entry = null;
    if (type === 'String') this.#readTexts(native, rows);
    else if (type === 'LowCardinality(String)') this.#readNumbered(native, rows);
    else throw new StoreError('rejected', `A column of texts is of type ${type}`);
  }

  /** Where a text begins, an empty one too. */
  placeOf(row: number): number {
    return this.start[row]! < 0 ? this.end[row]! : this.start[row]!;
  }

  /** Where the texts of so many rows from one on are; with their entries, or -1 where there are none. */
  copy(from: number, count: number, start: Int32Array, end: Int32Array, entry: Int32Array | null): void {
    const numbers = this.entry;
    for (let i = 0; i < count; i++) {
      const at = numbers === null ? from + i : numbers[from + i]!;
      start[i] = this.start[at]!;
      end[i] = this.end[at]!;
      if (entry !== null) entry[i] = numbers === null ? -1 : at;
    }
  }

  #readTexts(native: NativeBytes, rows: number): void {
    if (rows > this.start.length) {
      this.start = new Int32Array(rows);
      this.end = new Int32Array(rows);
    }
    const { end, start } = this;
    const { bytes } = native;
    let { at } = native;
    for (let row = 0; row < rows; row++) {
      let length = bytes[at]!;
      if (length < 128) at++;
      else {
        native.at = at;
        length = native.varint();
        at = native.at;
      }
      start[row] = length === 0 ? -1 : at;
      end[row] = at += length;
    }
    if (at > bytes.length) throw cutShort();
    native.at = at;
  }

  /** Numbers of entries, after the entries. */
  #readNumbered(native: NativeBytes, rows: number): void {
    const { view } = native;
    const version = native.skip(WORD_BYTES);
    const kind = native.skip(WORD_BYTES);
    const bits = view.getUint32(kind, true);
    if (view.getUint32(version, true) !== DICTIONARY_VERSION || (bits & OWN_ENTRIES) === 0) {
      throw new StoreError('rejected', 'A dictionary of texts is of a kind that is not known');
    }
    const count = view.getUint32(native.skip(WORD_BYTES), true);
    if (count > native.bytes.length - native.at) throw cutShort();
    this.#readTexts(native, count);
    if (view.getUint32(native.skip(WORD_BYTES), true) !== rows) throw cutShort();
    const width = 2 ** (bits & 255);
    const at = native.skip(rows * width);
    if (rows > this.#numbers.length) this.#numbers = new Int32Array(rows);
    const numbers = this.#numbers;
    for (let row = 0; row < rows; row++) {
      const entry =
        width === 1 ? view.getUint8(at + row) : width === 2 ? view.getUint16(at + row * 2, true) : view.getUint32(at + row * width, true);
      if (entry >= count) throw cutShort();
      numbers[row] = entry;
    }
    this.entry = numbers;
  }
}
