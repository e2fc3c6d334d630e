import { randomUUIDv7 } from 'node:crypto';
import { SPAN, type TouchSpans } from '@touchstone/codec';
import { AHEAD_MAX_MS, ID_MAX, MINUTES_MAX, PROPERTIES_MAX, PROPERTY_KEY_MAX, PROPERTY_VALUE_MAX, URL_MAX } from './limits.ts';
import { parseTime } from './parse-time.ts';
import type { TouchTimes } from './validate-touch.ts';

/** Where no plain touch was found. */
export const NOT_PLAIN = -1;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const LOWER_A = 0x61;
const LOWER_N = 0x6e;
const LOWER_Z = 0x7a;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Fields that are no texts come behind those that are. */
const OCCURRED_AT = 9;
const MINUTES = 10;
const PROPERTIES = 11;
const FIELDS: Readonly<Record<string, number>> = { ...SPAN, occurredAt: OCCURRED_AT, minutes: MINUTES, properties: PROPERTIES };
const NAMES: readonly { readonly name: Buffer; readonly field: number }[] = Object.entries(FIELDS).map(([name, field]) => ({
  name: Buffer.from(name),
  field,
}));
const NAMES_BY_LENGTH = Array.from({ length: 11 }, (_, length) => NAMES.filter(({ name }) => name.length === length));
const NULL = Buffer.from('null');
const KIND_MAX = 64;
/** A double holds every whole number of so many digits. */
const DIGITS_MAX = 15;
const UNSAFE_KEYS = new Set(['constructor', 'prototype', '__proto__']);

/**
 * Finds the parts of a touch in the JSON text of a request, without making an object, a string or a number of anything that is only copied into its
 * record. It takes what clients plainly send; whatever is unusual in the least (an escape, an unknown key, a key twice, an exponent), and
 * all that is wrong, is `NOT_PLAIN` here and left to `JSON.parse`, `checkTouch` and `validateTouch`. What this takes, they take with the same record.
 * The text must be ASCII without DEL and backslashes.
 */
export class TouchTextReader {
  readonly #touch: TouchSpans;
  #times: TouchTimes = { now: 0, oldest: 0 };
  /** In NDJSON an item ends with its line. */
  #isLine = false;
  /** The day that was read last, as its ten characters, and its beginning: nearly all touches of a request are of one. */
  readonly #day = Buffer.alloc(10);
  #dayStart = NaN;
  /** Of the names of the properties so far: comparing their bytes, each with each, would take longer than all else. */
  readonly #nameHashes = new Int32Array(PROPERTIES_MAX);

  constructor(touch: TouchSpans) {
    this.#touch = touch;
  }

  begin(times: TouchTimes, isLine: boolean): void {
    this.#times = times;
    this.#isLine = isLine;
  }

  /** The first position from `at` that is no white space. */
  skip(text: Buffer, at: number): number {
    for (; at < text.length; at++) {
      const byte = text[at]!;
      if (byte > SPACE) break;
      if (byte !== SPACE && byte !== TAB && byte !== RETURN && (byte !== NEWLINE || this.#isLine)) break;
    }
    return at;
  }

  /** Reads the object at `at` into the touch; where it ends. */
  read(text: Buffer, at: number): number {
    const touch = this.#touch;
    touch.reset(text);
    touch.occurredAt = this.#times.now;
    let seen = 0;
    if (text[at] !== OPEN) return NOT_PLAIN;
    do {
      at = this.skip(text, at + 1);
      const end = text[at] === QUOTE ? endOfText(text, at + 1) : NOT_PLAIN;
      if (end < 0) return NOT_PLAIN;
      const field = fieldOf(text, at + 1, end);
      if (field < 0 || (seen & (1 << field)) !== 0) return NOT_PLAIN;
      seen |= 1 << field;
      at = this.skip(text, end + 1);
      if (text[at] !== COLON) return NOT_PLAIN;
      at = this.#readValue(field, text, this.skip(text, at + 1));
      if (at < 0) return NOT_PLAIN;
      at = this.skip(text, at);
    } while (text[at] === COMMA);
    if (text[at] !== CLOSE || !touch.has(SPAN.kind) || !(touch.has(SPAN.accountId) || touch.has(SPAN.contactId))) return NOT_PLAIN;
    touch.madeId = touch.has(SPAN.id) ? '' : randomUUIDv7();
    return at + 1;
  }

  /** Reads what stands at `at` into the field; where it ends. */
  #readValue(field: number, text: Buffer, at: number): number {
    if (text[at] === LOWER_N) return isAt(text, at, NULL) ? at + NULL.length : NOT_PLAIN;
    if (field === OCCURRED_AT) return this.#readTime(text, at);
    if (field === MINUTES) return this.#readMinutes(text, at);
    if (field === PROPERTIES) return this.#readProperties(text, at);
    if (text[at] !== QUOTE) return NOT_PLAIN;
    const start = at + 1;
    const end = endOfText(text, start);
    if (end <= start || end - start > (field === SPAN.url ? URL_MAX : ID_MAX)) return NOT_PLAIN;
    if (field === SPAN.kind && !isKind(text, start, end)) return NOT_PLAIN;
    const { texts } = this.#touch;
    texts[2 * field] = start;
    texts[2 * field + 1] = end;
    return end + 1;
  }

  #readTime(text: Buffer, at: number): number {
    let time: number;
    let end: number;
    if (text[at] === QUOTE) {
      const start = at + 1;
      const close = endOfText(text, start);
      if (close < 0) return NOT_PLAIN;
      end = close + 1;
      time = this.#timeOf(text, start, close);
    } else {
      end = endOfDigits(text, at);
      time = plainNumber(text, at, end);
    }
    const { now, oldest } = this.#times;
    if (!(time <= now + AHEAD_MAX_MS && time >= oldest)) return NOT_PLAIN;
    this.#touch.occurredAt = time;
    return end;
  }

