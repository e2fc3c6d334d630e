import { DAY_BANDS, HOUR_BANDS } from './bands.ts';
import { engagedWithin } from './columns/engaged-days.ts';
import type { Names } from './columns/names.ts';
import type { PartitionLedgers } from './ledgers.ts';
import { pointsOrNone, scoreOf } from './score.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf } from './time-slots.ts';
import { addCells, countContact, counts, noWindows, takeContacts, type WindowViews } from './window-figures.ts';

export interface ReachView {
  /** Contacts engaged within the model's reach window. */
  contacts: number;
  knownContacts: number;
  roles: { wanted: string[]; covered: string[]; missing: string[] };
  /** Campaign id to the number of contacts whose first touch ever was the campaign's. */
  byCampaign: Record<string, number>;
}

export interface AccountView {
  accountId: string;
  score: number;
  points: number;
  /** Epoch milliseconds. */
  asOf: number;
  version: number;
  modelVersion: string;
  engaged: boolean;
  /** Epoch milliseconds; null before the first touch. */
  lastTouchAt: number | null;
  windows: WindowViews;
  reach: ReachView;
}

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
  const { accounts, model } = ledgers;
  const points = pointsOf(ledgers, account, asOf);
  const windows = noWindows();
  addCells(ledgers.kinds, ledgers.hourCells, accounts.hourCell[account]!, hourOf(asOf), HOUR_BANDS, windows);
  addCells(ledgers.kinds, ledgers.dayCells, accounts.dayCell[account]!, dayOf(asOf), DAY_BANDS, windows);
  const reach = addPeople(ledgers, account, asOf, windows);
  return {
    accountId: accounts.names.text(account),
    score: scoreOf(points, model.halfScorePoints),
    points,
    asOf,
    version: accounts.version[account]!,
    modelVersion: model.version,
    engaged: reach.contacts > 0 || isNobodyEngaged(ledgers, account, asOf),
    lastTouchAt: accounts.lastTouch(account),
    windows,
    reach,
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

/** Contacts by the campaign of their first touch; all 0 again after each view. */
let campaignCounts = new Uint32Array(64);
const campaignsSeen: number[] = [];

/**
 * Reach, and the contacts of all windows, from one walk over the account's contacts. Large accounts have thousands: a contact costs a few
 * dozen nanoseconds, most of them the processor's cache misses.
 */
function addPeople(ledgers: PartitionLedgers, account: number, asOf: number, windows: WindowViews): ReachView {
  const { accounts, campaigns, contacts, model, roles } = ledgers;
  const hour = hourOf(asOf);
  const today = dayOf(asOf);
  const reachFirstDay = today - model.reachWindowDays + 1;
  // Before these nothing is new in any window: most first touches end here, without being divided into hours and days.
  const firstHourFrom = (hour - HOUR_BANDS.agesEnd + 1) * HOUR_MS;
  const firstDayFrom = (today - DAY_BANDS.agesEnd + 1) * DAY_MS;
  if (campaignCounts.length <= campaigns.size) campaignCounts = new Uint32Array(campaigns.size * 2 + 1);
  const engagedRoles = new Set<number>();
  let lastRole = -1;
  let engaged = 0;
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    const contact = row - 1;
    const firstTouchAt = contacts.firstTouchAt[contact]!;
    countContact(
      contacts.hours.bandsOf(contact, hour, HOUR_BANDS),
      contacts.days.bandsOf(contact, today, DAY_BANDS),
      firstTouchAt < firstHourFrom ? -1 : hour - hourOf(firstTouchAt),
      firstTouchAt < firstDayFrom ? -1 : today - dayOf(firstTouchAt),
    );
    const campaign = contacts.firstCampaign[contact]!;
    if (campaign !== 0 && campaignCounts[campaign]!++ === 0) campaignsSeen.push(campaign);
    if (engagedWithin(contacts.engagedDay, contacts.formerEngagedDay, contact, reachFirstDay, today)) {
      engaged++;
      const role = contacts.role[contact]!;
      if (role !== lastRole) engagedRoles.add((lastRole = role));
    }
  }
  takeContacts(windows);
  const byCampaign = counts();
  for (const campaign of campaignsSeen) {
    byCampaign[campaignText(campaigns, campaign - 1)] = campaignCounts[campaign]!;
    campaignCounts[campaign] = 0;
  }
  campaignsSeen.length = 0;
  const wanted = [...roles.wanted];
  const isCovered = (role: string): boolean => engagedRoles.has(roles.number(role));
  return {
    contacts: engaged,
    knownContacts: accounts.contactCount[account]!,
    roles: { wanted, covered: wanted.filter(isCovered), missing: wanted.filter((role) => !isCovered(role)) },
    byCampaign,
  };
}
