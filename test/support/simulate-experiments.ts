import { addAccount, createRandom, noArm, type ArmSummary, type EvidenceSummary, type Random } from '@touchstone/experiments';

/**
 * Experiments whose truth is known. Accounts settle day by day, some with one contact and some with many; whether people click goes together inside an account, as
 * it does in life. Runs of thousands are to take seconds, so accounts go into the sums of their arm as they settle, and nothing is kept of them.
 */
export interface World {
  readonly seed: number;
  readonly accountsPerDay: number;
  /** Click rate of the first arm; those of the others are this times their lift + 1. */
  readonly clickRate: number;
  /** One for each arm; all 0 in an A/A experiment. */
  readonly lifts: readonly number[];
  /** Spread of accounts' click rates: standard deviation of the logarithm. 0 makes clicks independent. */
  readonly accountSpread: number;
  /** By how much of `clickRate` all arms become better each day; 0 if not given. */
  readonly driftPerDay?: number;
}

export interface Clicks {
  /** By arm. */
  readonly clicks: Float64Array;
  readonly impressions: Float64Array;
}

const CONTACTS_MAX = 8;
const CONTACT_SPREAD = 0.5;
const IMPRESSIONS_MAX = 6;
const CLICK_RATE_MAX = 0.5;

interface SimulatedEra {
  readonly since: number;
  readonly arms: ArmSummary[];
  /** Cumulated shares that accounts are assigned by. */
  readonly upTo: readonly number[];
}

/** One experiment, taken a day at a time. */
export class SimulatedExperiment {
  readonly eras: SimulatedEra[] = [];
  /** All accounts as if shares had never changed. */
  readonly pooled: ArmSummary[];
  /** What a test that takes every click for itself would count. */
  readonly counted: Clicks;
  accounts = 0;
  #day = 0;
  readonly #world: World;
  readonly #random: Random;

  /** Shares of the arms sum to 1; they are equal if not given. */
  constructor(world: World, nth: number, shares: readonly number[] = world.lifts.map(() => 1 / world.lifts.length)) {
    this.#world = world;
    this.#random = createRandom(Math.imul(world.seed, 1_000_003) + nth);
    this.pooled = shares.map((_, arm) => noArm(creativeOf(arm), 10_000));
    this.counted = { clicks: new Float64Array(shares.length), impressions: new Float64Array(shares.length) };
    this.startEra(shares);
  }

  /** From now on accounts are assigned by other shares. */
  startEra(shares: readonly number[]): void {
    this.eras.push({
      since: this.#day,
      arms: shares.map((share, arm) => noArm(creativeOf(arm), Math.round(share * 10_000))),
      upTo: shares.map((_, arm) => shares.slice(0, arm + 1).reduce((sum, share) => sum + share, 0)),
    });
  }

  summary(): EvidenceSummary {
    return summaryOf(this.eras);
  }

  pooledSummary(): EvidenceSummary {
    return summaryOf([{ since: 0, arms: this.pooled }]);
  }

  /** The accounts of one day settle. */
  nextDay(): void {
    for (let n = 0; n < this.#world.accountsPerDay; n++) this.#settleOne(this.eras.at(-1)!);
    this.#day++;
  }

  #settleOne({ arms, upTo }: SimulatedEra): void {
    const random = this.#random;
    const { accountSpread, clickRate, driftPerDay = 0, lifts } = this.#world;
    const at = random.uniform();
    let arm = 0;
    while (arm < lifts.length - 1 && at >= upTo[arm]!) arm++;
    const rate = clickRate * (1 + driftPerDay * this.#day) * (1 + lifts[arm]!) * spreadBy(accountSpread, random);
    // Half of the accounts have one contact or two; a few have eight.
    const contacts = 1 + Math.floor(CONTACTS_MAX * random.uniform() ** 2);
    let impressions = 0;
    let clicks = 0;
    for (let contact = 0; contact < contacts; contact++) {
      const own = Math.min(CLICK_RATE_MAX, accountSpread === 0 ? rate : rate * spreadBy(CONTACT_SPREAD, random));
      const shown = 1 + Math.floor(IMPRESSIONS_MAX * random.uniform());
      impressions += shown;
      for (let nth = 0; nth < shown; nth++) if (random.uniform() < own) clicks++;
    }
    settle(arms[arm]!, impressions, clicks);
    settle(this.pooled[arm]!, impressions, clicks);
    this.counted.impressions[arm]! += impressions;
    this.counted.clicks[arm]! += clicks;
    this.accounts++;
  }
}

function settle(arm: ArmSummary, impressions: number, clicks: number): void {
  const weight = 10_000 / arm.buckets;
  arm.exposed++;
  arm.settled++;
  addAccount(arm.moments.clickRate, weight, impressions, clicks);
  addAccount(arm.moments.clicked, weight, 1, clicks > 0 ? 1 : 0);
}

function summaryOf(eras: EvidenceSummary['eras']): EvidenceSummary {
  return { asOf: 0, eras, forgotten: 0, heldOutExposed: 0, uncoveredExposed: 0, late: 0 };
}

export function creativeOf(arm: number): string {
  return `creative-${arm}`;
}

/** p-value of the usual test of two proportions, as if every impression were an independent trial. */
export function perClickP({ clicks, impressions }: Clicks): number {
  const pooled = (clicks[0]! + clicks[1]!) / (impressions[0]! + impressions[1]!);
  const variance = pooled * (1 - pooled) * (1 / impressions[0]! + 1 / impressions[1]!);
  const z = Math.abs(clicks[0]! / impressions[0]! - clicks[1]! / impressions[1]!) / Math.sqrt(variance);
  return variance > 0 ? 2 * upperTail(z) : 1;
}

/** Probability that a standard normal variable is above z (Abramowitz and Stegun 26.2.17, to 7 digits). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (series * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** A factor of mean 1. */
function spreadBy(spread: number, random: Random): number {
  return spread === 0 ? 1 : Math.exp(spread * random.normal() - (spread * spread) / 2);
}
