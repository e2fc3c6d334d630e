import { shareVarianceOf } from './compare.ts';
import { momentsOf } from './estimate.ts';
import type { Arm } from './experiment.ts';
import { fnv1a32 } from './hash.ts';
import { ratioOf, varianceOf, type Moments } from './moments.ts';
import { isShare, type OutcomeName } from './outcome.ts';
import { createRandom, type Random } from './random.ts';
import type { EvidenceSummary } from './summary.ts';

export interface ThompsonOptions {
  readonly outcome: OutcomeName;
  readonly creatives: readonly string[];
  /** Part of what is recorded: with the summary, it gives the same weights again. Take another one for each step. */
  readonly seed: string;
  /** Share that every arm keeps, so that it is still measured: 0.05, say; with as many arms at most 1 / arms. */
  readonly floor: number;
  /** Settled accounts each arm has at least before weights move away from equal. */
  readonly warmUpAccounts: number;
}

export interface ThompsonStep {
  /** Shares of the accounts that are still to be assigned; they sum to 1, each a whole number of ten-thousandths. */
  readonly arms: readonly Arm[];
  /** Probability that an arm is the best, by the draws. */
  readonly bestProbability: Readonly<Record<string, number>>;
  readonly isWarmingUp: boolean;
  readonly seed: string;
  readonly draws: number;
}

const DRAWS = 2_000;
/** Shares are told apart to a hundredth: the draws are no finer, and a lineup that differs by less would move accounts for nothing. */
const SHARE_STEPS = 100;

/**
 * The next weights of a bandit: each arm's share is the probability that it is the best (Thompson, On the likelihood that one unknown probability exceeds another,
 * Biometrika 25, 1933; as shares for a batch: Scott, A modern Bayesian look at the multi-armed bandit, 2010). An account counts once, when it is settled. Shares
 * have a uniform prior and a Beta posterior; means and rates the normal one of their estimate.
 *
 * Weights only ever concern accounts that have seen nothing yet: the others keep their creative (`keepOrAssign`). Estimates stay right under
 * changing weights, as each account weighs by what its share was.
 */
export function thompsonStep(summary: EvidenceSummary, options: ThompsonOptions): ThompsonStep {
  const { creatives, outcome, seed, warmUpAccounts } = options;
  const moments = creatives.map((creativeId) => momentsOf(summary, outcome, creativeId));
  const isWarmingUp =
    moments.some(({ accounts }) => accounts < Math.max(2, warmUpAccounts)) || moments.some((sums) => ratioOf(sums) === null);
  const wins = isWarmingUp ? creatives.map(() => DRAWS / creatives.length) : countWins(moments, outcome, createRandom(fnv1a32(seed)));
  const probabilities = wins.map((count) => count / DRAWS);
  return {
    arms: sharesOf(creatives, probabilities, options.floor),
    bestProbability: Object.fromEntries(creatives.map((creativeId, at) => [creativeId, probabilities[at]!])),
    isWarmingUp,
    seed,
    draws: isWarmingUp ? 0 : DRAWS,
  };
}

function countWins(moments: readonly Moments[], outcome: OutcomeName, random: Random): number[] {
  const draw = moments.map((sums) => (isShare(outcome) ? shareDrawer(sums, random) : meanDrawer(sums, random)));
  const wins = moments.map(() => 0);
  for (let n = 0; n < DRAWS; n++) {
    let best = 0;
    let highest = -Infinity;
    for (const [at, next] of draw.entries()) {
      const value = next();
      if (value > highest) [best, highest] = [at, value];
    }
    wins[best]!++;
  }
  return wins;
}

function shareDrawer(moments: Moments, random: Random): () => number {
  const share = ratioOf(moments)!;
  // As many accounts of equal weight would say as much.
  const accounts = Math.min(moments.accounts, (share * (1 - share)) / shareVarianceOf(moments) || moments.accounts);
  const successes = share * accounts;
  return () => {
    const yes = random.gamma(1 + successes);
    return yes / (yes + random.gamma(1 + accounts - successes));
  };
}

function meanDrawer(moments: Moments, random: Random): () => number {
  const mean = ratioOf(moments)!;
  const deviation = Math.sqrt(varianceOf(moments));
  return () => mean + deviation * random.normal();
}

/** Floors first, the rest by probability, in whole hundredths by largest remainder. */
function sharesOf(creatives: readonly string[], probabilities: readonly number[], floor: number): Arm[] {
  const least = Math.min(Math.max(0, floor), 1 / creatives.length);
  const exact = probabilities.map((probability) => (least + (1 - least * creatives.length) * probability) * SHARE_STEPS);
  const steps = exact.map(Math.floor);
  const order = [...exact.keys()].sort((a, b) => exact[b]! - steps[b]! - (exact[a]! - steps[a]!));
  const missing = SHARE_STEPS - steps.reduce((sum, step) => sum + step, 0);
  for (let at = 0; at < missing; at++) steps[order[at]!]!++;
  return creatives.map((creativeId, at) => ({ creativeId, weight: steps[at]! / SHARE_STEPS }));
}
