import { addMoments, noMoments, type Moments } from './moments.ts';
import { OUTCOMES, type OutcomeName } from './outcome.ts';

/**
 * What evidence comes to at an instant, as plain JSON: what estimates, checks and decisions are computed from, and what is recorded with a
 * decision. Those of several partitions add up (`mergeSummaries`).
 */
export interface EvidenceSummary {
  /** Epoch ms, by the clock of the log. */
  readonly asOf: number;
  /** One for each lineup, in order; of more than `LINEUPS_MAX` the newest. */
  readonly eras: readonly EraSummary[];
  /** Accounts that were exposed first under an older lineup: they are in nothing else of this. */
  readonly forgotten: number;
  /** Accounts that were held out and yet saw a creative of the experiment: they are in nothing else of this but `late`. */
  readonly heldOutExposed: number;
  /** Accounts that saw a creative and were not covered: likewise. */
  readonly uncoveredExposed: number;
  /** Touches that would have counted, had they come before their account was settled. */
  readonly late: number;
}

/** Accounts by the lineup under which they were exposed first. Shares are the same for all of an era, so within one no change of them confounds. */
export interface EraSummary {
  /** Epoch ms. */
  readonly since: number;
  readonly arms: readonly ArmSummary[];
}

/** Accounts that were to be shown a creative, by the one they saw first. */
export interface ArmSummary {
  readonly creativeId: string;
  /** Of 10,000: how many the lineup gave to the creative. */
  readonly buckets: number;
  /** Accounts that saw the creative first. */
  exposed: number;
  /** Of those exposed: saw more than one creative of the experiment before they were settled. */
  contaminated: number;
  /** Of the others: were assigned another creative. */
  strayed: number;
  /**
   * Of the others: settled, and so in the comparison. Accounts that are in none of the three are open, or were when a swap or its undo ended their era:
   * those never enter, whatever their arm.
   */
  settled: number;
  /** Of all who saw the creative first, within their windows up to now. No comparison rests on these two. */
  impressions: number;
  clicks: number;
  /** Of the settled accounts. */
  readonly moments: Readonly<Record<OutcomeName, Moments>>;
}

export function noArm(creativeId: string, buckets: number): ArmSummary {
  const moments = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, noMoments()])) as Record<OutcomeName, Moments>;
  return { creativeId, buckets, exposed: 0, contaminated: 0, strayed: 0, settled: 0, impressions: 0, clicks: 0, moments };
}

/**
 * The summary of all accounts from those of the partitions, which must be of the same lineups and of one instant. Each account is in one partition, so
 * everything adds up. Sums of points depend on the order of the list in their last digits: give it in the order of the partitions.
 */
export function mergeSummaries(summaries: readonly EvidenceSummary[]): EvidenceSummary {
  const [first, ...others] = summaries;
  if (first === undefined) throw new RangeError('there is no summary to merge');
  const eras = first.eras.map(({ since, arms }) => ({ since, arms: arms.map(copyOf) }));
  let { forgotten, heldOutExposed, late, uncoveredExposed } = first;
  for (const other of others) {
    if (other.asOf !== first.asOf || other.eras.length !== eras.length) throw new RangeError('summaries of different instants or lineups');
    forgotten += other.forgotten;
    heldOutExposed += other.heldOutExposed;
    uncoveredExposed += other.uncoveredExposed;
    late += other.late;
    for (const [at, era] of other.eras.entries()) mergeEra(eras[at]!, era);
  }
  return { asOf: first.asOf, eras, forgotten, heldOutExposed, uncoveredExposed, late };
}

const COUNTS = ['exposed', 'contaminated', 'strayed', 'settled', 'impressions', 'clicks'] as const;

/** Adds the counts and moments of an arm. */
function addArm(into: ArmSummary, from: ArmSummary): void {
  for (const count of COUNTS) into[count] += from[count];
  for (const outcome of OUTCOMES) addMoments(into.moments[outcome], from.moments[outcome]);
}

function mergeEra(into: { readonly since: number; readonly arms: ArmSummary[] }, from: EraSummary): void {
  for (const arm of from.arms) {
    const known = into.arms.find(({ creativeId }) => creativeId === arm.creativeId);
    if (known === undefined) into.arms.push(copyOf(arm));
    else addArm(known, arm);
  }
}

function copyOf(arm: ArmSummary): ArmSummary {
  const copy = noArm(arm.creativeId, arm.buckets);
  addArm(copy, arm);
  return copy;
}
