/**
 * Columns are typed arrays that grow by half, so that at most a third of one stands empty. The memory of large ones is of the only kind that JavaScript
 * can make longer without moving it and still read as fast as any other, with plain views of fixed length: a shared buffer. Nobody shares it.
 */

export type Column = Float64Array | Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** What is done with each column of a table. */
export type ColumnStep = <C extends Column>(column: C) => C;

export const FIRST_ROWS = 64;

/** How many rows a full table of `rows` rows gets. */
export function moreRows(rows: number): number {
  return Math.ceil(rows * 1.5);
}

/** Columns from this size on grow where they stand. Address space for more is asked of the system piece by piece, and it has few pieces to give. */
const RESERVING_BYTES = 256 * 1024;
/** How many times their size such columns may reach where they stand: of the address space, memory is taken only as they grow. */
const RESERVED_TIMES = 64;

/**
 * The column with room for `length` numbers, of which the new ones are 0. The one before must not be used any more: they may share their memory.
 *
 * A large column is not copied to grow, as long as it has the address space: that would hold everything up for as long as it takes, and leave the copied one
 * for the collector to find, which it is not told to look for.
 */
export function grown<C extends Column>(column: C, length: number): C {
  const view = column.constructor as new (buffer: ArrayBufferLike, byteOffset: number, length: number) => C;
  const bytes = length * column.BYTES_PER_ELEMENT;
  const { buffer } = column;
  if (buffer instanceof SharedArrayBuffer && bytes <= buffer.maxByteLength) {
    if (bytes > buffer.byteLength) buffer.grow(bytes);
    return new view(buffer, 0, length);
  }
  const bigger = new view(bytes < RESERVING_BYTES ? new ArrayBuffer(bytes) : roomToGrow(bytes), 0, length);
  bigger.set(column);
  return bigger;
}

/** Where the system gives no address space for more, as under a limit of a process's, such a column is copied to grow as small ones are. */
function roomToGrow(bytes: number): ArrayBufferLike {
  try {
    return new SharedArrayBuffer(bytes, { maxByteLength: bytes * RESERVED_TIMES });
  } catch {
    return new ArrayBuffer(bytes);
  }
}
