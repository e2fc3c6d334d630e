import { CELL, CELL_WIDTH } from '../columns/creative-cell.ts';
import type { CreativeDayView } from '../columns/creative-day-view.ts';
import type { LedgerSet } from '../ledger-set.ts';
import type { DayRange } from './account-figures.ts';
import type { CreativeFigures } from './creative-figures.ts';
import { keyOf, type CreativeKey } from './creative-groups.ts';
import { CreativeReading, type PartitionReading } from './creative-reading.ts';
import type { Pace } from './pace.ts';

/** What gauges tell of a creative. Each figure is that of `CreativeFigures`. */
export type ShownCreative = CreativeKey & Pick<CreativeFigures, 'impressions' | 'clicks' | 'accountsReached' | 'clicksByAccount'>;

export interface ShownQuery extends DayRange {
  /** Campaigns run that had an impression from this UTC day on. */
  readonly runningFrom: number;
  readonly creativesMax: number;
  /** Epoch ms. */
  readonly asOf: number;
  readonly cellsATurn?: number;
}

/** Pairs of creative and account that are summed up at once, nine bytes each: all that matter, but in very large partitions. */
const PAIRS_MAX = 4_000_000;
const NOT_SUMMED = -1;
/** To look a creative up by its ids costs about as much as so many cells. */
const CELLS_A_CREATIVE = 20;

interface Creative {
  readonly key: CreativeKey;
  readonly campaign: Campaign;
  impressions: number;
  /** Its numbers in each partition, in their order: several where ids that are no valid text read alike, none where it never came. */
  readonly numbers: number[][];
}

interface Campaign {
  impressionsLately: number;
  readonly creatives: Map<string | null, Creative>;
}

/** Sums of a creative, side by side. */
const SUMS = { clicks: 0, reached: 1, accounts: 2, impressionsSquared: 3, clicksSquared: 4, impressionsByClicks: 5 } as const;
const SUMS_WIDTH = 6;

/**
 * The creatives that running campaigns showed most in the days, the most shown first, with exact figures; null wherever others may have their turn.
 *
 * Cells are looked at in the order in which they stand, which costs a few nanoseconds each: once for who was shown most, and once more for how that falls on
 * accounts. People, roles and points, for which a report has to look elsewhere, are in none of these figures.
 */
export function* mostShownInTurns(set: LedgerSet, query: ShownQuery): Generator<null, readonly ShownCreative[]> {
  const reading = new CreativeReading(set, query);
  try {
    const found: Creative[] = [];
    const campaigns = new Map<string | null, Campaign>();
    for (const [at, partition] of reading.partitions.entries()) {
      yield* addShown(found, campaigns, at, partition, query.runningFrom, reading.pace);
    }
    const most = found
      .filter(({ campaign, impressions }) => impressions > 0 && campaign.impressionsLately > 0)
      .sort((one, other) => other.impressions - one.impressions)
      .slice(0, query.creativesMax);
    const sums = new Float64Array(most.length * SUMS_WIDTH);
    for (const [at, partition] of reading.partitions.entries()) yield* addAccounts(sums, most, at, partition, reading.pace);
    return most.map(({ impressions, key }, place) => {
      const sum = (name: keyof typeof SUMS): number => sums[place * SUMS_WIDTH + SUMS[name]]!;
      const clicksByAccount = {
        accounts: sum('accounts'),
        impressionsSquared: sum('impressionsSquared'),
        clicksSquared: sum('clicksSquared'),
        impressionsByClicks: sum('impressionsByClicks'),
      };
      return { ...key, impressions, clicks: sum('clicks'), accountsReached: sum('reached'), clicksByAccount };
    });
  } finally {
    reading.close();
  }
}

/** Adds the impressions of a partition, the `at`th, to the creatives of all, which are found in order of first appearance. */
function* addShown(
  found: Creative[],
  campaigns: Map<string | null, Campaign>,
  at: number,
  { creatives, views }: PartitionReading,
  runningFrom: number,
  pace: Pace,
): Generator<null> {
  const earlier = new Float64Array(creatives.count + 1);
  const lately = new Float64Array(creatives.count + 1);
  for (const [day, view] of views) {
    yield* lookThrough(view, pace, (numbers, from, to) => addImpressions(numbers, from, to, day < runningFrom ? earlier : lately));
  }
  for (let number = 1; number < lately.length; number++) {
    if (pace.spend(CELLS_A_CREATIVE)) yield null;
    const key = keyOf(creatives, number);
    let campaign = campaigns.get(key.campaignId);
    if (campaign === undefined) campaigns.set(key.campaignId, (campaign = { impressionsLately: 0, creatives: new Map() }));
    let creative = campaign.creatives.get(key.creativeId);
    if (creative === undefined) {
      creative = { key, campaign, impressions: 0, numbers: [] };
      campaign.creatives.set(key.creativeId, creative);
      found.push(creative);
    }
    campaign.impressionsLately += lately[number]!;
    creative.impressions += earlier[number]! + lately[number]!;
    (creative.numbers[at] ??= []).push(number);
  }
}

