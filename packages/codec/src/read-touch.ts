import { FIELD, type Poison, type TextField, type TouchCursor } from '@touchstone/engine';
import { AvroInput } from './avro-input.ts';
import { createBodyDecoder } from './decode-body.ts';
import {
  ID_BYTES_MAX,
  KIND_BYTES_MAX,
  MINUTES_MAX,
  PROPERTIES_MAX,
  PROPERTY_KEY_BYTES_MAX,
  PROPERTY_VALUE_BYTES_MAX,
  TIME_MAX,
  URL_BYTES_MAX,
} from './limits.ts';
import { isPoison, poison } from './poison.ts';
import { HEADER_BYTES, type RecordSchema } from './record-schema.ts';
import { publishedSchemas, type SchemaSet } from './schema-set.ts';
import { TOUCH_VERSION } from './touch.ts';
import { isUtf8 } from './utf8.ts';

/** Points the cursor at the touch of a value; null on success. After a failure the cursor stands on nothing usable. */
export type TouchReader = (bytes: Uint8Array, start: number, end: number, cursor: TouchCursor) => Poison | null;

/**
 * A reader of touches of every version in the set. One of the version known by heart costs no allocation; any other is decoded by avsc and
 * read from a buffer of its own.
 */
export function createTouchReader(schemas: SchemaSet): TouchReader {
  const known = schemas.version('touch', TOUCH_VERSION);
  const others = schemas.schemas.filter((schema) => schema.record === 'touch' && schema !== known);
  const rewriters = new Map(others.map((schema) => [schema, createRewriter(schema, known)]));

  return function readTouch(bytes, start, end, cursor) {
    const schema = schemas.find(bytes, start, end);
    if (schema === known) return readBody(bytes, start + HEADER_BYTES, end, cursor);
    if (isPoison(schema)) return schema;
    const rewrite = rewriters.get(schema);
    if (!rewrite) return poison('invalid_value', `the record is no touch but of ${schema.file}`);
    const body = rewrite(bytes, start, end);
    return isPoison(body) ? body : readBody(body, 0, body.length, cursor);
  };
}

function createRewriter(writer: RecordSchema, known: RecordSchema): (bytes: Uint8Array, start: number, end: number) => Uint8Array | Poison {
  const decode = createBodyDecoder(writer, known);
  return function rewriteTouch(bytes, start, end) {
    const touch = decode(bytes, start, end);
    return isPoison(touch) ? touch : known.type.toBuffer(touch);
  };
}

/** Reads a touch of any version under schemas/. */
export const readTouch: TouchReader = createTouchReader(publishedSchemas);

const FIELD_NAMES = Object.keys(FIELD) as TextField[];
const FIELD_BYTES_MAX = FIELD_NAMES.map((name) => (name === 'url' ? URL_BYTES_MAX : name === 'kind' ? KIND_BYTES_MAX : ID_BYTES_MAX));
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const UNDERSCORE = 0x5f;
const ZERO = 0x30;
const NINE = 0x39;

const input = new AvroInput();

/** The fields in the order of the schema; the first that fails ends it. */
function readBody(bytes: Uint8Array, start: number, end: number, cursor: TouchCursor): Poison | null {
  input.open(bytes, start, end);
  cursor.bytes = bytes;
  cursor.propertyCount = 0;
  return (
    readTexts(cursor, FIELD.id, FIELD.kind) ??
    readOccurredAt(cursor) ??
    readMinutes(cursor) ??
    readTexts(cursor, FIELD.channel, FIELD.source) ??
    readProperties(cursor) ??
    (input.at === end ? null : poison('malformed', `${end - input.at} bytes follow the touch`)) ??
    checkIdentity(cursor) ??
    checkKind(cursor)
  );
}

/**
 * The text fields from `first` to `last`. All but id and kind are a union of null and text, where empty text says no more than null does.
 * Most of the time of reading a touch goes here, so the position is a local variable and lengths of one byte, the usual ones, are read in
 * place.
 */
function readTexts(cursor: TouchCursor, first: number, last: number): Poison | null {
  const { bytes, end } = input;
  let { at } = input;
  for (let field = first; field <= last; field++) {
    const optional = field !== FIELD.id && field !== FIELD.kind;
    if (optional) {
      // Branch numbers are zigzag varints: 0 is null, 2 the text. There is no third branch.
      const branch = at < end ? bytes[at]! : -1;
      if (branch === 0) {
        at++;
        cursor.start[field] = -1;
        cursor.end[field] = -1;
        continue;
      }
      if (branch !== 2) return poison('malformed', `${FIELD_NAMES[field]!} has a union branch that does not exist`);
      at++;
    }
    let length = at < end ? bytes[at]! : -1;
    if (length >= 0 && length < 128 && (length & 1) === 0) {
      at++;
      length >>= 1;
    } else {
      input.at = at;
      length = input.readLong();
      ({ at } = input);
    }
    // NaN, for a length that is cut off, fails both comparisons.
    if (!(length >= 0 && length <= end - at)) return cutOff(FIELD_NAMES[field]!);
    if (length > FIELD_BYTES_MAX[field]!) return tooLong(FIELD_NAMES[field]!, length, FIELD_BYTES_MAX[field]!);
    const absent = optional && length === 0;
    cursor.start[field] = absent ? -1 : at;
    at += length;
    cursor.end[field] = absent ? -1 : at;
  }
  input.at = at;
  return null;
}

