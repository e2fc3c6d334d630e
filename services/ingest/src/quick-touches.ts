import { TouchSpans, type TouchWriter } from '@touchstone/codec';
import type { OutgoingRecord } from '@touchstone/event-log';
import { ITEM_BYTES_MAX, ITEMS_MAX, LINE_UNITS_MAX, PROPERTIES_MAX } from './limits.ts';
import { isClean } from './read-batch.ts';
import { NOT_PLAIN, TouchTextReader } from './read-touch-text.ts';
import type { TouchTimes } from './validate-touch.ts';

const COMMA = 0x2c;
const NEWLINE = 0x0a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** The records of bodies that hold nothing but plain touches, straight from their bytes: see `TouchTextReader`. */
export class QuickTouches {
  readonly #touch = new TouchSpans(PROPERTIES_MAX);
  readonly #reader = new TouchTextReader(this.#touch);
  readonly #writer: TouchWriter;

  constructor(writer: TouchWriter) {
    this.#writer = writer;
  }

  /** Null for every body that is not plain from end to end: then it has to be looked at as a whole, by the usual way. */
  records(body: Buffer, isNdjson: boolean, times: TouchTimes): OutgoingRecord[] | null {
    if (!isClean(body)) return null;
    this.#reader.begin(times, isNdjson);
    const records: OutgoingRecord[] = [];
    const end = isNdjson ? this.#readLines(body, records) : this.#readDocument(body, records);
    return end === body.length && records.length > 0 ? records : null;
  }

  /** Where the document ends, or `NOT_PLAIN`. */
  #readDocument(body: Buffer, records: OutgoingRecord[]): number {
    const reader = this.#reader;
    let at = reader.skip(body, 0);
    if (body[at] !== OPEN_LIST) {
      at = this.#readItem(body, at, records);
      return at < 0 ? NOT_PLAIN : reader.skip(body, at);
    }
    do {
      at = this.#readItem(body, reader.skip(body, at + 1), records);
      if (at < 0 || records.length > ITEMS_MAX) return NOT_PLAIN;
      at = reader.skip(body, at);
    } while (body[at] === COMMA);
    return body[at] === CLOSE_LIST ? reader.skip(body, at + 1) : NOT_PLAIN;
  }

  #readLines(body: Buffer, records: OutgoingRecord[]): number {
    const reader = this.#reader;
    for (let at = 0; at < body.length; at++) {
      const start = at;
      at = reader.skip(body, at);
      if (at < body.length && body[at] !== NEWLINE) {
        at = this.#readItem(body, at, records);
        if (at < 0 || records.length > ITEMS_MAX) return NOT_PLAIN;
        at = reader.skip(body, at);
      }
      if (at - start > LINE_UNITS_MAX || (at < body.length && body[at] !== NEWLINE)) return NOT_PLAIN;
    }
    return body.length;
  }

  #readItem(body: Buffer, at: number, records: OutgoingRecord[]): number {
    const end = this.#reader.read(body, at);
    if (end < 0) return NOT_PLAIN;
    const writer = this.#writer;
    writer.copy(this.#touch);
    if (writer.end - writer.start > ITEM_BYTES_MAX) return NOT_PLAIN;
    records.push({ key: writer.key(), value: writer.value() });
    return end;
  }
}
