/** Whole numbers a cell has, side by side, so that a touch needs one line of the processor's cache for all of them. */
export const CELL_WIDTH = 6;
/** Their places: the first three are the cell's key. */
export const CELL = {
  /** The creative's number. */
  creative: 0,
  account: 1,
  /** Contact's row + 1; 0 for nobody known. */
  contact: 2,
  touches: 3,
  impressions: 4,
  clicks: 5,
} as const;