function readOccurredAt(cursor: TouchCursor): Poison | null {
  const occurredAt = input.readLong();
  if (Number.isNaN(occurredAt)) return cutOff('occurredAt');
  cursor.occurredAt = occurredAt;
  return occurredAt >= 0 && occurredAt <= TIME_MAX ? null : poison('invalid_value', 'occurredAt is not between 1970 and 9999');
}

function readMinutes(cursor: TouchCursor): Poison | null {
  if (input.end - input.at < 8) return cutOff('minutes');
  const minutes = input.readDouble();
  cursor.minutes = minutes;
  // NaN fails both comparisons.
  return minutes >= 0 && minutes <= MINUTES_MAX ? null : poison('invalid_value', `minutes is not between 0 and ${MINUTES_MAX}`);
}

/** Blocks of key and value up to an empty one. A negative count is followed by the size of its block in bytes. */
function readProperties(cursor: TouchCursor): Poison | null {
  for (;;) {
    let count = input.readLong();
    if (count === 0) return null;
    let blockEnd = -1;
    if (count < 0) {
      count = -count;
      const size = input.readLength();
      if (size < 0) return cutOff('properties');
      blockEnd = input.at + size;
    }
    if (Number.isNaN(count)) return cutOff('properties');
    if (count > PROPERTIES_MAX - cursor.propertyCount) return poison('over_limit', `properties has more than ${PROPERTIES_MAX} keys`);
    for (; count > 0; count--) {
      const failed = readProperty(cursor);
      if (failed) return failed;
    }
    if (blockEnd >= 0 && input.at !== blockEnd) return poison('malformed', 'a block of properties does not have the size it states');
  }
}

function readProperty(cursor: TouchCursor): Poison | null {
  const keyLength = input.readLength();
  if (keyLength < 0) return cutOff('properties');
  if (keyLength > PROPERTY_KEY_BYTES_MAX) return tooLong('a key of properties', keyLength, PROPERTY_KEY_BYTES_MAX);
  const keyStart = input.at;
  input.at += keyLength;
  const valueLength = input.readLength();
  if (valueLength < 0) return cutOff('properties');
  if (valueLength > PROPERTY_VALUE_BYTES_MAX) return tooLong('a value of properties', valueLength, PROPERTY_VALUE_BYTES_MAX);
  const valueStart = input.at;
  input.at += valueLength;
  cursor.addProperty(keyStart, keyStart + keyLength, valueStart, input.at);
  return null;
}

function checkIdentity(cursor: TouchCursor): Poison | null {
  if (cursor.start[FIELD.id] === cursor.end[FIELD.id]) return poison('invalid_value', 'id is empty');
  if (!cursor.has(FIELD.accountId) && !cursor.has(FIELD.contactId)) {
    return poison('invalid_value', 'the touch has neither an accountId nor a contactId');
  }
  return checkUtf8(cursor, FIELD.id) ?? checkUtf8(cursor, FIELD.accountId) ?? checkUtf8(cursor, FIELD.contactId);
}

/** See `IDENTITY_FIELDS`: their names are repeated here, because looking each up would cost time on every touch. */
function checkUtf8(cursor: TouchCursor, field: number): Poison | null {
  if (!cursor.has(field) || isUtf8(cursor.bytes, cursor.start[field]!, cursor.end[field]!)) return null;
  return poison('invalid_value', `${FIELD_NAMES[field]!} is not valid UTF-8`);
}

function checkKind({ bytes, start, end }: TouchCursor): Poison | null {
  const from = start[FIELD.kind]!;
  const to = end[FIELD.kind]!;
  let fits = to > from && isLower(bytes[from]!);
  for (let at = from + 1; at < to; at++) {
    const byte = bytes[at]!;
    fits &&= isLower(byte) || byte === UNDERSCORE || (byte >= ZERO && byte <= NINE);
  }
  return fits ? null : poison('invalid_value', 'kind is not a lower-case letter followed by lower-case letters, digits and underscores');
}

function isLower(byte: number): boolean {
  return byte >= LOWER_A && byte <= LOWER_Z;
}

function cutOff(field: string): Poison {
  return poison('malformed', `${field} runs past the end of the touch`);
}

function tooLong(field: string, bytes: number, bytesMax: number): Poison {
  return poison('over_limit', `${field} has ${bytes} bytes; the limit is ${bytesMax}`);
}
