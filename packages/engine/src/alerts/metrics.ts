import type { ActiveSlots } from '../columns/active-slots.ts';
import { pointsForScore, scoreOf } from '../score.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf, WINDOWS } from '../time-slots.ts';
import { pointsOf } from '../view.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import type { RuleTerms } from './compile-alert-rules.ts';
import { coverageOf, engagedContacts, isContactEngaged, lastsUntilEngaged, mayEngage, slotWithSum, sumOfCells } from './figures.ts';
import { ROOM_FOR_MANY, roomForSteps, roomForSum, type ComingTouch, type Gauge } from './gauges.ts';
import { NewestSlots } from './newest-slots.ts';
import { boundaryTurnsAt, decayTurnsAt, hasAhead, type Slots } from './turning-time.ts';

/** A figure of an account that rules ask for. Rows must not be asked for an instant before the account's last change. */
export interface Metric {
  readonly name: string;
  value(ledgers: PartitionLedgers, account: number, at: number): number;
  /** What touches change it by. */
  readonly gauge: Gauge;
  /** How much of that can come before it may be on the other side of the level, or be there sooner by time alone; infinite for any. */
  room(value: number, level: number, isAbove: boolean): number;
  /** Whether a touch can lower it, or make it fall sooner. */
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
  return value >= levelReached(level);
}

function levelReached(level: number): number {
  return level - Math.abs(level) * ROUNDING;
}

