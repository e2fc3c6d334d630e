import { AccountCounts } from './account-counts.ts';
import { engagedWithin } from './columns/engaged-days.ts';
import type { Names } from './columns/names.ts';
import type { PartitionLedgers } from './ledgers.ts';
import { pointsOrNone, scoreOf } from './score.ts';
import { dayOf } from './time-slots.ts';
import { countsByName, type WindowViews } from './window-figures.ts';

export interface ReachView {
  /** Contacts engaged within the model's reach window. */
  contacts: number;
  knownContacts: number;
  roles: { wanted: string[]; covered: string[]; missing: string[] };
  /** Campaign id to the number of contacts whose first touch ever was the campaign's. */
  byCampaign: Record<string, number>;
}

/** What of an account is computed for the very instant that is asked for. */
export interface AccountHead {
  accountId: string;
  score: number;
  points: number;
  /** Epoch milliseconds. */
  asOf: number;
  version: number;
  modelVersion: string;
  /** Epoch milliseconds; null before the first touch. */
  lastTouchAt: number | null;
}

/** What of an account is the same for all instants of a UTC hour, while its version and the model are the same. */
export interface AccountFigures {
  engaged: boolean;
  windows: WindowViews;
  reach: ReachView;
}

export interface AccountView extends AccountHead, AccountFigures {}

/** The earliest instant for which an account can be viewed, epoch ms: that of its last change, if that is not too many half-lives ago. */
export function earliestInstant({ accounts, decay, now }: PartitionLedgers, account: number): number {
  return Math.max(accounts.changedAt[account]!, decay.earliestInstant(now));
}

/** Points of an account at `asOf`, epoch ms, which must not lie before its `earliestInstant`. */
export function pointsOf(ledgers: PartitionLedgers, account: number, asOf: number): number {
  const { accounts, ahead, contacts, decay, roles } = ledgers;
  let sum = accounts.sum[account]!;
  for (let row = accounts.ahead[account]!; row !== 0; row = ahead.next[row]!) {
    if (ahead.occurredAt[row]! <= asOf) continue;
    const contact = ahead.contact[row]!;
    const multiplier = contact === 0 ? 1 : roles.multiplier(contacts.role[contact - 1]!);
    sum -= multiplier * ahead.worth[row]! * (decay.weight(ahead.occurredAt[row]!) - decay.weight(asOf));
  }
  return pointsOrNone(sum * decay.factor(asOf));
}

/** Everything served of an account, computed for `asOf`. */
export function viewOf(ledgers: PartitionLedgers, account: number, asOf: number): AccountView {
  return { ...headOf(ledgers, account, asOf), ...figuresOf(ledgers, account, asOf) };
}

/** @param asOf as for `pointsOf` */
export function headOf(ledgers: PartitionLedgers, account: number, asOf: number): AccountHead {
  const { accounts, model } = ledgers;
  const points = pointsOf(ledgers, account, asOf);
  return {
    accountId: accounts.names.text(account),
    score: scoreOf(points, model.halfScorePoints),
    points,
    asOf,
    version: accounts.version[account]!,
    modelVersion: model.version,
    lastTouchAt: accounts.lastTouch(account),
  };
}

/** One view after the other: each makes no garbage but what it returns. */
const scratch = new AccountCounts();

/** Nearly all of the work of a view: one walk over the account's cells and one over its contacts. */
export function figuresOf(ledgers: PartitionLedgers, account: number, asOf: number): AccountFigures {
  countAccount(scratch, ledgers, account, asOf);
  return figuresFrom(scratch, ledgers, account, asOf);
}

/**
 * Counts everything of an account anew. Large accounts have thousands of contacts: one costs a few dozen nanoseconds, most of them the processor's
 * cache misses.
 */
export function countAccount(counts: AccountCounts, ledgers: PartitionLedgers, account: number, asOf: number): void {
  const { accounts, contacts, model } = ledgers;
  counts.begin(asOf, model.reachWindowDays);
  countCells(counts, ledgers, account);
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) counts.addContact(contacts, row - 1, 1);
}

export function countCells(counts: AccountCounts, { accounts, dayCells, hourCells }: PartitionLedgers, account: number): void {
  counts.addCells(hourCells, accounts.hourCell[account]!, dayCells, accounts.dayCell[account]!);
}

/** What an account's counts, all of which are as it is now, say of it. */
export function figuresFrom(counts: AccountCounts, ledgers: PartitionLedgers, account: number, asOf: number): AccountFigures {
  const { accounts, campaigns, kinds, roles } = ledgers;
  const byCampaign = countsByName();
  const named = [...counts.campaigns].filter(([, contacts]) => contacts > 0);
  const texts = named.map(([campaign, contacts]) => ({ campaign: campaignText(campaigns, campaign - 1), contacts }));
  // In the order of their names: which of them was met first depends on what was read before.
  for (const { campaign, contacts } of texts.sort((a, b) => (a.campaign < b.campaign ? -1 : 1))) byCampaign[campaign] = contacts;
  const wanted = [...roles.wanted];
  const isCovered = (role: string): boolean => (counts.engagedRoles.get(roles.number(role)) ?? 0) > 0;
  return {
    engaged: counts.engaged > 0 || isNobodyEngaged(ledgers, account, asOf),
    windows: counts.windows(kinds),
    reach: {
      contacts: counts.engaged,
      knownContacts: accounts.contactCount[account]!,
      roles: { wanted, covered: wanted.filter(isCovered), missing: wanted.filter((role) => !isCovered(role)) },
      byCampaign,
    },
  };
}

/** Contacts engaged within the model's reach window, and whether the account is engaged at all. */
export function engagementOf(ledgers: PartitionLedgers, account: number, asOf: number): { engaged: boolean; contacts: number } {
  const { accounts, contacts, model } = ledgers;
  const today = dayOf(asOf);
  const first = today - model.reachWindowDays + 1;
  let engagedContacts = 0;
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    if (engagedWithin(contacts.engagedDay, contacts.formerEngagedDay, row - 1, first, today)) engagedContacts++;
  }
  return { engaged: engagedContacts > 0 || isNobodyEngaged(ledgers, account, asOf), contacts: engagedContacts };
}

function isNobodyEngaged(ledgers: PartitionLedgers, account: number, asOf: number): boolean {
  const today = dayOf(asOf);
  const { engagedDay, formerEngagedDay } = ledgers.accounts;
  return engagedWithin(engagedDay, formerEngagedDay, account, today - ledgers.model.reachWindowDays + 1, today);
}

const campaignTexts = new WeakMap<Names, string[]>();

/** A campaign's id. Read from its bytes once: a view of a large account names dozens. */
function campaignText(campaigns: Names, row: number): string {
  let texts = campaignTexts.get(campaigns);
  if (texts === undefined) campaignTexts.set(campaigns, (texts = []));
  return (texts[row] ??= campaigns.text(row));
}
