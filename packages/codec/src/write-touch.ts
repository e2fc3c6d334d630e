import { BYTES_PER_UNIT, copyText, textStart, writeLong, writeText } from './avro-output.ts';
import { HEADER_BYTES } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';
import { SPAN, SPAN_COUNT, type TouchSpans } from './touch-spans.ts';
import { TOUCH_VERSION, type Touch } from './touch.ts';

const CHUNK_BYTES = 64 * 1024;
const HEADER = publishedSchemas.version('touch', TOUCH_VERSION).header;

/** Five hold the branch of the union and the length of any string. */
const PREFIX_BYTES_MAX = 5;
/** Header, occurredAt, minutes, and the count and end of properties. */
const FIXED_BYTES_MAX = HEADER_BYTES + 10 + 8 + 10;
const TEXT_FIELDS = 9;

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

  /** As `write`, of a touch that stands in somebody's bytes. */
  copy(touch: TouchSpans): void {
    const { texts, properties, propertyCount } = touch;
    const from = touch.bytes;
    if (!touch.has(SPAN.accountId) && !touch.has(SPAN.contactId)) throw new TypeError('a touch needs an accountId or a contactId');
    this.#reserve(FIXED_BYTES_MAX + (TEXT_FIELDS + 2 * propertyCount) * PREFIX_BYTES_MAX + touch.length);
    const { bytes } = this;
    let at = this.end;
    this.start = at;
    for (let index = 0; index < HEADER_BYTES; index++) bytes[at++] = HEADER[index]!;
    if (touch.has(SPAN.id)) at = copyText(bytes, at, from, texts[0]!, texts[1]!);
    else at = writeText(bytes, at, touch.madeId);
    const keyed = touch.has(SPAN.accountId) ? SPAN.accountId : SPAN.contactId;
    for (let text = SPAN.accountId as number; text < SPAN_COUNT; text++) {
      const start = texts[2 * text]!;
      if (text === SPAN.kind) {
        at = copyText(bytes, at, from, start, texts[2 * text + 1]!);
        at = writeLong(bytes, at, touch.occurredAt);
        this.#view.setFloat64(at, touch.minutes, true);
        at += 8;
      } else if (start < 0) {
        bytes[at++] = 0;
      } else {
        bytes[at] = 2;
        at = copyText(bytes, at + 1, from, start, texts[2 * text + 1]!);
        if (text === keyed) {
          this.keyEnd = at;
          this.keyStart = at - (texts[2 * text + 1]! - start);
        }
      }
    }
    if (propertyCount > 0) at = writeLong(bytes, at, propertyCount);
    for (let index = 0; index < 4 * propertyCount; index += 2) at = copyText(bytes, at, from, properties[index]!, properties[index + 1]!);
    bytes[at] = 0;
    this.end = at + 1;
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

function writeProperties(bytes: Buffer, at: number, properties: Touch['properties'], keys: readonly string[]): number {
  if (keys.length > 0) at = writeLong(bytes, at, keys.length);
  for (const key of keys) {
    at = writeText(bytes, at, key);
    at = writeText(bytes, at, properties[key]!);
  }
  bytes[at] = 0;
  return at + 1;
}
