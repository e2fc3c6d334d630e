import type { Moments } from './moments.ts';
import type { OutcomeName } from './outcome.ts';

/**
 * What evidence comes to at an instant, as plain JSON: what estimates, checks and decisions are computed from, and what is recorded with a
 * decision. Those of several partitions add up (`mergeSummaries`).
 */
export interface EvidenceSummary {
  /** Epoch ms, by the clock of the log. */
  readonly asOf: number;
  readonly arms: readonly ArmSummary[];
  /** One for each lineup in which accounts were exposed first, in order. */
  readonly eras: readonly EraSummary[];
  /** Covered accounts that were held out and yet saw a creative of the experiment. */
  readonly heldOutExposed: number;
  /** Accounts that saw a creative and that no lineup covered. */
  readonly uncoveredExposed: number;
  /** Touches that would have counted, had they come before their account was settled. */
  readonly late: number;
}

/** Accounts by the creative they saw first. Those left out of the comparison are in `exposed`, and in none of `settled` and `moments`. */
export interface ArmSummary {
  readonly creativeId: string;
  /** Accounts that saw the creative first. */
  readonly exposed: number;
  /** Of them: saw more than one creative of the experiment before they were settled. */
  readonly contaminated: number;
  /** Of them, saw one creative alone and were assigned another, or none. */
  readonly strayed: number;
  /** Of them, in the comparison. */
  readonly settled: number;
  /** Of all touches of accounts that saw it first, up to now. Live figures: no comparison rests on them. */
  readonly impressions: number;
  readonly clicks: number;
  /** Of the settled accounts. */
  readonly moments: Readonly<Record<OutcomeName, Moments>>;
}

/** What the sample-ratio check is made of: accounts by creative, and the shares that they were assigned by. */
export interface EraSummary {
  readonly since: number;
  /** Buckets of each creative, of all that are covered. */
  readonly buckets: Readonly<Record<string, number>>;
  /** Accounts by the creative they saw first. */
  readonly exposed: Readonly<Record<string, number>>;
  /** Settled accounts in the comparison. */
  readonly settled: Readonly<Record<string, number>>;
}
