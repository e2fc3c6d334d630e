import type { Poison } from '@touchstone/engine';
import type { Type, types } from 'avsc';
import { AvroInput } from './avro-input.ts';
import { IDENTITY_FIELDS, ITEMS_MAX } from './limits.ts';
import { poison } from './poison.ts';
import { isUtf8 } from './utf8.ts';

/**
 * avsc trusts what it reads: it allocates arrays by the count the bytes claim, goes on past the end of the buffer for as many items as were
 * claimed, and looks at the bounds only when it is done. So a body is walked here first, by its writer's schema. What passes decodes in time
 * and memory bounded by its size plus `ITEMS_MAX` items.
 */
const DEPTH_MAX = 64;

/** avsc reads longs in floating point, and those beyond this one not exactly. */
const LONG_MAX = 2 ** 52;

const input = new AvroInput();
let itemsLeft = 0;

export function checkBody(type: Type, bytes: Uint8Array, start: number, end: number): Poison | null {
  input.open(bytes, start, end);
  itemsLeft = ITEMS_MAX;
  const failed = checkValue(type, 'the record', 0);
  if (failed) return failed;
  return input.at === end ? null : malformed(`${end - input.at} bytes follow the record`);
}

function checkValue(type: Type, field: string, depth: number): Poison | null {
  if (depth > DEPTH_MAX) return poison('over_limit', `${field} is nested more than ${DEPTH_MAX} deep`);
  switch (type.typeName) {
    case 'null':
      return null;
    case 'boolean':
      return checkBoolean(field);
    case 'int':
      return checkWhole(field, 2 ** 31);
    case 'long':
      return checkWhole(field, LONG_MAX);
    case 'float':
      return checkFloating(4, field);
    case 'double':
      return checkFloating(8, field);
    case 'string':
      return checkText(field);
    case 'bytes':
      return skip(input.readLength(), field);
    case 'fixed':
      return skip((type as types.FixedType).size, field);
    case 'enum':
      return checkEnum((type as types.EnumType).symbols.length, field);
    case 'union:unwrapped':
      return checkUnion((type as types.UnwrappedUnionType).types, field, depth);
    case 'array':
      return checkItems(null, (type as types.ArrayType).itemsType, field, depth);
    case 'map':
      return checkItems(checkText, (type as types.MapType).valuesType as Type, field, depth);
    case 'record':
      for (const { name, type: fieldType } of (type as types.RecordType).fields) {
        const failed = checkValue(fieldType, name, depth + 1);
        if (failed) return failed;
      }
      return null;
    default:
      throw new Error(`no check is written for the Avro type ${type.typeName}`);
  }
}

function checkWhole(field: string, beyond: number): Poison | null {
  const value = input.readLong();
  if (Number.isNaN(value)) return malformed(`${field} is no complete number`);
  return value >= -beyond && value < beyond ? null : poison('invalid_value', `${field} is out of range`);
}

function checkFloating(size: 4 | 8, field: string): Poison | null {
  if (input.end - input.at < size) return malformed(`${field} is cut off`);
  const value = size === 4 ? input.readFloat() : input.readDouble();
  return Number.isFinite(value) ? null : poison('invalid_value', `${field} is not a finite number`);
}

function checkBoolean(field: string): Poison | null {
  if (input.at === input.end) return malformed(`${field} is cut off`);
  return input.bytes[input.at++]! > 1 ? malformed(`${field} is neither true nor false`) : null;
}

function checkText(field: string): Poison | null {
  const length = input.readLength();
  const failed = skip(length, field);
  if (failed || !IDENTITY_FIELDS.has(field)) return failed;
  return isUtf8(input.bytes, input.at - length, input.at) ? null : poison('invalid_value', `${field} is not valid UTF-8`);
}

function checkEnum(symbols: number, field: string): Poison | null {
  const symbol = input.readLong();
  return symbol >= 0 && symbol < symbols ? null : malformed(`${field} has a symbol that does not exist`);
}

function checkUnion(branches: readonly Type[], field: string, depth: number): Poison | null {
  const branch = branches[input.readLong()];
  return branch ? checkValue(branch, field, depth + 1) : malformed(`${field} has a union branch that does not exist`);
}

/** Blocks of items up to an empty one. A negative count is followed by the size of its block in bytes. */
function checkItems(checkKey: typeof checkText | null, items: Type, field: string, depth: number): Poison | null {
  for (;;) {
    const claimed = input.readLong();
    if (claimed === 0) return null;
    let blockEnd = -1;
    if (claimed < 0) {
      const size = input.readLength();
      if (size < 0) return malformed(`a block of ${field} is longer than the record`);
      blockEnd = input.at + size;
    }
    const count = Math.abs(claimed);
    if (Number.isNaN(count)) return malformed(`${field} is cut off`);
    if (count > itemsLeft) return poison('over_limit', `arrays and maps hold more than ${ITEMS_MAX} items`);
    itemsLeft -= count;
    for (let item = 0; item < count; item++) {
      const failed = checkKey?.(field) ?? checkValue(items, field, depth + 1);
      if (failed) return failed;
    }
    if (blockEnd >= 0 && input.at !== blockEnd) return malformed(`a block of ${field} does not have the size it states`);
  }
}

function skip(bytes: number, field: string): Poison | null {
  if (bytes < 0 || bytes > input.end - input.at) return malformed(`${field} runs past the end of the record`);
  input.at += bytes;
  return null;
}

function malformed(detail: string): Poison {
  return poison('malformed', detail);
}
