/**
 * An experiment compares creatives of one campaign. The account is its unit: each account sees one creative, and counts once.
 *
 *   bucket of the account (0 to 9,999) --> slices --> arm, or uncovered
 *                                                      |
 *                                          holdout? ---+--> creative of the arm, or holdout
 */
export interface Experiment {
  readonly id: string;
  /** What the hash begins with. Two experiments with different seeds assign independently; it never changes while one runs. */
  readonly seed: string;
  readonly campaignId: string;
  /** Their order is the order of first slices, and stays. */
  readonly arms: readonly Arm[];
  /** Share of the covered accounts that get no arm's creative, 0 to 1. */
  readonly holdout: number;
  /** Share of all accounts that take part, 0 to 1. */
  readonly coverage: number;
  /** Which buckets are whose: `slicesOf` at the start, `moveSlices` with every change of arms or coverage. */
  readonly slices: readonly Slice[];
}

export interface Arm {
  readonly creativeId: string;
  /** Not negative; an arm's share of the covered accounts is its weight over the sum of all. 0 gives it no further account. */
  readonly weight: number;
}

/** Buckets `from` up to, not including, `to` belong to a creative. Slices are in ascending order and don't overlap; buckets in none are uncovered. */
export interface Slice {
  readonly creativeId: string;
  readonly from: number;
  readonly to: number;
}

/** Of an experiment, over all its revisions: what an account saw is kept as one bit each. */
export const CREATIVES_MAX = 32;
