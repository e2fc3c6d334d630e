import { engagedWithin } from '../columns/engaged-days.ts';
import type { Cells } from '../columns/cells.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { pointsForScore, scoreOf } from '../score.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf, WINDOWS } from '../time-slots.ts';
import { pointsOf } from '../view.ts';
import type { RuleTerms } from './compile-alert-rules.ts';
import { boundaryTurnsAt, decayTurnsAt, hasAhead, type Slots } from './turning-time.ts';

/** A touch that is about to count. */
export interface ComingTouch {
  /** Rows, or -1 of those that the touch makes known. */
  account: number;
  contact: number;
  hasContact: boolean;
  kind: number;
  occurredAt: number;
  minutes: number;
  now: number;
  /** Whether a rule of the model matches it. */
  hasWorth: boolean;
  isActNow: boolean;
}

/** A figure of an account that rules ask for. Rows must not be asked for an instant before the account's last change. */
export interface Metric {
  readonly name: string;
  value(ledgers: PartitionLedgers, account: number, at: number): number;
  /** Whether the touch can change the figure at the time of its append. */
  mayChange(ledgers: PartitionLedgers, touch: ComingTouch): boolean;
  /** Whether a touch can lower it. */
  readonly mayFall: boolean;
  /** Whether it depends on the roles of contacts. */
  readonly hasRoles: boolean;
  /** First instant after `at` from which it is on the other side of the level; Infinity for none. */
  turnsAt(ledgers: PartitionLedgers, account: number, at: number, level: number, isAbove: boolean): number;
}

/** A millisecond of decay changes points by more than this share of them, for half-lives up to two years. */
const ROUNDING = 1e-14;

/**
 * Whether a value has reached a level. One that is equal but for rounding has: else a touch that gives just the points asked for might not be enough,
 * and while touches are dated ahead, whose points are kept level by subtracting, the answer could change from one millisecond to the next and back.
 */
export function reaches(value: number, level: number): boolean {
  return value >= level - Math.abs(level) * ROUNDING;
}

/** @param name as `metricSchema` takes it */
export function compileMetric(name: string, terms: RuleTerms): Metric {
  const [figure, ...rest] = name.split('.') as [string, ...string[]];
  switch (figure) {
    case 'score':
    case 'points':
      return decaying(figure, terms);
    case 'reach':
      return inReach(name, terms, { hasRoles: false, value: engagedContacts });
    case 'coverage':
      return inReach(name, terms, { hasRoles: true, value: coverageOf });
    case 'contacts':
      return contactsIn(name, windowOf(rest[0]!));
    case 'newContacts':
      return newContactsIn(name, windowOf(rest[0]!));
    case 'kind':
      return cellsIn(name, windowOf(rest[1]!), { kind: terms.kinds.number(rest[0]!), isMinutes: false });
    default:
      return cellsIn(name, windowOf(rest[0]!), { kind: null, isMinutes: figure === 'minutes' });
  }
}

function decaying(name: 'score' | 'points', { model }: Pick<RuleTerms, 'model'>): Metric {
  const half = model.halfScorePoints;
  const isScore = name === 'score';
  const value: Metric['value'] = (ledgers, account, at) => {
    const points = pointsOf(ledgers, account, at);
    return isScore ? scoreOf(points, half) : points;
  };
  const mayFall = model.rules.some(({ points, pointsPerMinute }) => points < 0 || pointsPerMinute < 0);
  return {
    name,
    value,
    mayFall,
    hasRoles: true,
    mayChange: (_ledgers, { hasWorth }) => hasWorth,
    turnsAt(ledgers, account, at, level, isAbove) {
      // What is worth something only fades.
      if (!isAbove && !mayFall) return Infinity;
      const points = isScore ? pointsForScore(level, half) : level;
      return decayTurnsAt(ledgers, account, at, points, (then) => reaches(value(ledgers, account, then), level) !== isAbove);
    },
  };
}

interface Window extends Slots {
  slotOf(time: number): number;
  /** One band of all ages that the window has. */
  readonly bands: { readonly agesEnd: number; readonly ends: readonly number[]; readonly ofAge: Uint8Array };
  readonly unit: 'hour' | 'day';
}

function windowOf(name: string): Window {
  const { length, unit } = WINDOWS.find((window) => window.name === name)!;
  const bands = { agesEnd: length, ends: [length], ofAge: new Uint8Array(length) };
  return unit === 'hour'
    ? { unit, unitMs: HOUR_MS, length, slotOf: hourOf, bands }
    : { unit, unitMs: DAY_MS, length, slotOf: dayOf, bands };
}

function isIn({ length, slotOf }: Window, time: number, now: number): boolean {
  const age = slotOf(now) - slotOf(time);
  return age >= 0 && age < length;
}

