import type { Column } from './columns/growth.ts';

/**
 * One walk over all that ledgers consist of, to take it down or to bring it back. Each class names its parts once, at its end, and keeps each
 * as the walk gives it back: as it was when state is taken down, as it was taken down when state is brought back. What follows from the model
 * is no part of it.
 *
 * Whatever is taken down has the columns of one version of this code: raise the number with every change of what is walked over, or of what it
 * means. State of another number is of no use to anyone.
 */
export const STATE_FORMAT = 4;

export interface StateWalk {
  /** Whether parts are brought back, into ledgers that are new. */
  readonly isBringing: boolean;
  /** A column of which so many numbers are in use; it keeps its length. */
  column<C extends Column>(column: C, used: number): C;
  number(value: number): number;
  /** What is no column, as JSON. The items must never change afterwards. */
  list<Item>(items: readonly Item[]): readonly Item[];
}
