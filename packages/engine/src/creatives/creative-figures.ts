import type { LedgerSet } from '../ledger-set.ts';
import { dayOf } from '../time-slots.ts';
import type { ClickMoments, CrossMoments } from './click-moments.ts';
import type { AccountFigures, AccountGatherer, AccountTest, DayRange } from './account-figures.ts';
import { find, groupsOf, type CreativeGroup, type CreativeKey } from './creative-groups.ts';
import { CreativeReading } from './creative-reading.ts';

/** What a creative, or all of a campaign together, did in some days. */
export interface CreativeFigures extends CreativeKey, AccountFigures {
  /** Distinct accounts with a touch. */
  readonly accountsReached: number;
  /** Distinct accounts with a click. */
  readonly accountsClicked: number;
  readonly clicksByAccount: ClickMoments;
}

export interface CreativeQuery extends DayRange {
  /** Null for creatives of no campaign; without it all. */
  readonly campaignId?: string | null;
  /** Null for touches of a campaign without a creative; without it all. */
  readonly creativeId?: string | null;
  /** Under `campaign` the creatives of each are taken together. Default: `creative`. */
  readonly groupBy?: 'campaign' | 'creative';
  /** Without it all accounts. */
  readonly accountFilter?: AccountTest | null;
  /** Epoch ms. */
  readonly asOf: number;
  /** How much is done before others may have their turn; by default what takes a millisecond or two. */
  readonly cellsATurn?: number;
}

/** Days of which all is kept in every partition; null where none are kept. `to` is the day after today: what is dated ahead may fall in it. */
export function creativeDaysKept(set: LedgerSet, asOf: number): DayRange | null {
  let today = dayOf(asOf);
  let days = Infinity;
  for (const { creatives, now } of set.partitions) {
    if (creatives === null) return null;
    today = Math.max(today, dayOf(now));
    days = Math.min(days, creatives.days);
  }
  return days === Infinity ? null : { from: today - days + 1, to: today + 1 };
}

/** Whether a campaign, or a creative of it, ever came in a touch. */
export function isCreativeKnown(
  set: LedgerSet,
  key: { readonly campaignId?: string | null; readonly creativeId?: string | null },
): boolean {
  for (const { creatives } of set.partitions) if (creatives !== null && find(creatives, key).length > 0) return true;
  return false;
}

/**
 * Exact figures of all creatives that touched one of the accounts in the days, in order of first appearance. `from` and `to` must lie within
 * `creativeDaysKept`: what is older is not known any more.
 */
export function creativeFigures(set: LedgerSet, query: CreativeQuery): CreativeFigures[] {
  return [...creativeFiguresInTurns(set, query)].filter((figures) => figures !== null);
}

/** As `creativeFigures`, with null wherever others may have their turn: all figures are of the instant of the first one. */
export function* creativeFiguresInTurns(set: LedgerSet, query: CreativeQuery): Generator<CreativeFigures | null> {
  const reading = new CreativeReading(set, query);
  try {
    yield* reading.chain();
    const groups = groupsOf(set, query);
    const gatherers = new Map(reading.partitions.map((one) => [one.ledgers, one.gatherer()]));
    for (const group of groups) {
      const figures = nothingOf(group.key);
      for (const [ledgers, numbers] of group.creatives) {
        const gatherer = gatherers.get(ledgers)!;
        yield* gatherer.gather(numbers);
        yield* addAccounts(figures, gatherer);
      }
      if (figures.touches > 0) yield figures;
    }
  } finally {
    reading.close();
  }
}

/** Of a creative that is compared with another. */
export interface ComparedCreative {
  readonly figures: CreativeFigures;
  /** What its figures and those of the first creative asked for have in common: 0 all over unless accounts saw both. */
  readonly withFirst: CrossMoments & { readonly accountsOfBoth: number };
}

/** Figures of creatives of a campaign, in the order given, each compared with the first. All are of one instant; null wherever others may have their turn. */
export function* compareCreativesInTurns(
  set: LedgerSet,
  campaignId: string,
  creativeIds: readonly string[],
  query: Omit<CreativeQuery, 'campaignId' | 'creativeId' | 'groupBy'>,
): Generator<null, readonly ComparedCreative[]> {
  const reading = new CreativeReading(set, query);
  try {
    yield* reading.chain();
    const compared = creativeIds.map((creativeId) => ({
      figures: nothingOf({ campaignId, creativeId }),
      withFirst: { clicksByClicks: 0, clicksByImpressions: 0, impressionsByClicks: 0, impressionsByImpressions: 0, accountsOfBoth: 0 },
    }));
    for (const partition of reading.partitions) {
      // An account is in one partition.
      const first = partition.gatherer();
      const other = partition.gatherer();
      for (const [place, { figures, withFirst }] of compared.entries()) {
        const gatherer = place === 0 ? first : other;
        yield* gatherer.gather(find(partition.creatives, { campaignId, creativeId: figures.creativeId }));
        yield* addAccounts(figures, gatherer);
        yield* addProducts(withFirst, gatherer, first);
      }
    }
    return compared;
  } finally {
    reading.close();
  }
}

type GrowingFigures = { -readonly [Name in keyof CreativeFigures]: CreativeFigures[Name] };

function nothingOf({ campaignId, creativeId }: CreativeGroup['key']): GrowingFigures {
  const nothing: AccountFigures = { impressions: 0, clicks: 0, touches: 0, minutes: 0, points: 0, contacts: 0, clickers: 0 };
  const clicksByAccount = { accounts: 0, impressionsSquared: 0, clicksSquared: 0, impressionsByClicks: 0 };
  return { campaignId, creativeId, ...nothing, accountsReached: 0, accountsClicked: 0, clicksByAccount };
}

function* addAccounts(figures: GrowingFigures, gatherer: AccountGatherer): Generator<null> {
  const moments = figures.clicksByAccount;
  for (let place = 0; place < gatherer.count; place++) {
    const { clickers, clicks, contacts, impressions, minutes, points, touches } = gatherer.at(place);
    figures.impressions += impressions;
    figures.clicks += clicks;
    figures.touches += touches;
    figures.minutes += minutes;
    figures.points += points;
    figures.contacts += contacts;
    figures.clickers += clickers;
    figures.accountsReached++;
    if (clicks > 0) figures.accountsClicked++;
    if (gatherer.pace.spend(1)) yield null;
    if (impressions === 0 && clicks === 0) continue;
    moments.accounts++;
    moments.impressionsSquared += impressions * impressions;
    moments.clicksSquared += clicks * clicks;
    moments.impressionsByClicks += impressions * clicks;
  }
}

type GrowingProducts = { -readonly [Name in keyof ComparedCreative['withFirst']]: number };

function* addProducts(products: GrowingProducts, gatherer: AccountGatherer, first: AccountGatherer): Generator<null> {
  for (let place = 0; place < gatherer.count; place++) {
    const known = first.placeOf(gatherer.accounts[place]!);
    if (known >= 0) {
      const one = gatherer.at(place);
      const other = first.at(known);
      products.accountsOfBoth++;
      products.clicksByClicks += one.clicks * other.clicks;
      products.clicksByImpressions += one.clicks * other.impressions;
      products.impressionsByClicks += one.impressions * other.clicks;
      products.impressionsByImpressions += one.impressions * other.impressions;
    }
    if (gatherer.pace.spend(1)) yield null;
  }
}