/** A figure that falls as time passes, but for touches that are dated ahead. */
function falling(slots: Slots, value: Metric['value']): Pick<Metric, 'value' | 'turnsAt'> {
  return {
    value,
    turnsAt(ledgers, account, at, level, isAbove) {
      if (!isAbove && !hasAhead(ledgers, account, at, slots.unitMs)) return Infinity;
      return boundaryTurnsAt(ledgers, account, at, slots, (then) => reaches(value(ledgers, account, then), level) !== isAbove);
    },
  };
}

/** @param kind null for all kinds */
function cellsIn(name: string, window: Window, { isMinutes, kind }: { readonly kind: number | null; readonly isMinutes: boolean }): Metric {
  const isOfHours = window.unit === 'hour';
  const value: Metric['value'] = ({ accounts, dayCells, hourCells }, account, at) =>
    isOfHours
      ? sumOfCells(hourCells, accounts.hourCell[account]!, hourOf(at), window.length, kind, isMinutes)
      : sumOfCells(dayCells, accounts.dayCell[account]!, dayOf(at), window.length, kind, isMinutes);
  return {
    name,
    mayFall: false,
    hasRoles: false,
    mayChange: (_ledgers, touch) =>
      (kind === null || touch.kind === kind) && (!isMinutes || touch.minutes > 0) && isIn(window, touch.occurredAt, touch.now),
    ...falling(window, value),
  };
}

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

function contactsIn(name: string, window: Window): Metric {
  const { bands, slotOf, unit } = window;
  return {
    name,
    mayFall: false,
    hasRoles: false,
    // A contact that had a touch in the window counts already.
    mayChange: ({ contacts }, { contact, hasContact, now, occurredAt }) =>
      hasContact &&
      isIn(window, occurredAt, now) &&
      (contact < 0 || (unit === 'hour' ? contacts.hours : contacts.days).bandsOf(contact, slotOf(now), bands) === 0),
    ...falling(window, ({ accounts, contacts }, account, at) => {
      const slots = unit === 'hour' ? contacts.hours : contacts.days;
      const current = slotOf(at);
      let count = 0;
      for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
        if (slots.bandsOf(row - 1, current, bands) !== 0) count++;
      }
      return count;
    }),
  };
}

function newContactsIn(name: string, window: Window): Metric {
  const { length, slotOf, unitMs } = window;
  return {
    name,
    // A late touch may move a contact's first one out of the window.
    mayFall: true,
    hasRoles: false,
    mayChange: ({ contacts }, { contact, hasContact, occurredAt }) =>
      hasContact && (contact < 0 || occurredAt < contacts.firstTouchAt[contact]!),
    ...falling(window, ({ accounts, contacts }, account, at) => {
      const end = (slotOf(at) + 1) * unitMs;
      const start = end - length * unitMs;
      let count = 0;
      for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
        const firstTouchAt = contacts.firstTouchAt[row - 1]!;
        if (firstTouchAt >= start && firstTouchAt < end) count++;
      }
      return count;
    }),
  };
}

function inReach(
  name: string,
  { model }: Pick<RuleTerms, 'model'>,
  { hasRoles, value }: { readonly hasRoles: boolean; readonly value: Metric['value'] },
): Metric {
  return {
    name,
    mayFall: false,
    hasRoles,
    mayChange: (ledgers, touch) => touch.hasContact && mayEngage(ledgers, touch) && !isContactEngaged(ledgers, touch.contact, touch.now),
    ...falling({ unitMs: DAY_MS, length: model.reachWindowDays }, value),
  };
}

/** Whether somebody, known or not, may be engaged by the touch who was not. */
export function mayEngage({ kinds, model }: PartitionLedgers, { kind, now, occurredAt }: ComingTouch): boolean {
  const age = dayOf(now) - dayOf(occurredAt);
  return kinds.engages(kind) && age >= 0 && age < model.reachWindowDays;
}

/** Within the model's reach window; a contact nobody knows, -1, is not. */
export function isContactEngaged({ contacts, model }: PartitionLedgers, contact: number, at: number): boolean {
  const today = dayOf(at);
  const { engagedDay, formerEngagedDay } = contacts;
  return contact >= 0 && engagedWithin(engagedDay, formerEngagedDay, contact, today - model.reachWindowDays + 1, today);
}

export function engagedContacts(ledgers: PartitionLedgers, account: number, at: number): number {
  const { accounts, contacts } = ledgers;
  let count = 0;
  for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) if (isContactEngaged(ledgers, row - 1, at)) count++;
  return count;
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
function coverageOf(ledgers: PartitionLedgers, account: number, at: number): number {
  const { roles } = ledgers;
  if (roles.wanted.length === 0) return 0;
  const engaged = engagedRoles(ledgers, account, at);
  let covered = 0;
  for (const role of roles.wanted) if (engaged.has(roles.number(role))) covered++;
  return covered / roles.wanted.length;
}
