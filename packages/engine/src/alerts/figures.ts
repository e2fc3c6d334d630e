import { engagedWithin } from '../columns/engaged-days.ts';
import type { Cells } from '../columns/cells.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { dayOf } from '../time-slots.ts';
import type { ComingTouch } from './gauges.ts';
import { NewestSlots } from './newest-slots.ts';

/** Figures of an account that several rules ask for, each by one walk over its cells or its contacts. */

/** Newest first, as views add them up: so that minutes come out the same to the last bit. */
export function sumOfCells(cells: Cells, head: number, current: number, length: number, kind: number | null, isMinutes: boolean): number {
  let sum = 0;
  for (let cell = head; cell !== 0; cell = cells.next[cell]!) {
    const age = current - cells.slot[cell]!;
    if (age < 0) continue;
    if (age >= length) break;
    if (kind === null || cells.kind[cell] === kind) sum += isMinutes ? cells.minutes[cell]! : cells.touches[cell]!;
  }
  return sum;
}

/** The newest hour or day with which the sum, added up as above, reaches a value; 0 when none is needed or all are not enough. */
export function slotWithSum(cells: Cells, head: number, value: number, kind: number | null, isMinutes: boolean): number {
  let sum = 0;
  if (sum >= value) return 0;
  for (let cell = head; cell !== 0; cell = cells.next[cell]!) {
    if (kind === null || cells.kind[cell] === kind) sum += isMinutes ? cells.minutes[cell]! : cells.touches[cell]!;
    if (sum >= value) return cells.slot[cell]!;
  }
  return 0;
}

/** Whether somebody, known or not, may be engaged by the touch who was not. */
export function mayEngage({ kinds, model }: PartitionLedgers, { kind, now, occurredAt }: ComingTouch): boolean {
  const age = dayOf(now) - dayOf(occurredAt);
  return kinds.engages(kind) && age >= 0 && age < model.reachWindowDays;
}

/** Within the model's reach window. */
export function isContactEngaged({ contacts, model }: PartitionLedgers, contact: number, at: number): boolean {
  const today = dayOf(at);
  const { engagedDay, formerEngagedDay } = contacts;
  return engagedWithin(engagedDay, formerEngagedDay, contact, today - model.reachWindowDays + 1, today);
}

export function engagedContacts(ledgers: PartitionLedgers, account: number, at: number): number {
  const { accounts, contacts, model } = ledgers;
  const { engagedDay, formerEngagedDay, next } = contacts;
  const today = dayOf(at);
  const first = today - model.reachWindowDays + 1;
  let count = 0;
  for (let row = accounts.contact[account]!; row !== 0; row = next[row - 1]!) {
    if (engagedWithin(engagedDay, formerEngagedDay, row - 1, first, today)) count++;
  }
  return count;
}

const newest = new NewestSlots();

/**
 * The day that has to stay in the reach window for so many contacts to be engaged, where no touch is dated in a day to come; 0 where none has to, null
 * for too many.
 */
export function lastsUntilEngaged({ accounts, contacts }: PartitionLedgers, account: number, wanted: number): number | null {
  if (wanted <= 0) return 0;
  if (!newest.begin(wanted)) return null;
  const { engagedDay, next } = contacts;
  for (let row = accounts.contact[account]!; row !== 0; row = next[row - 1]!) newest.add(engagedDay[row - 1]!);
  return newest.oldest;
}

/** The newest day on which a contact in the role was engaged, where no touch is dated in a day to come; 0 for none. */
export function lastEngagedInRole({ accounts, contacts }: PartitionLedgers, account: number, role: number): number {
  const { engagedDay, next, role: roles } = contacts;
  let last = 0;
  for (let row = accounts.contact[account]!; row !== 0; row = next[row - 1]!) {
    if (roles[row - 1] === role && engagedDay[row - 1]! > last) last = engagedDay[row - 1]!;
  }
  return last;
}

/** Numbers of the roles that an engaged contact of the account has. */
export function engagedRoles(ledgers: PartitionLedgers, account: number, at: number): ReadonlySet<number> {
  const { accounts, contacts } = ledgers;
  const found = new Set<number>();
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
    const role = contacts.role[row - 1]!;
    if (role !== 0 && isContactEngaged(ledgers, row - 1, at)) found.add(role);
  }
  return found;
}

/** Share of the wanted roles with an engaged contact; 0 where none is wanted. */
export function coverageOf(ledgers: PartitionLedgers, account: number, at: number): number {
  const { roles } = ledgers;
  if (roles.wanted.length === 0) return 0;
  const engaged = engagedRoles(ledgers, account, at);
  let covered = 0;
  for (const role of roles.wanted) if (engaged.has(roles.number(role))) covered++;
  return covered / roles.wanted.length;
}
