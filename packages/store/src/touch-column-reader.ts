import { FIELD, TOUCHES_A_BATCH, TouchCursor, type TouchBatch } from '@touchstone/engine';
import type { TouchColumnSource, TouchReader } from './touch-row-reader.ts';
import type { TouchLayout } from './touch-columns.ts';
import { getInt64, somethingElse } from './answer-bytes.ts';
import { NativeBytes, TextColumn } from './native-bytes.ts';

/** Numbers of 8 bytes before the texts, in the order of the layout's columns: see `columnsAsked`. */
const NUMBERS = ['offset', 'appended_at', 'occurred_at', 'minutes'] as const;
const NUMBER_BYTES = 8;

/**
 * Columns of a layout as a statement asks for them when its answer comes in blocks of columns: without the partition, which the statement names. Making such
 * an answer takes ClickHouse half of what rows take it.
 * @param withDictionary whether accounts come by a dictionary as well, so that a reader looks each up once a block
 */
export function columnsAsked({ columns }: TouchLayout, withDictionary: boolean): string {
  const asked = columns.filter(({ name }) => name !== 'partition').map(({ name }) => name);
  return asked.map((name) => (withDictionary && name === 'account_id' ? `toLowCardinality(${name}) AS ${name}` : name)).join(', ');
}

/**
 * Reads touches from blocks of columns (ClickHouse's Native format), pointing one cursor at each in turn. Texts are located column by column when a block
 * begins, some nanoseconds each; nothing is allocated per row.
 *
 *     answer: block...    block: columns, rows, column...    column: name, type, values of all rows
 *
 * Texts of a column with a dictionary are the same place in the bytes wherever they are equal within a block.
 */
export class TouchColumnReader implements TouchReader, TouchColumnSource {
  readonly columns: TouchColumnSource = this;
  readonly touch = new TouchCursor();
  offset = 0;
  appendedAt = 0;
  readonly #layout: TouchLayout;
  readonly #names: readonly string[];
  readonly #texts: readonly TextColumn[];
  /** The same by `FIELD`; undefined for those that are not asked for. */
  readonly #textOf: readonly (TextColumn | undefined)[];
  readonly #propertyKeys = new TextColumn();
  readonly #propertyValues = new TextColumn();
  #propertyEnds: DataView = new DataView(new ArrayBuffer(0));
  /** Where the column of each of `NUMBERS` begins. */
  readonly #numbersAt = new Float64Array(NUMBERS.length);
  #native = new NativeBytes(new Uint8Array(0));
  #rows = 0;
  #row = 0;
  /** The row of the first touch that was taken last. */
  #taken = 0;
  /** Another object for each block. */
  #dictionaries: object = {};

  constructor(layout: TouchLayout) {
    this.#layout = layout;
    this.#names = layout.columns.filter(({ name }) => name !== 'partition').map(({ name }) => name);
    this.#texts = Array.from(layout.textFields, () => new TextColumn());
    this.#textOf = Object.values(FIELD).map((field) => this.#texts[layout.textFields.indexOf(field)]);
  }

  open(bytes: Uint8Array): void {
    this.#native = new NativeBytes(bytes);
    this.#rows = 0;
    this.#row = 0;
    this.touch.bytes = bytes;
  }

  next(): boolean {
    while (this.#row === this.#rows) if (!this.#nextBlock()) return false;
    this.#pointAtRow(this.#row++);
    return true;
  }

  stepBack(): void {
    this.#row--;
  }

  take(batch: TouchBatch, after: number, before: number): number {
    while (this.#row === this.#rows) if (!this.#nextBlock()) return 0;
    const { view } = this.#native;
    const [offsets, appended, occurred, minutes] = this.#numbersAt;
    let from = this.#row;
    // Rows that are there more than once are given once.
    while (from < this.#rows && getInt64(view, offsets! + from * NUMBER_BYTES) === after) from++;
    const most = Math.min(TOUCHES_A_BATCH, this.#rows - from);
    let last = after;
    let count = 0;
    for (; count < most; count++) {
      const offset = getInt64(view, offsets! + (from + count) * NUMBER_BYTES);
      if (offset >= before || offset <= last) break;
      batch.offset[count] = last = offset;
    }
    for (let i = 0; i < count; i++) {
      const at = (from + i) * NUMBER_BYTES;
      batch.now[i] = getInt64(view, appended! + at);
      batch.occurredAt[i] = getInt64(view, occurred! + at);
      batch.minutes[i] = view.getFloat64(minutes! + at, true);
    }
    for (const { end, entry, field, start } of batch.texts) {
      const text = this.#textOf[field];
      if (text === undefined) start.fill(-1, 0, count);
      else text.copy(from, count, start, end, entry);
    }
    batch.bytes = this.#native.bytes;
    batch.dictionaries = this.#dictionaries;
    this.#taken = from;
    this.#row = from + count;
    return count;
  }

  pointAt(index: number): void {
    this.#pointAtRow(this.#taken + index);
  }

  #pointAtRow(row: number): void {
    const { view } = this.#native;
    const { end, start } = this.touch;
    const at = row * NUMBER_BYTES;
    const numbersAt = this.#numbersAt;
    this.offset = getInt64(view, numbersAt[0]! + at);
    this.appendedAt = getInt64(view, numbersAt[1]! + at);
    this.touch.occurredAt = getInt64(view, numbersAt[2]! + at);
    this.touch.minutes = view.getFloat64(numbersAt[3]! + at, true);
    const fields = this.#layout.textFields;
    const texts = this.#texts;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]!;
      const text = texts[index]!;
      const at = text.entry === null ? row : text.entry[row]!;
      start[field] = text.start[at]!;
      end[field] = text.end[at]!;
    }
    this.touch.propertyCount = 0;
    if (this.#layout.hasProperties) this.#pointAtProperties(row);
  }

  /** False when there is none. */
  #nextBlock(): boolean {
    const native = this.#native;
    if (native.isAtEnd) return false;
    const columns = native.varint();
    const rows = native.varint();
    if (columns !== this.#names.length) throw somethingElse();
    for (const [index, name] of this.#names.entries()) {
      if (native.text() !== name) throw somethingElse();
      const type = native.text();
      if (rows === 0) continue;
      if (index < NUMBERS.length) this.#numbersAt[index] = native.skip(rows * NUMBER_BYTES);
      else if (name === 'properties') this.#readProperties(rows);
      else this.#texts[index - NUMBERS.length]!.read(native, rows, type);
    }
    this.#rows = rows;
    this.#row = 0;
    this.#dictionaries = {};
    return true;
  }

  /** A map is an array of pairs: where each row's ones end, then all keys, then all values. */
  #readProperties(rows: number): void {
    const native = this.#native;
    const { view } = native;
    const at = native.skip(rows * NUMBER_BYTES);
    this.#propertyEnds = new DataView(view.buffer, view.byteOffset + at, rows * NUMBER_BYTES);
    const pairs = getInt64(this.#propertyEnds, (rows - 1) * NUMBER_BYTES);
    this.#propertyKeys.read(native, pairs, 'String');
    this.#propertyValues.read(native, pairs, 'String');
  }

  #pointAtProperties(row: number): void {
    const [keys, values] = [this.#propertyKeys, this.#propertyValues];
    const to = getInt64(this.#propertyEnds, row * NUMBER_BYTES);
    for (let at = row === 0 ? 0 : getInt64(this.#propertyEnds, (row - 1) * NUMBER_BYTES); at < to; at++) {
      const key = keys.placeOf(at);
      const value = values.placeOf(at);
      this.touch.addProperty(key, keys.end[at]!, value, values.end[at]!);
    }
  }
}
