import type { Experiment } from './experiment.ts';

/**
 * Lineups whose accounts are compared: the newest so many. A bandit, which moves less and less often, makes less than 400 in ten years; a lineup costs some
 * kilobytes, and each look at the evidence an era of sums. Which accounts are forgotten depends on when they came and not on what they did, so those that
 * are left are compared as before, and in each era with the shares that it had.
 */
export const LINEUPS_MAX = 500;

/**
 * The experiment as it was assigned by from an instant on. Lineups of an experiment are its revisions in order, oldest first; stopping it is no lineup.
 */
export interface Lineup extends Pick<Experiment, 'slices' | 'holdout'> {
  /** From when accounts were assigned by it, epoch ms. */
  readonly since: number;
  /** It began with a swap or its undo: accounts that had seen something were given something else. Weights alone move nobody who has. */
  readonly movesShown?: boolean;
}

/** What stays the same through all lineups of an experiment, and says what is taken as evidence. */
export interface EvidencePlan extends Pick<Experiment, 'seed' | 'campaignId'> {
  /** What was shown before, epoch ms, was nobody's to decide and exposes nobody, however late it is told. */
  readonly startedAt: number;
  /** How long after its first exposure an account's touches count, by their occurredAt. */
  readonly outcomeWindowMs: number;
  /**
   * How long after the window touches may still come in. Then the account is *settled*: its outcomes stand, whatever comes, and it enters the
   * comparison. An account enters once, so comparisons see a growing number of accounts with one value each, as their theory asks.
   */
  readonly graceMs: number;
}
