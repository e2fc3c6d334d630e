import { FIELD, RECORD, TouchCursor } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { BlockRun } from '@touchstone/aggregator';

const NO_BYTES = new Uint8Array(0);
const TEXT_FIELDS_AFTER_MINUTES = [FIELD.channel, FIELD.campaignId, FIELD.creativeId, FIELD.url];

/**
 * The touches of the comparison with other engines, read in place: Avro without a header, in the order id, accountId, contactId?, kind,
 * occurredAt, receivedAt, minutes, channel?, campaignId?, creativeId?, url?, source, properties. The time of append is `receivedAt`, since the
 * touches are replayed from a file.
 *
 * A record that does not decode ends the run: the comparison has none, and its results would mean nothing with some left out.
 */
export class PeersTouchRun implements BlockRun {
  readonly partition: number;
  readonly kind = RECORD.touch;
  readonly touch = new TouchCursor();
  readonly fact = null;
  readonly model = null;
  readonly tick = null;
  readonly poison = null;
  appendedAt = 0;
  readonly #isWhole: boolean;
  readonly #records = new RecordReader();
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer);
  #at = 0;

  /** @param isWhole whether the fields are wanted that no rule asks for: the store's */
  constructor(partition: number, isWhole: boolean) {
    this.partition = partition;
    this.#isWhole = isWhole;
  }

  open(block: RecordBlock): void {
    const { bytes } = block;
    this.#records.open(block);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.touch.bytes = bytes;
  }

  get offset(): number {
    return this.#records.offset;
  }

  get value(): Uint8Array {
    return this.#bytes.subarray(this.#records.valueStart, this.#records.valueEnd);
  }

  get key(): Uint8Array {
    return this.#bytes.subarray(this.#records.keyStart, this.#records.keyEnd);
  }

  next(): boolean {
    const records = this.#records;
    if (!records.next()) return false;
    const { touch } = this;
    this.#at = records.valueStart;
    this.#text(FIELD.id);
    this.#text(FIELD.accountId);
    this.#optionalText(FIELD.contactId);
    this.#text(FIELD.kind);
    touch.occurredAt = this.#long();
    this.appendedAt = this.#long();
    touch.minutes = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    if (this.#isWhole) this.#rest(records.valueEnd);
    else {
      this.#skipOptionalText();
      this.#optionalText(FIELD.campaignId);
    }
    if (this.#at > records.valueEnd) throw new RangeError(`the touch at offset ${this.offset} of partition ${this.partition} is cut off`);
    return true;
  }

  #rest(end: number): void {
    for (const field of TEXT_FIELDS_AFTER_MINUTES) this.#optionalText(field);
    this.#text(FIELD.source);
    this.touch.propertyCount = 0;
    if (this.#long() !== 0 || this.#at !== end) throw new RangeError('touches of the comparison have no properties');
  }

  #text(field: number): void {
    const length = this.#long();
    const { start, end } = this.touch;
    start[field] = this.#at;
    this.#at += length;
    end[field] = this.#at;
  }

  #optionalText(field: number): void {
    if (this.#bytes[this.#at++] !== 0) this.#text(field);
    else {
      this.touch.start[field] = -1;
      this.touch.end[field] = -1;
    }
  }

  #skipOptionalText(): void {
    if (this.#bytes[this.#at++] === 0) return;
    // Apart: `+=` would take the place from before the length was read.
    const length = this.#long();
    this.#at += length;
  }

  /** A zigzag varint that is not negative. Those of one byte, most lengths, are read at once. */
  #long(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 128) return byte >> 1;
    let value = byte & 127;
    let worth = 128;
    do {
      byte = bytes[this.#at++]!;
      value += (byte & 127) * worth;
      worth *= 128;
    } while (byte >= 128);
    return value / 2;
  }
}
