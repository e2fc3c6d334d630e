import { LogRun, type FramedBlock, type FramedRecords } from '@touchstone/codec';
import { decodeUtf8, FIELD, RECORD, type TextField, type TouchCursor } from '@touchstone/engine';

/** A block that is nothing but the value of one record. */
class OneRecord implements FramedRecords<FramedBlock> {
  readonly offset = 0;
  readonly keyStart = -1;
  readonly keyEnd = -1;
  readonly valueStart = 0;
  valueEnd = 0;
  #left = 0;

  open({ bytes }: FramedBlock): void {
    this.valueEnd = bytes.length;
    this.#left = 1;
  }

  next(): boolean {
    return this.#left-- > 0;
  }
}

const FIELDS = Object.entries(FIELD) as [TextField, number][];
/** Fields of facts that are times, epoch ms. */
const TIMES = new Set(['updatedAt', 'createdAt', 'qualifiedAt', 'closedAt', 'from', 'to']);
const PREVIEW_BYTES = 200;

/** What a record of the log says, by its type, if this version can read it; else null. It is read as the aggregator would. */
export function showRecord(value: Uint8Array): Record<string, unknown> | null {
  const run = new LogRun(0, new OneRecord());
  run.open({ appendedAt: 0, bytes: value });
  run.next();
  switch (run.kind) {
    case RECORD.touch:
      return { type: 'touch', ...showTouch(run.touch) };
    case RECORD.fact:
      return Object.fromEntries(Object.entries(run.fact!).map(([field, said]) => [field, TIMES.has(field) ? showTime(said) : said]));
    case RECORD.model:
      return { type: 'model', model: run.model };
    case RECORD.tick:
      return { type: 'clock-tick', writtenAt: showTime(run.tick!.writtenAt), fleetGrowth: run.tick!.fleetGrowth };
    default:
      return null;
  }
}

/** The first bytes as text: what is not printable ASCII shows as a dot. Whoever sent JSON or a web page by mistake is known by that. */
export function previewOf(value: Uint8Array): string {
  return Array.from(value.subarray(0, PREVIEW_BYTES), (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCodePoint(byte) : '.')).join('');
}

function showTouch(touch: TouchCursor): Record<string, unknown> {
  const { bytes, properties, propertyCount } = touch;
  const pairs = Array.from({ length: propertyCount }, (_, index) => {
    const at = index * 4;
    return [decodeUtf8(bytes, properties[at]!, properties[at + 1]!), decodeUtf8(bytes, properties[at + 2]!, properties[at + 3]!)] as const;
  });
  return {
    ...Object.fromEntries(FIELDS.map(([name, field]) => [name, touch.text(field)])),
    occurredAt: showTime(touch.occurredAt),
    minutes: touch.minutes,
    // Of two with one key the first counts.
    properties: Object.fromEntries(pairs.toReversed()),
  };
}

function showTime(at: unknown): unknown {
  return typeof at === 'number' ? new Date(at).toISOString() : at;
}