/** Hands over the cells of a day, as many at a time as stand side by side: their numbers are those from `from` to before `to`. */
function* lookThrough(view: CreativeDayView, pace: Pace, step: (numbers: Uint32Array, from: number, to: number) => void): Generator<null> {
  for (let row = 0; row < view.size;) {
    const cells = view.look(row);
    const from = view.place * CELL_WIDTH;
    step(view.numbers, from, from + cells * CELL_WIDTH);
    row += cells;
    if (pace.spend(cells)) yield null;
  }
}

function addImpressions(numbers: Uint32Array, from: number, to: number, byCreative: Float64Array): void {
  for (let at = from; at < to; at += CELL_WIDTH) byCreative[numbers[at]!]! += numbers[at + CELL.impressions]!;
}

/** Adds what creatives did to the accounts of a partition, to the sums at their places: as many creatives at a time as there is room for. */
function* addAccounts(
  sums: Float64Array,
  most: readonly Creative[],
  at: number,
  { creatives, ledgers, views }: PartitionReading,
  pace: Pace,
): Generator<null> {
  const own = most.map(({ numbers }, place) => ({ numbers: numbers[at] ?? [], place })).filter(({ numbers }) => numbers.length > 0);
  const accounts = ledgers.accounts.size;
  const atOnce = Math.max(1, Math.floor(PAIRS_MAX / Math.max(1, accounts)));
  for (let from = 0; from < own.length; from += atOnce) {
    const pairs = new Pairs(sums, own.slice(from, from + atOnce), { accounts, creatives: creatives.count });
    for (const view of views.values()) yield* lookThrough(view, pace, (numbers, start, end) => pairs.add(numbers, start, end));
  }
}

/** Some creatives, each with its place in the sums, and what they did to each account. */
class Pairs {
  readonly #sums: Float64Array;
  /** By creative: where its accounts begin, and its place in the sums. */
  readonly #from: Int32Array;
  readonly #place: Int32Array;
  readonly #impressions: Uint32Array;
  readonly #clicks: Uint32Array;
  readonly #isReached: Uint8Array;

  constructor(
    sums: Float64Array,
    own: readonly { readonly numbers: readonly number[]; readonly place: number }[],
    counts: { readonly accounts: number; readonly creatives: number },
  ) {
    const pairs = own.length * counts.accounts;
    this.#sums = sums;
    this.#from = new Int32Array(counts.creatives + 1).fill(NOT_SUMMED);
    this.#place = new Int32Array(counts.creatives + 1);
    this.#impressions = new Uint32Array(pairs);
    this.#clicks = new Uint32Array(pairs);
    this.#isReached = new Uint8Array(pairs);
    for (const [at, { numbers, place }] of own.entries()) {
      for (const number of numbers) {
        this.#from[number] = at * counts.accounts;
        this.#place[number] = place * SUMS_WIDTH;
      }
    }
  }

  /** Squares and products of an account's sums grow with each of its cells, so that no account has to be looked at again. All are whole numbers. */
  add(numbers: Uint32Array, from: number, to: number): void {
    const sums = this.#sums;
    for (let at = from; at < to; at += CELL_WIDTH) {
      const creative = numbers[at]!;
      const start = this.#from[creative]!;
      if (start === NOT_SUMMED) continue;
      const pair = start + numbers[at + CELL.account]!;
      const place = this.#place[creative]!;
      if (this.#isReached[pair] === 0) {
        this.#isReached[pair] = 1;
        sums[place + SUMS.reached]!++;
      }
      const impressions = numbers[at + CELL.impressions]!;
      const clicks = numbers[at + CELL.clicks]!;
      if (impressions === 0 && clicks === 0) continue;
      const impressionsBefore = this.#impressions[pair]!;
      const clicksBefore = this.#clicks[pair]!;
      if (impressionsBefore === 0 && clicksBefore === 0) sums[place + SUMS.accounts]!++;
      sums[place + SUMS.clicks]! += clicks;
      sums[place + SUMS.impressionsSquared]! += impressions * (2 * impressionsBefore + impressions);
      sums[place + SUMS.clicksSquared]! += clicks * (2 * clicksBefore + clicks);
      sums[place + SUMS.impressionsByClicks]! += impressions * (clicksBefore + clicks) + impressionsBefore * clicks;
      this.#impressions[pair] = impressionsBefore + impressions;
      this.#clicks[pair] = clicksBefore + clicks;
    }
  }
}
