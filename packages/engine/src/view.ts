import { engagedWithin } from './columns/engaged-days.ts';
import type { PartitionLedgers } from './ledgers.ts';
import { scoreOf } from './score.ts';
import { dayOf, hourOf, WINDOWS, type WindowSpec } from './time-slots.ts';

/** What a window says of an account. `minutes` are minutes; everything else is a count. */
export interface WindowFigures {
  touches: number;
  minutes: number;
  byKind: Record<string, number>;
  /** Distinct contacts with a touch in the window. */
  contacts: number;
  /** Contacts whose first touch ever is in the window. */
  newContacts: number;
}

export interface WindowView extends WindowFigures {
  /** The same of the equally long window before. */
  previous: WindowFigures;
}

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
  windows: Record<WindowSpec['name'], WindowView>;
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
  return sum * decay.factor(asOf);
}

/** Everything served of an account, computed for `asOf`. */
export function viewOf(ledgers: PartitionLedgers, account: number, asOf: number): AccountView {
  const { accounts, model } = ledgers;
  const points = pointsOf(ledgers, account, asOf);
  const people = peopleOf(ledgers, account, asOf);
  return {
    accountId: accounts.names.text(account),
    score: scoreOf(points, model.halfScorePoints),
    points,
    asOf,
    version: accounts.version[account]!,
    modelVersion: model.version,
    engaged: people.reach.contacts > 0 || isNobodyEngaged(ledgers, account, asOf),
    lastTouchAt: accounts.lastTouch(account),
    windows: people.windows,
    reach: people.reach,
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

/** Counts by a name that users choose: without a prototype, `constructor` and `__proto__` are names like any other. */
function counts(): Record<string, number> {
  return Object.create(null) as Record<string, number>;
}

function noFigures(): WindowFigures {
  return { touches: 0, minutes: 0, byKind: counts(), contacts: 0, newContacts: 0 };
}

/** Windows and reach, from one walk over the account's cells and one over its contacts. */
function peopleOf(ledgers: PartitionLedgers, account: number, asOf: number): Pick<AccountView, 'windows' | 'reach'> {
  const now = { hour: hourOf(asOf), day: dayOf(asOf) };
  const windows = {} as Record<WindowSpec['name'], WindowView>;
  for (const { name } of WINDOWS) windows[name] = { ...noFigures(), previous: noFigures() };
  addCells(ledgers, account, 'hour', now.hour, windows);
  addCells(ledgers, account, 'day', now.day, windows);
  return { windows, reach: addContacts(ledgers, account, now, windows) };
}

function addCells(
  ledgers: PartitionLedgers,
  account: number,
  unit: WindowSpec['unit'],
  current: number,
  windows: Record<WindowSpec['name'], WindowView>,
): void {
  const cells = unit === 'hour' ? ledgers.hourCells : ledgers.dayCells;
  const heads = unit === 'hour' ? ledgers.accounts.hourCell : ledgers.accounts.dayCell;
  const specs = WINDOWS.filter((spec) => spec.unit === unit);
  for (let cell = heads[account]!; cell !== 0; cell = cells.next[cell]!) {
    const age = current - cells.slot[cell]!;
    if (age < 0) continue;
    const kind = ledgers.kinds.name(cells.kind[cell]!);
    for (const { name, length } of specs) {
      if (age >= 2 * length) continue;
      const figures = age < length ? windows[name] : windows[name].previous;
      figures.touches += cells.touches[cell]!;
      figures.minutes += cells.minutes[cell]!;
      figures.byKind[kind] = (figures.byKind[kind] ?? 0) + cells.touches[cell]!;
    }
  }
}

function addContacts(
  ledgers: PartitionLedgers,
  account: number,
  now: { hour: number; day: number },
  windows: Record<WindowSpec['name'], WindowView>,
): ReachView {
  const { accounts, campaigns, contacts, model, roles } = ledgers;
  const reachFirstDay = now.day - model.reachWindowDays + 1;
  const engagedRoles = new Set<string>();
  const byCampaign = counts();
  let engaged = 0;
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    const contact = row - 1;
    const firstTouchAt = contacts.firstTouchAt[contact]!;
    for (const { name, unit, length } of WINDOWS) {
      const active = unit === 'hour' ? contacts.hours : contacts.days;
      const current = now[unit];
      const view = windows[name];
      if (active.any(contact, current - length + 1, current)) view.contacts++;
      if (active.any(contact, current - 2 * length + 1, current - length)) view.previous.contacts++;
      const age = current - (unit === 'hour' ? hourOf(firstTouchAt) : dayOf(firstTouchAt));
      if (age >= 0 && age < length) view.newContacts++;
      else if (age >= length && age < 2 * length) view.previous.newContacts++;
    }
    const campaign = contacts.firstCampaign[contact]!;
    if (campaign !== 0) {
      const id = campaigns.text(campaign - 1);
      byCampaign[id] = (byCampaign[id] ?? 0) + 1;
    }
    if (engagedWithin(contacts.engagedDay, contacts.formerEngagedDay, contact, reachFirstDay, now.day)) {
      engaged++;
      engagedRoles.add(roles.name(contacts.role[contact]!));
    }
  }
  const wanted = [...roles.wanted];
  return {
    contacts: engaged,
    knownContacts: accounts.contactCount[account]!,
    roles: { wanted, covered: wanted.filter((role) => engagedRoles.has(role)), missing: wanted.filter((role) => !engagedRoles.has(role)) },
    byCampaign,
  };
}