/** @param name as `metricSchema` takes it */
export function compileMetric(name: string, terms: RuleTerms): Metric {
  const [figure, ...rest] = name.split('.') as [string, ...string[]];
  switch (figure) {
    case 'score':
    case 'points':
      return decaying(figure, terms);
    case 'reach':
      return reachIn(terms);
    case 'coverage':
      return coverageIn(terms);
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

const POINTS_GAUGE: Gauge = {
  key: 'points',
  isMovedBy: ({ kinds }, kind) => kinds.rules(kind).length > 0,
  moves: ({ contacts, roles }, { contact, worth }) => Math.abs(worth) * (contact < 0 ? 1 : roles.multiplier(contacts.role[contact]!)),
};

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
    gauge: POINTS_GAUGE,
    room(figure, level, isAbove) {
      if (mayFall) return 0;
      if (isAbove) return Infinity;
      if (!isScore) return roomForSum(figure, level);
      // A score near 100 has digits for few points: its level is taken a little lower, so that it is reached by points that can be told apart.
      const points = pointsForScore(level * (1 - 1e-9), half);
      return points === Infinity ? Infinity : roomForSum(pointsForScore(figure, half), points);
    },
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

/** The hour or day that has to stay in the window for a level to be kept; 0 when it is kept in any case, null when it has to be looked for. */
type SlotKeeping = (ledgers: PartitionLedgers, account: number, level: number) => number | null;

/** A figure that falls as time passes, but for touches that are dated ahead. */
function falling(slots: Slots, value: Metric['value'], keptBy: SlotKeeping | null = null): Pick<Metric, 'value' | 'turnsAt'> {
  const { length, unitMs } = slots;
  return {
    value,
    turnsAt(ledgers, account, at, level, isAbove) {
      if (!hasAhead(ledgers, account, at, unitMs)) {
        if (!isAbove) return Infinity;
        const slot = keptBy === null ? null : keptBy(ledgers, account, level);
        if (slot !== null) return slot === 0 ? Infinity : (slot + length) * unitMs;
      }
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
  const keptBy: SlotKeeping = ({ accounts, dayCells, hourCells }, account, level) =>
    isOfHours
      ? slotWithSum(hourCells, accounts.hourCell[account]!, levelReached(level), kind, isMinutes)
      : slotWithSum(dayCells, accounts.dayCell[account]!, levelReached(level), kind, isMinutes);
  return {
    name,
    mayFall: false,
    hasRoles: false,
    gauge: {
      key: name,
      isMovedBy: (_ledgers, moving) => kind === null || moving === kind,
      moves: (_ledgers, { minutes, now, occurredAt }) => (isIn(window, occurredAt, now) ? (isMinutes ? minutes : 1) : 0),
    },
    room: (figure, level, isAbove) => {
      if (isAbove) return Infinity;
      return isMinutes ? roomForSum(figure, level) : roomForSteps(figure, levelReached(level));
    },
    ...falling(window, value, keptBy),
  };
}

const newest = new NewestSlots();

/** So many it takes to reach a level. */
function countFor(level: number): number {
  return Math.ceil(levelReached(level));
}

function contactsIn(name: string, window: Window): Metric {
  const { bands, length, slotOf, unit } = window;
  const isActive = (slots: ActiveSlots, contact: number, current: number): boolean => {
    const last = slots.newestOf(contact);
    return last <= current ? last > current - length : slots.bandsOf(contact, current, bands) !== 0;
  };
  return {
    name,
    mayFall: false,
    hasRoles: false,
    gauge: {
      key: name,
      isMovedBy: () => true,
      // A contact that had a touch in the window counts already.
      moves: ({ contacts }, { contact, now, occurredAt }) =>
        contact >= 0 && isIn(window, occurredAt, now) && !isActive(unit === 'hour' ? contacts.hours : contacts.days, contact, slotOf(now))
          ? 1
          : 0,
    },
    room: (figure, level, isAbove) => (isAbove ? Infinity : roomForSteps(figure, levelReached(level))),
    ...falling(
      window,
      ({ accounts, contacts }, account, at) => {
        const slots = unit === 'hour' ? contacts.hours : contacts.days;
        const current = slotOf(at);
        let count = 0;
        for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
          if (isActive(slots, row - 1, current)) count++;
        }
        return count;
      },
      ({ accounts, contacts }, account, level) => {
        const wanted = countFor(level);
        if (wanted <= 0) return 0;
        if (!newest.begin(wanted)) return null;
        const slots = unit === 'hour' ? contacts.hours : contacts.days;
        for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) newest.add(slots.newestOf(row - 1));
        return newest.oldest;
      },
    ),
  };
}

function newContactsIn(name: string, window: Window): Metric {
  const { length, slotOf, unitMs } = window;
  return {
    name,
    // A late touch may move a contact's first one out of the window.
    mayFall: true,
    hasRoles: false,
    gauge: {
      key: name,
      isMovedBy: () => true,
      moves({ contacts }, { contact, occurredAt }) {
        if (contact < 0 || occurredAt >= contacts.firstTouchAt[contact]!) return 0;
        return contacts.firstTouchAt[contact] === Infinity ? 1 : Infinity;
      },
    },
    room: (figure, level, isAbove) => (isAbove ? ROOM_FOR_MANY : roomForSteps(figure, levelReached(level))),
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

function reachIn({ model }: Pick<RuleTerms, 'model'>): Metric {
  return {
    name: 'reach',
    mayFall: false,
    hasRoles: false,
    gauge: {
      key: 'reach',
      isMovedBy: ({ kinds }, kind) => kinds.engages(kind),
      moves: (ledgers, touch) => (becomesEngaged(ledgers, touch) ? 1 : 0),
    },
    room: (figure, level, isAbove) => (isAbove ? Infinity : roomForSteps(figure, levelReached(level))),
    ...falling({ unitMs: DAY_MS, length: model.reachWindowDays }, engagedContacts, (ledgers, account, level) =>
      lastsUntilEngaged(ledgers, account, countFor(level)),
    ),
  };
}

function coverageIn({ model }: Pick<RuleTerms, 'model'>): Metric {
  return {
    name: 'coverage',
    mayFall: false,
    hasRoles: true,
    gauge: {
      key: 'coverage',
      isMovedBy: ({ kinds }, kind) => kinds.engages(kind),
      moves: (ledgers, touch) =>
        touch.contact >= 0 && ledgers.contacts.role[touch.contact] !== 0 && becomesEngaged(ledgers, touch) ? 1 : 0,
    },
    room: (_figure, _level, isAbove) => (isAbove ? Infinity : 0),
    ...falling({ unitMs: DAY_MS, length: model.reachWindowDays }, coverageOf),
  };
}

/** Whether the touch is of a contact who was not engaged and may be by it. */
export function becomesEngaged(ledgers: PartitionLedgers, touch: ComingTouch): boolean {
  return touch.contact >= 0 && mayEngage(ledgers, touch) && !isContactEngaged(ledgers, touch.contact, touch.now);
}
