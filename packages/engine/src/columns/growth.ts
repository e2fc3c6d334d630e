/** Columns are typed arrays that grow by half: the copy costs little, and at most a third of a column stands empty. */

export type Column = Float64Array | Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

/** What is done with each column of a table. */
export type ColumnStep = <C extends Column>(column: C) => C;

export const FIRST_ROWS = 64;

/** How many rows a full table of `rows` rows gets. */
export function moreRows(rows: number): number {
  return Math.ceil(rows * 1.5);
}

/** A copy of the column with room for `length` numbers; the new ones are 0. */
export function grown<C extends Column>(column: C, length: number): C {
  const bigger = new (column.constructor as new (length: number) => C)(length);
  bigger.set(column);
  return bigger;
}
