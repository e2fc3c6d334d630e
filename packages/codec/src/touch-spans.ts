/** The texts of a touch, in the order in which its record has them; `kind` stands before the numbers, the rest behind them. */
export const SPAN = { id: 0, accountId: 1, contactId: 2, kind: 3, channel: 4, campaignId: 5, creativeId: 6, url: 7, source: 8 } as const;
export const SPAN_COUNT = 9;

/**
 * A touch whose texts are ranges of somebody's bytes, such as those of a request: it is written from there, and no string is made of it. All of
 * its texts are ASCII, so they are the same bytes in the record. One object serves touch after touch.
 */
export class TouchSpans {
  bytes: Uint8Array = new Uint8Array(0);
  /** Start and end of each text of `SPAN`; a start of -1 for null. */
  readonly texts = new Int32Array(2 * SPAN_COUNT).fill(-1);
  /** Stands for an id that the bytes do not have. */
  madeId = '';
  /** Epoch milliseconds. */
  occurredAt = 0;
  minutes = 0;
  propertyCount = 0;
  /** Start and end of the key, then of the value, of each property. */
  readonly properties: Int32Array;

  constructor(propertiesMax: number) {
    this.properties = new Int32Array(4 * propertiesMax);
  }

  /** Begins a touch that has nothing yet. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.texts.fill(-1);
    this.minutes = 0;
    this.propertyCount = 0;
  }

  has(text: number): boolean {
    return this.texts[2 * text]! >= 0;
  }

  /** Bytes of all texts together. */
  get length(): number {
    let length = this.madeId.length;
    for (let at = 0; at < this.texts.length; at += 2) length += this.texts[at + 1]! - this.texts[at]!;
    for (let at = 0; at < 4 * this.propertyCount; at += 2) length += this.properties[at + 1]! - this.properties[at]!;
    return length;
  }
}
