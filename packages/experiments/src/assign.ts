import type { Experiment, Slice } from './experiment.ts';
import { BUCKETS, bucketOf } from './hash.ts';

/** What an account is given: an arm's creative, or none because it is held out, or because the experiment does not cover it. */
export type Assignment =
  | { readonly group: 'arm'; readonly creativeId: string; readonly bucket: number }
  | { readonly group: 'holdout' | 'uncovered'; readonly creativeId: null; readonly bucket: number };

/** A creative that the account saw last, and when, epoch ms. */
export interface Held {
  readonly creativeId: string;
  readonly exposedAt: number;
}

/**
 * The assignment of an account: a function of the experiment and the account's id, so every process gives the same, before and after a restart.
 * The creative is that of the slice with the account's bucket, `bucketOf(seed, accountId)`. Whether it is held out is decided by a hash of its own,
 * so that a holdout that grows or shrinks moves nobody between arms.
 */
export function assign(experiment: Pick<Experiment, 'seed' | 'holdout' | 'slices'>, accountId: string): Assignment {
  const bucket = bucketOf(experiment.seed, accountId);
  const creativeId = creativeOf(experiment.slices, bucket);
  if (creativeId === null) return { group: 'uncovered', creativeId, bucket };
  if (isHeldOut(experiment, accountId)) return { group: 'holdout', creativeId: null, bucket };
  return { group: 'arm', creativeId, bucket };
}

/**
 * The assignment of an account that may have seen a creative of the experiment: within `exposureWindowMs` of that it keeps it, whatever became of
 * weights, coverage and holdout since, as long as the creative is still among the arms. An arm that is to lose its accounts at once is
 * taken off the list; one that is to get no new ones has weight 0.
 */
export function keepOrAssign(
  experiment: Experiment,
  accountId: string,
  held: Held | null,
  now: number,
  exposureWindowMs: number,
): Assignment {
  if (held !== null && now - held.exposedAt < exposureWindowMs && experiment.arms.some((arm) => arm.creativeId === held.creativeId)) {
    return { group: 'arm', creativeId: held.creativeId, bucket: bucketOf(experiment.seed, accountId) };
  }
  return assign(experiment, accountId);
}

/** Whose bucket it is, or null. A bandit that has moved shares for months leaves hundreds of slices. */
export function creativeOf(slices: readonly Slice[], bucket: number): string | null {
  let low = 0;
  for (let high = slices.length; low < high;) {
    const middle = (low + high) >> 1;
    if (slices[middle]!.to <= bucket) low = middle + 1;
    else high = middle;
  }
  const slice = slices[low];
  return slice !== undefined && slice.from <= bucket ? slice.creativeId : null;
}

function isHeldOut({ seed, holdout }: Pick<Experiment, 'seed' | 'holdout'>, accountId: string): boolean {
  return holdout > 0 && holdoutBucketOf(seed, accountId) < Math.round(holdout * BUCKETS);
}

/** Accounts whose number is below the holdout's share of 10,000 are held out. */
export function holdoutBucketOf(seed: string, accountId: string): number {
  return bucketOf(`${seed}/holdout/`, accountId);
}
