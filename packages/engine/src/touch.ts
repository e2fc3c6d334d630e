/**
 * One touch as the engine reads it: two numbers, and text as ranges of one buffer.
 *
 * A reader (the codec for log records, the store for its rows) points one cursor at touch after touch, so that applying a touch allocates
 * nothing and builds no string unless a rule asks for one. Whatever is kept beyond the call must be copied.
 */
export const FIELD = {
  id: 0,
  accountId: 1,
  contactId: 2,
  kind: 3,
  channel: 4,
  campaignId: 5,
  creativeId: 6,
  url: 7,
  source: 8,
} as const;

export type TextField = keyof typeof FIELD;

const FIELD_COUNT = 9;
const EMPTY = new Uint8Array(0);
/** Keeps a leading U+FEFF: without it, an id that begins with one would come out as another id. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8 bytes `start` to `end` as a string; invalid sequences become U+FFFD. Short ASCII, the usual case, skips the decoder. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 64) return utf8.decode(bytes.subarray(start, end));
  let ascii = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 127) return utf8.decode(bytes.subarray(start, end));
    ascii += String.fromCharCode(byte);
  }
  return ascii;
}

export class TouchCursor {
  bytes: Uint8Array = EMPTY;
  /** Where each text field begins, by `FIELD`; -1 when the touch has none. */
  readonly start: Int32Array = new Int32Array(FIELD_COUNT).fill(-1);
  readonly end: Int32Array = new Int32Array(FIELD_COUNT).fill(-1);
  /** Epoch milliseconds, by the clock of whoever saw the touch happen. */
  occurredAt = 0;
  /** Minutes spent, 0 to 1440. */
  minutes = 0;
  propertyCount = 0;
  /** Four numbers a property: key start, key end, value start, value end. Grown by `addProperty`. */
  properties: Int32Array = new Int32Array(4 * 8);

  has(field: number): boolean {
    return this.start[field]! >= 0;
  }

  /** The text of a field, or null when the touch has none. `field` is a number of `FIELD`. */
  text(field: number): string | null {
    const start = this.start[field]!;
    return start < 0 ? null : decodeUtf8(this.bytes, start, this.end[field]!);
  }

  addProperty(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.propertyCount * 4;
    if (at === this.properties.length) {
      const grown = new Int32Array(at * 2);
      grown.set(this.properties);
      this.properties = grown;
    }
    this.properties[at] = keyStart;
    this.properties[at + 1] = keyEnd;
    this.properties[at + 2] = valueStart;
    this.properties[at + 3] = valueEnd;
    this.propertyCount++;
  }

  /** The value of a property, or null when the touch does not have it. */
  property(name: string): string | null {
    for (let at = 0; at < this.propertyCount * 4; at += 4) {
      if (decodeUtf8(this.bytes, this.properties[at]!, this.properties[at + 1]!) !== name) continue;
      return decodeUtf8(this.bytes, this.properties[at + 2]!, this.properties[at + 3]!);
    }
    return null;
  }
}
