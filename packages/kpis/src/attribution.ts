/**
 * Attribution: how the credit of an opportunity is shared among the touches before its cut. Position models as usual in the trade (U-shaped 40/20/40, W-shaped
 * 30/30/30/10, time decay by half-life).
 *
 * Credit is counted in whole billionths, and each touch gets the difference of two rounded running sums. So what an opportunity's touches get
 * adds up to its whole credit exactly, in whatever order it is summed up, and sums over opportunities reconcile without a rest. The store computes the same in SQL
 * (see packages/store/src/attribution.ts); its contract test holds it against this.
 */

export const ATTRIBUTION_MODELS = ['first', 'last', 'linear', 'u_shaped', 'w_shaped', 'time_decay'] as const;
export type AttributionModel = (typeof ATTRIBUTION_MODELS)[number];

/** The whole credit of an opportunity. */
export const CREDIT_UNITS = 1_000_000_000;

/** The touches of an opportunity, and what milestones they are held against. All times epoch ms. */
export interface TouchPath {
  /** When each touch happened, the earliest first; all of them before the cut. */
  readonly occurredAt: readonly number[];
  /** When the account's first lead in the window was created; null where there is none. */
  readonly leadCreatedAt: number | null;
  readonly opportunityCreatedAt: number;
  /** After so long a touch has half the weight that it would have at the last touch. */
  readonly halfLifeMs: number;
}

/** What each touch gets under a model, in units; `CREDIT_UNITS` together, and none where there are no touches. */
export function creditsOf(model: AttributionModel, path: TouchPath): number[] {
  const sums = runningSums(model, path);
  const total = sums.at(-1) ?? 0;
  let given = 0;
  return sums.map((sum) => {
    // The quotient first: that of the last touch is 1, to the last bit.
    const upTo = Math.round(CREDIT_UNITS * (sum / total));
    const units = upTo - given;
    given = upTo;
    return units;
  });
}

/** Weights added up, in whole numbers where the model has shares, so that no quotient depends on the order of additions. */
function runningSums(model: AttributionModel, path: TouchPath): number[] {
  const { halfLifeMs, occurredAt } = path;
  const count = occurredAt.length;
  switch (model) {
    case 'first':
      return occurredAt.map(() => 1);
    case 'last':
      return occurredAt.map((_, index) => (index === count - 1 ? 1 : 0));
    case 'linear':
      return occurredAt.map((_, index) => index + 1);
    case 'u_shaped':
      return shares(count, [1, count], { milestone: 4, rest: 2 });
    case 'w_shaped':
      return shares(count, [1, placeAt(path, path.leadCreatedAt), placeAt(path, path.opportunityCreatedAt)], { milestone: 3, rest: 1 });
    case 'time_decay': {
      let sum = 0;
      // Held against the last touch, whose weight is 1: however short the half-life, the sum is never 0.
      return occurredAt.map((at) => (sum += 2 ** ((at - occurredAt[count - 1]!) / halfLifeMs)));
    }
  }
}

/**
 * The place, from 1, of the touch that brought a milestone about: the last one at its instant or before. 0 where there is none, and then the milestone's share goes to
 * the others in proportion.
 */
function placeAt({ occurredAt }: TouchPath, instant: number | null): number {
  return instant === null ? 0 : occurredAt.filter((at) => at <= instant).length;
}

/** Running sums of shares: each milestone adds its own to the touch at its place, and what is left over is spread evenly over the touches at none. */
function shares(count: number, places: readonly number[], { milestone, rest }: { milestone: number; rest: number }): number[] {
  const distinct = new Set(places.filter((place) => place > 0));
  // Each touch at no milestone has `rest / others`; times `others`, all are whole.
  const others = count - distinct.size;
  const scale = Math.max(others, 1);
  let sum = 0;
  return Array.from({ length: count }, (_, index) => {
    const place = index + 1;
    const milestones = places.filter((one) => one === place).length;
    sum += milestones > 0 ? milestones * milestone * scale : rest;
    return sum;
  });
}