  /** `2026-03-01T09:30:00.000Z` on the day of the time before is put together here, every other one by `parseTime`. */
  #timeOf(text: Buffer, start: number, end: number): number {
    if (end - start !== 24 || !isAt(text, start, this.#day)) {
      const whole = text.toString('latin1', start, end);
      this.#day.set(text.subarray(start, start + this.#day.length));
      this.#dayStart = parseTime(`${whole.slice(0, this.#day.length)}T00:00:00Z`);
      return parseTime(whole);
    }
    const hour = wholeNumber(text, start + 11, start + 13);
    const minute = wholeNumber(text, start + 14, start + 16);
    const second = wholeNumber(text, start + 17, start + 19);
    const ms = this.#dayStart + ((hour * 60 + minute) * 60 + second) * 1000 + wholeNumber(text, start + 20, start + 23);
    const isUsual =
      text[start + 10] === 0x54 &&
      text[start + 13] === COLON &&
      text[start + 16] === COLON &&
      text[start + 19] === DOT &&
      text[start + 23] === 0x5a;
    return isUsual && hour <= 23 && minute <= 59 && second <= 59 ? ms : parseTime(text.toString('latin1', start, end));
  }

  #readMinutes(text: Buffer, at: number): number {
    let end = endOfDigits(text, at);
    let minutes = plainNumber(text, at, end);
    if (text[end] === DOT && !Number.isNaN(minutes)) {
      const fraction = end + 1;
      end = endOfDigits(text, fraction);
      if (end === fraction) return NOT_PLAIN;
      minutes = Number(text.toString('latin1', at, end));
    }
    if (!(minutes <= MINUTES_MAX)) return NOT_PLAIN;
    this.#touch.minutes = minutes;
    return end;
  }

  #readProperties(text: Buffer, at: number): number {
    const touch = this.#touch;
    const { properties } = touch;
    if (text[at] !== OPEN) return NOT_PLAIN;
    const first = this.skip(text, at + 1);
    if (text[first] === CLOSE) return first + 1;
    let count = 0;
    do {
      at = this.skip(text, at + 1);
      const keyEnd = text[at] === QUOTE ? endOfText(text, at + 1) : NOT_PLAIN;
      const keyStart = at + 1;
      if (count === PROPERTIES_MAX || keyEnd <= keyStart || keyEnd - keyStart > PROPERTY_KEY_MAX) return NOT_PLAIN;
      at = this.skip(text, keyEnd + 1);
      if (text[at] !== COLON || !this.#isOwnKey(text, keyStart, keyEnd, count)) return NOT_PLAIN;
      at = this.skip(text, at + 1);
      const end = text[at] === QUOTE ? endOfText(text, at + 1) : NOT_PLAIN;
      if (end < 0 || end - at - 1 > PROPERTY_VALUE_MAX) return NOT_PLAIN;
      properties.set([keyStart, keyEnd, at + 1, end], 4 * count++);
      at = this.skip(text, end + 1);
    } while (text[at] === COMMA);
    touch.propertyCount = count;
    return text[at] === CLOSE ? at + 1 : NOT_PLAIN;
  }

  /** A key that is surely none of the former ones. One that begins with a digit may be an index, which an object would put in front. */
  #isOwnKey(text: Buffer, start: number, end: number, count: number): boolean {
    if (text[start]! >= ZERO && text[start]! <= NINE) return false;
    if (end - start >= 9 && UNSAFE_KEYS.has(text.toString('latin1', start, end))) return false;
    const hashes = this.#nameHashes;
    const hash = hashOf(text, start, end);
    for (let former = 0; former < count; former++) if (hashes[former] === hash) return false;
    hashes[count] = hash;
    return true;
  }
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo 1991). */
function hashOf(text: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text[at]!, 0x01000193);
  return hash;
}

/** Where the text ends whose first character is at `at`: its closing quote. */
function endOfText(text: Buffer, at: number): number {
  for (; at < text.length; at++) {
    const byte = text[at]!;
    if (byte === QUOTE) return at;
    if (byte < SPACE) return NOT_PLAIN;
  }
  return NOT_PLAIN;
}

function endOfDigits(text: Buffer, at: number): number {
  while (at < text.length && text[at]! >= ZERO && text[at]! <= NINE) at++;
  return at;
}

/** As JSON writes it, without zeros in front; NaN for everything else. */
function plainNumber(text: Buffer, start: number, end: number): number {
  return end - start > 1 && text[start] === ZERO ? NaN : wholeNumber(text, start, end);
}

/** NaN for what is no number, or not surely exact. */
function wholeNumber(text: Buffer, start: number, end: number): number {
  if (end <= start || end - start > DIGITS_MAX) return NaN;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text[at]! - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function fieldOf(text: Buffer, start: number, end: number): number {
  const candidates = NAMES_BY_LENGTH[end - start];
  if (candidates === undefined) return NOT_PLAIN;
  for (const { name, field } of candidates) if (isAt(text, start, name)) return field;
  return NOT_PLAIN;
}

function isAt(text: Buffer, at: number, what: Buffer): boolean {
  for (let index = 0; index < what.length; index++) if (text[at + index] !== what[index]) return false;
  return true;
}

function isKind(text: Buffer, start: number, end: number): boolean {
  if (end - start > KIND_MAX || text[start]! < LOWER_A || text[start]! > LOWER_Z) return false;
  for (let at = start + 1; at < end; at++) {
    const byte = text[at]!;
    if (!((byte >= LOWER_A && byte <= LOWER_Z) || (byte >= ZERO && byte <= NINE) || byte === UNDERSCORE)) return false;
  }
  return true;
}
