import type { LedgerSet } from '../ledger-set.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { dayOf } from '../time-slots.ts';
import type { CrossMoments } from './click-rate.ts';
import { AccountGatherer, type AccountFigures, type AccountTest, type DayRange } from './account-figures.ts';
import { find, groupsOf, type CreativeGroup, type CreativeKey } from './creative-groups.ts';

/** What a creative, or all of a campaign together, did in some days. */
export interface CreativeFigures extends CreativeKey, AccountFigures {
  /** Distinct accounts with a touch. */
  readonly accountsReached: number;
  /** Distinct accounts with a click. */
  readonly accountsClicked: number;
  readonly clicksByAccount: ClickMoments;
}

/** Sums over the accounts that had an impression or a click, each one observation: what a ratio's variance is computed from. */
export interface ClickMoments {
  accounts: number;
  impressionsSquared: number;
  clicksSquared: number;
  impressionsByClicks: number;
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
}

/** Cells that a reader chains before others may have their turn: a millisecond or two. */
const CELLS_A_TURN = 50_000;

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

/** As `creativeFigures`, with null wherever others may have their turn: a creative's figures are of one moment, those of two may not be. */
export function* creativeFiguresInTurns(set: LedgerSet, query: CreativeQuery): Generator<CreativeFigures | null> {
  yield* chainCells(set, query);
  const gatherers = new Map<PartitionLedgers, AccountGatherer>();
  let looked = 0;
  for (const group of groupsOf(set, query)) {
    const figures = { ...nothingOf(group.key) };
    for (const [ledgers, numbers] of group.creatives) {
      const gatherer = gatherers.get(ledgers) ?? gathererOf(ledgers, query);
      gatherers.set(ledgers, gatherer);
      looked += gather(gatherer, numbers);
      addAccounts(figures, gatherer);
    }
    if (figures.touches > 0) yield figures;
    if (looked < CELLS_A_TURN) continue;
    looked = 0;
    yield null;
  }
}

/**
 * Calls back for each account that one of the creatives touched in the days, with the figures of each creative in the order given: zeros for one that
 * did not touch it. They are valid during the call. Accounts are in no order that means anything.
 */
export function forEachAccountOfCreatives(
  set: LedgerSet,
  creatives: readonly CreativeKey[],
  query: DayRange & Pick<CreativeQuery, 'accountFilter' | 'asOf'>,
  visit: (ledgers: PartitionLedgers, account: number, figures: readonly Readonly<AccountFigures>[]) => void,
): void {
  for (const ledgers of set.partitions) {
    if (ledgers.creatives === null) continue;
    const gatherers = creatives.map((key) => {
      const gatherer = gathererOf(ledgers, query);
      gather(gatherer, find(ledgers.creatives!, key));
      return gatherer;
    });
    const byAccount = new Map<number, Readonly<AccountFigures>[]>();
    for (const [index, gatherer] of gatherers.entries()) {
      for (let place = 0; place < gatherer.count; place++) {
        const account = gatherer.accounts[place]!;
        let figures = byAccount.get(account);
        if (figures === undefined) byAccount.set(account, (figures = creatives.map(() => NOTHING)));
        figures[index] = gatherer.at(place);
      }
    }
    for (const [account, figures] of byAccount) visit(ledgers, account, figures);
  }
}

/** What two creatives' figures have in common: 0 all over unless accounts saw both. */
export function crossMoments(
  set: LedgerSet,
  first: CreativeKey,
  second: CreativeKey,
  query: DayRange & Pick<CreativeQuery, 'accountFilter' | 'asOf'>,
): CrossMoments & { readonly accountsOfBoth: number } {
  const cross = { clicksByClicks: 0, clicksByImpressions: 0, impressionsByClicks: 0, impressionsByImpressions: 0, accountsOfBoth: 0 };
  forEachAccountOfCreatives(set, [first, second], query, (_ledgers, _account, [one, other]) => {
    if (one!.touches > 0 && other!.touches > 0) cross.accountsOfBoth++;
    cross.clicksByClicks += one!.clicks * other!.clicks;
    cross.clicksByImpressions += one!.clicks * other!.impressions;
    cross.impressionsByClicks += one!.impressions * other!.clicks;
    cross.impressionsByImpressions += one!.impressions * other!.impressions;
  });
  return cross;
}

const NOTHING: Readonly<AccountFigures> = { impressions: 0, clicks: 0, touches: 0, minutes: 0, points: 0, contacts: 0, clickers: 0 };

function gathererOf(ledgers: PartitionLedgers, { accountFilter, asOf, from, to }: Omit<CreativeQuery, 'groupBy'>): AccountGatherer {
  return new AccountGatherer(ledgers, ledgers.creatives!, { from, to }, accountFilter ?? null, asOf);
}

/** @returns how many days and cells were looked at */
function gather(gatherer: AccountGatherer, numbers: readonly number[]): number {
  gatherer.begin();
  let looked = 0;
  for (const number of numbers) looked += gatherer.add(number);
  return looked;
}

function* chainCells(set: LedgerSet, { from, to }: DayRange): Generator<null> {
  for (const { creatives } of set.partitions) {
    for (let day = from; day <= to; day++) {
      const table = creatives?.dayOf(day);
      while (table !== undefined && table.unchained > CELLS_A_TURN) {
        table.chain(CELLS_A_TURN);
        yield null;
      }
    }
  }
}

type GrowingFigures = { -readonly [Name in keyof CreativeFigures]: CreativeFigures[Name] };

function nothingOf({ campaignId, creativeId }: CreativeGroup['key']): GrowingFigures {
  const clicksByAccount = { accounts: 0, impressionsSquared: 0, clicksSquared: 0, impressionsByClicks: 0 };
  return { campaignId, creativeId, ...NOTHING, accountsReached: 0, accountsClicked: 0, clicksByAccount };
}

function addAccounts(figures: GrowingFigures, gatherer: AccountGatherer): void {
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
    if (impressions === 0 && clicks === 0) continue;
    moments.accounts++;
    moments.impressionsSquared += impressions * impressions;
    moments.clicksSquared += clicks * clicks;
    moments.impressionsByClicks += impressions * clicks;
  }
}
