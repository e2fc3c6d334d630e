import { HEADER_BYTES } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';
import { TOUCH_VERSION, type Touch } from './touch.ts';

const CHUNK_BYTES = 64 * 1024;
const HEADER = publishedSchemas.version('touch', TOUCH_VERSION).header;

/** UTF-8 needs at most three bytes for a UTF-16 unit; five hold the branch of the union and the length of any string. */
const BYTES_PER_UNIT = 3;
const PREFIX_BYTES_MAX = 5;
/** Header, occurredAt, minutes, and the count and end of properties. */
const FIXED_BYTES_MAX = HEADER_BYTES + 10 + 8 + 10;
const TEXT_FIELDS = 9;

/** Up to this many units a loop beats the call into Node's own encoder. */
const LOOP_UNITS_MAX = 40;

/** Where the text that was written last begins, after its length. */
let textStart = 0;

/**
 * Encodes touches as single objects, one behind another, into chunks. A chunk is never written twice: key and value of a touch stay as they
 * are for as long as anyone holds them, and one chunk can serve many requests.
 */
export class TouchWriter {
  /** Holds the touch that was written last. */
  bytes: Buffer = Buffer.alloc(0);
  /** Range of its value. */
  start = 0;
  end = 0;
  /** Range of its key on the log within the value: the text of accountId or, without one, of contactId. */
  keyStart = 0;
  keyEnd = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));

  write(touch: Touch): void {
    if (touch.accountId === null && touch.contactId === null) throw new TypeError('a touch needs an accountId or a contactId');
    const keys = Object.keys(touch.properties);
    this.#reserve(bytesMax(touch, keys));
    const { bytes } = this;
    let at = this.end;
    this.start = at;
    for (let index = 0; index < HEADER_BYTES; index++) bytes[at++] = HEADER[index]!;
    at = writeText(bytes, at, touch.id);
    at = writeOptional(bytes, at, touch.accountId);
    this.keyStart = textStart;
    this.keyEnd = at;
    at = writeOptional(bytes, at, touch.contactId);
    if (touch.accountId === null) {
      this.keyStart = textStart;
      this.keyEnd = at;
    }
    at = writeText(bytes, at, touch.kind);
    at = writeLong(bytes, at, touch.occurredAt);
    this.#view.setFloat64(at, touch.minutes, true);
    at = writeOptional(bytes, at + 8, touch.channel);
    at = writeOptional(bytes, at, touch.campaignId);
    at = writeOptional(bytes, at, touch.creativeId);
    at = writeOptional(bytes, at, touch.url);
    at = writeOptional(bytes, at, touch.source);
    this.end = writeProperties(bytes, at, touch.properties, keys);
  }

  value(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.start, this.end - this.start);
  }

  key(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.keyStart, this.keyEnd - this.keyStart);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.bytes.length - this.end) return;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(bytes, CHUNK_BYTES));
    this.#view = new DataView(this.bytes.buffer);
    this.end = 0;
  }
}

function bytesMax(touch: Touch, keys: readonly string[]): number {
  let units = touch.id.length + touch.kind.length + unitsOf(touch.accountId) + unitsOf(touch.contactId) + unitsOf(touch.channel);
  units += unitsOf(touch.campaignId) + unitsOf(touch.creativeId) + unitsOf(touch.url) + unitsOf(touch.source);
  for (const key of keys) units += key.length + touch.properties[key]!.length;
  return FIXED_BYTES_MAX + (TEXT_FIELDS + 2 * keys.length) * PREFIX_BYTES_MAX + units * BYTES_PER_UNIT;
}

function unitsOf(text: string | null): number {
  return text === null ? 0 : text.length;
}

function writeOptional(bytes: Buffer, at: number, text: string | null): number {
  if (text === null) {
    bytes[at] = 0;
    return at + 1;
  }
  bytes[at] = 2;
  return writeText(bytes, at + 1, text);
}

/** Takes the text for ASCII, so that its length in bytes is known, and begins again when it turns out not to be. */
function writeText(bytes: Buffer, at: number, text: string): number {
  const units = text.length;
  const from = writeLong(bytes, at, units);
  textStart = from;
  if (units > LOOP_UNITS_MAX) {
    const written = bytes.write(text, from, 'utf8');
    return written === units ? from + written : writeUnicode(bytes, at, text);
  }
  for (let index = 0; index < units; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 127) return writeUnicode(bytes, at, text);
    bytes[from + index] = unit;
  }
  return from + units;
}

function writeUnicode(bytes: Buffer, at: number, text: string): number {
  textStart = writeLong(bytes, at, Buffer.byteLength(text));
  return textStart + bytes.write(text, textStart, 'utf8');
}

/** A zigzag varint, seven bits a byte, the lowest first. `value` is a whole number from 0 to the safe integers. */
function writeLong(bytes: Buffer, at: number, value: number): number {
  let rest = value * 2;
  while (rest >= 0x8000_0000) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

function writeProperties(bytes: Buffer, at: number, properties: Touch['properties'], keys: readonly string[]): number {
  if (keys.length > 0) at = writeLong(bytes, at, keys.length);
  for (const key of keys) {
    at = writeText(bytes, at, key);
    at = writeText(bytes, at, properties[key]!);
  }
  bytes[at] = 0;
  return at + 1;
}
