import { FIELD, type TextField, type TouchCursor } from '@touchstone/engine';
import { OPTIONAL_FIELDS, type OptionalField, type TouchRows } from '@touchstone/store';

/** A touch as a row of the model store: what a cursor points at, copied. */
export interface StoredTouch {
  readonly offset: number;
  readonly appendedAt: number;
  readonly occurredAt: number;
  readonly minutes: number;
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly properties: Int32Array;
}

const FIXED_BYTES = 34;

export class ModelTouchRows implements TouchRows {
  readonly partition: number;
  readonly rows: StoredTouch[] = [];
  byteLength = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  get count(): number {
    return this.rows.length;
  }

  add(offset: number, appendedAt: number, touch: TouchCursor): void {
    const used = touch.properties.subarray(0, touch.propertyCount * 4);
    const start = touch.start.slice();
    const end = touch.end.slice();
    const properties = used.slice();
    let first = Infinity;
    let last = 0;
    // What is empty is stored as absent.
    for (let field = 0; field < start.length; field++) {
      const from = start[field]!;
      const to = end[field]!;
      if (from === to) start[field] = -1;
      if (from < 0 || from === to) continue;
      first = Math.min(first, from);
      last = Math.max(last, to);
    }
    for (let at = 0; at < used.length; at += 2) {
      first = Math.min(first, used[at]!);
      last = Math.max(last, used[at + 1]!);
    }
    for (let field = 0; field < start.length; field++) {
      if (start[field]! < 0) continue;
      start[field]! -= first;
      end[field]! -= first;
    }
    for (let at = 0; at < properties.length; at++) properties[at]! -= first;
    // A Buffer's own `slice` would be a view.
    const bytes = new Uint8Array(touch.bytes.subarray(first, last));
    this.rows.push({ offset, appendedAt, occurredAt: touch.occurredAt, minutes: touch.minutes, bytes, start, end, properties });
    this.byteLength += FIXED_BYTES + bytes.length;
  }
}

/** Points a cursor at a stored touch, without the fields that were not asked for. */
export function pointAt(touch: TouchCursor, row: StoredTouch, fields: readonly OptionalField[]): void {
  touch.bytes = row.bytes;
  touch.occurredAt = row.occurredAt;
  touch.minutes = row.minutes;
  touch.start.set(row.start);
  touch.end.set(row.end);
  touch.propertyCount = 0;
  for (const field of OPTIONAL_FIELDS) {
    if (field === 'properties') continue;
    if (!fields.includes(field)) touch.start[FIELD[field satisfies TextField]] = -1;
  }
  if (!fields.includes('properties')) return;
  const { properties } = row;
  for (let at = 0; at < properties.length; at += 4) {
    touch.addProperty(properties[at]!, properties[at + 1]!, properties[at + 2]!, properties[at + 3]!);
  }
}

export function isSameTouch(one: StoredTouch, other: StoredTouch): boolean {
  return (
    one.offset === other.offset &&
    one.appendedAt === other.appendedAt &&
    one.occurredAt === other.occurredAt &&
    one.minutes === other.minutes &&
    Buffer.compare(one.bytes, other.bytes) === 0
  );
}
