import type { StateWalk } from '@touchstone/engine';
import { COLUMN_TYPES, JSON_TYPE, paddedBytes, PART_HEADER_BYTES, typeOf, type Column } from './state-copy.ts';

/** Brings ledgers back from the bytes of a `StateCopy`. @throws RangeError when they are not of the ledgers' format */
export class StateReader implements StateWalk {
  readonly isBringing = true;
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  column<C extends Column>(column: C, _used: number): C {
    const type = typeOf(column);
    const { bytes, length } = this.#part(type);
    // The column's own type: `typeOf` found it in the list.
    const made = new (COLUMN_TYPES[type] as unknown as new (length: number) => C)(length);
    new Uint8Array(made.buffer).set(bytes);
    return made;
  }

  number(_value: number): number {
    return this.column(new Float64Array(0), 1)[0]!;
  }

  list<Item>(_items: readonly Item[]): readonly Item[] {
    const items: Item[] = [];
    for (;;) {
      const { bytes, length } = this.#part(JSON_TYPE);
      if (length === 0) return items;
      for (const item of JSON.parse(bytes.toString()) as Item[]) items.push(item);
    }
  }

  #part(type: number): { length: number; bytes: Buffer } {
    const bytes = this.#bytes;
    const at = this.#at + PART_HEADER_BYTES;
    if (at > bytes.length) throw new RangeError('the state ends before its last part');
    const [typeFound, length, byteLength] = [0, 8, 16].map((place) => bytes.readDoubleLE(this.#at + place)) as [number, number, number];
    if (typeFound !== type || at + byteLength > bytes.length) throw new RangeError('the state has other parts than these ledgers');
    this.#at = at + paddedBytes(byteLength);
    return { length, bytes: bytes.subarray(at, at + byteLength) };
  }
}
