import type { StateWalk } from '@touchstone/engine';

/**
 * Ledgers as bytes: a sequence of parts, one a column, in the order in which they are walked over.
 *
 *     part     type of its numbers | length of the column | bytes that follow      three doubles
 *              the bytes, up to the column's last number in use; zeros up to a multiple of 8
 *     a list   parts of JSON, some items each, and one without items
 */
export type Column = Parameters<StateWalk['column']>[0];

export const PART_HEADER_BYTES = 24;
export const JSON_TYPE = 0;
const ITEMS_A_PIECE = 1000;
/** Copied before others have their turn: about two milliseconds. */
const COPY_BYTES_MAX = 4 * 1024 * 1024;

export const COLUMN_TYPES = [null, Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array] as const;

export function typeOf(column: Column): number {
  return COLUMN_TYPES.indexOf(column.constructor as (typeof COLUMN_TYPES)[number]);
}

export function paddedBytes(bytes: number): number {
  return (bytes + 7) & ~7;
}

interface Part {
  readonly column: Column;
  /** Only its numbers in use; of the ledgers at first, a copy later. */
  used: Uint8Array;
}

/** Takes ledgers down: which parts there are at once, their bytes by `copy`, as JSON only when it is asked for. */
export class StateCopy implements StateWalk {
  readonly isBringing = false;
  readonly #parts: (Part | { readonly items: readonly unknown[] })[] = [];

  column<C extends Column>(column: C, used: number): C {
    this.#parts.push({ column, used: new Uint8Array(column.buffer, column.byteOffset, used * column.BYTES_PER_ELEMENT) });
    return column;
  }

  number(value: number): number {
    this.column(Float64Array.of(value), 1);
    return value;
  }

  list<Item>(items: readonly Item[]): readonly Item[] {
    this.#parts.push({ items });
    return items;
  }

  /** Makes the parts independent of the ledgers, which must stand still until it resolves. */
  async copy(breathe: () => Promise<void>): Promise<void> {
    let left = COPY_BYTES_MAX;
    for (const part of this.#parts) {
      if ('items' in part) continue;
      const { used } = part;
      const copied = Buffer.allocUnsafeSlow(used.length);
      for (let at = 0; at < used.length;) {
        const to = Math.min(used.length, at + left);
        copied.set(used.subarray(at, to), at);
        left -= to - at;
        at = to;
        if (left > 0) continue;
        await breathe();
        left = COPY_BYTES_MAX;
      }
      part.used = copied;
    }
  }

  *bytes(): Generator<Uint8Array> {
    for (const part of this.#parts) {
      if ('items' in part) yield* listBytes(part.items);
      else yield* partBytes(typeOf(part.column), part.column.length, part.used);
    }
  }
}

function* listBytes(items: readonly unknown[]): Generator<Uint8Array> {
  for (let at = 0; at < items.length; at += ITEMS_A_PIECE) {
    const some = items.slice(at, at + ITEMS_A_PIECE);
    yield* partBytes(JSON_TYPE, some.length, Buffer.from(JSON.stringify(some)));
  }
  yield* partBytes(JSON_TYPE, 0, new Uint8Array(0));
}

function* partBytes(type: number, length: number, bytes: Uint8Array): Generator<Uint8Array> {
  yield new Uint8Array(Float64Array.of(type, length, bytes.length).buffer);
  if (bytes.length > 0) yield bytes;
  const padding = paddedBytes(bytes.length) - bytes.length;
  if (padding > 0) yield new Uint8Array(padding);
}
