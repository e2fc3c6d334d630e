import { StoreError } from './store-error.ts';

const HIGH_WORD = 2 ** 32;

/** A whole number of 64 bits as ClickHouse's binary formats have it, little-endian; those here are far within what a double holds exactly. */
export function getInt64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getInt32(at + 4, true) * HIGH_WORD;
}

/** An answer that ends in the middle of a row or a block must not pass for a shorter ledger. */
export function cutShort(): StoreError {
  return new StoreError('unavailable', 'The rows of an answer end before the last one is whole');
}

/** Text, as of an exception that came when a part of the answer was out already, is no row and no block of the columns that were asked for. */
export function somethingElse(): StoreError {
  return new StoreError('unavailable', 'There is something else among the rows of an answer');
}
