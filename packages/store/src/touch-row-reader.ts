import { TouchCursor, type TouchBatch } from '@touchstone/engine';
import { FIXED_BYTES, PLACE } from './touch-columns.ts';
import { cutShort, getInt64, somethingElse } from './answer-bytes.ts';
import type { TouchLayout } from './touch-columns.ts';

const NO_BYTES = new Uint8Array(0);

/** Touches of an answer, one at a time. */
export interface TouchReader {
  /** Points at the touch that the last `next()` reached. */
  readonly touch: TouchCursor;
  readonly offset: number;
  readonly appendedAt: number;
  /** Begins with another answer; the cursor of the former one is not valid any more. */
  open(bytes: Uint8Array): void;
  /** Goes to the next touch; false when there is none. */
  next(): boolean;
  /** Where touches come as columns. */
  readonly columns?: TouchColumnSource;
}

/** Gives touches by the hundred, as columns. */
export interface TouchColumnSource {
  /** Puts touches that follow into a batch, which is empty, as long as they come after one offset and before another; says how many. */
  take(batch: TouchBatch, after: number, before: number): number;
  /** Points the cursor at one of those taken last. */
  pointAt(index: number): void;
  /** The touch that the last `next()` reached is to be given again. */
  stepBack(): void;
}

/** Reads touches from RowBinary rows of a layout, pointing one cursor at each in turn: no strings, nothing allocated per row. */
export class TouchRowReader implements TouchReader {
  readonly touch = new TouchCursor();
  offset = 0;
  appendedAt = 0;
  readonly #textFields: Int32Array;
  readonly #hasProperties: boolean;
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer);
  #at = 0;

  constructor({ textFields, hasProperties }: TouchLayout) {
    this.#textFields = textFields;
    this.#hasProperties = hasProperties;
  }

  open(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.touch.bytes = bytes;
  }

  next(): boolean {
    const bytes = this.#bytes;
    const row = this.#at;
    if (row === bytes.length) return false;
    if (row + FIXED_BYTES > bytes.length) throw cutShort();
    const view = this.#view;
    const touch = this.touch;
    this.offset = getInt64(view, row + PLACE.offset);
    // Text among the rows, as of an exception that came when some were out already, is no offset that a log can have.
    if (this.offset > Number.MAX_SAFE_INTEGER) throw somethingElse();
    this.appendedAt = getInt64(view, row + PLACE.appended_at);
    touch.occurredAt = getInt64(view, row + PLACE.occurred_at);
    touch.minutes = view.getFloat64(row + PLACE.minutes, true);
    this.#at = row + FIXED_BYTES;
    const { start, end } = touch;
    const fields = this.#textFields;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]!;
      const length = this.#varint();
      start[field] = length === 0 ? -1 : this.#at;
      end[field] = this.#at += length;
    }
    touch.propertyCount = 0;
    if (this.#hasProperties) this.#readProperties();
    if (this.#at > bytes.length) throw cutShort();
    return true;
  }

  #readProperties(): void {
    for (let left = this.#varint(); left > 0; left--) {
      const keyLength = this.#varint();
      const key = this.#at;
      this.#at += keyLength;
      const valueLength = this.#varint();
      const value = this.#at;
      this.#at += valueLength;
      if (this.#at > this.#bytes.length) throw cutShort();
      this.touch.addProperty(key, key + keyLength, value, value + valueLength);
    }
  }

  #varint(): number {
    const bytes = this.#bytes;
    if (this.#at >= bytes.length) throw cutShort();
    const first = bytes[this.#at++]!;
    if (first < 128) return first;
    let value = first & 127;
    for (let shift = 7; shift < 35; shift += 7) {
      if (this.#at >= bytes.length) throw cutShort();
      const byte = bytes[this.#at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw cutShort();
  }
}
