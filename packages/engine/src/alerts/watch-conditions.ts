import type { PartitionLedgers } from '../ledgers.ts';
import { DAY_MS, dayOf } from '../time-slots.ts';
import type { FilterTest } from './account-filter.ts';
import type { Surge } from './alert-rules.ts';
import { factOf, type Condition } from './conditions.ts';
import { engagedContacts, isContactEngaged, mayEngage, sumOfCells, type ComingTouch } from './metrics.ts';
import type { Reading } from './reading.ts';
import { boundaryTurnsAt, hasAhead } from './turning-time.ts';

/** What is watched of the buying committee, and surges. */

abstract class Filtered {
  readonly #filter: FilterTest | null;

  constructor(filter: FilterTest | null) {
    this.#filter = filter;
  }

  protected isFor(reading: Reading): boolean {
    return this.#filter === null || this.#filter(factOf(reading));
  }
}

/** A contact in the role is engaged. */
export class RoleEngagedCondition extends Filtered implements Condition {
  readonly isHastened = false;
  readonly hasRoles = true;
  readonly #role: number;

  constructor(role: number, filter: FilterTest | null) {
    super(filter);
    this.#role = role;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isEngaged(reading.ledgers, reading.account, reading.at);
  }

  mayTurn(ledgers: PartitionLedgers, touch: ComingTouch, held: boolean): boolean {
    return !held && touch.contact >= 0 && ledgers.contacts.role[touch.contact] === this.#role && mayEngage(ledgers, touch);
  }

  turnsAt(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading) || (!held && !hasAhead(ledgers, account, at, DAY_MS))) return Infinity;
    const slots = { unitMs: DAY_MS, length: ledgers.model.reachWindowDays };
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => this.#isEngaged(ledgers, account, then) !== held);
  }

  #isEngaged(ledgers: PartitionLedgers, account: number, at: number): boolean {
    const { accounts, contacts } = ledgers;
    for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
      if (contacts.role[row - 1] === this.#role && isContactEngaged(ledgers, row - 1, at)) return true;
    }
    return false;
  }
}

/** Contacts in the role were engaged once, and none has been for so many days, today included. */
export class RoleSilentCondition extends Filtered implements Condition {
  readonly isHastened = true;
  readonly hasRoles = true;
  readonly #role: number;
  readonly #days: number;

  constructor(role: number, days: number, filter: FilterTest | null) {
    super(filter);
    this.#role = role;
    this.#days = days;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isSilent(reading.ledgers, reading.account, reading.at);
  }

  mayTurn({ contacts, kinds }: PartitionLedgers, { contact, kind }: ComingTouch): boolean {
    return contact >= 0 && contacts.role[contact] === this.#role && kinds.engages(kind);
  }

  turnsAt(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading)) return Infinity;
    const slots = { unitMs: DAY_MS, length: this.#days };
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => this.#isSilent(ledgers, account, then) !== held);
  }

  #isSilent({ accounts, contacts }: PartitionLedgers, account: number, at: number): boolean {
    const today = dayOf(at);
    let last = 0;
    for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
      if (contacts.role[row - 1] !== this.#role) continue;
      const newest = contacts.engagedDay[row - 1]!;
      last = Math.max(last, newest <= today ? newest : contacts.formerEngagedDay[row - 1]!);
    }
    return last > 0 && today - last >= this.#days;
  }
}

/** One engaged contact alone, and so many touches in the reach window that it should be more. */
export class SingleThreadedCondition extends Filtered implements Condition {
  readonly isHastened = true;
  readonly hasRoles = false;
  readonly #minTouches: number;

  constructor(minTouches: number, filter: FilterTest | null) {
    super(filter);
    this.#minTouches = minTouches;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isSingle(reading.ledgers, reading.account, reading.at);
  }

  mayTurn(ledgers: PartitionLedgers, touch: ComingTouch, held: boolean): boolean {
    const age = dayOf(touch.now) - dayOf(touch.occurredAt);
    if (age < 0 || age >= ledgers.model.reachWindowDays) return false;
    // One touch more is no matter once there are enough; one contact more always is.
    return !held || (touch.hasContact && mayEngage(ledgers, touch) && !isContactEngaged(ledgers, touch.contact, touch.now));
  }

  turnsAt(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading)) return Infinity;
    const slots = { unitMs: DAY_MS, length: ledgers.model.reachWindowDays };
    // It becomes single only when several contacts become one: until then nothing happens, and then it is looked at again.
    if (!held && engagedContacts(ledgers, account, at) > 1) {
      return boundaryTurnsAt(ledgers, account, at, slots, (then) => engagedContacts(ledgers, account, then) <= 1);
    }
    if (!held && !hasAhead(ledgers, account, at, DAY_MS)) return Infinity;
    // Where touches are dated ahead, there may be several contacts tomorrow: then it is looked at again as well.
    const isSame = (then: number): boolean =>
      this.#isSingle(ledgers, account, then) === held && engagedContacts(ledgers, account, then) <= 1;
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => !isSame(then));
  }

  #isSingle(ledgers: PartitionLedgers, account: number, at: number): boolean {
    if (engagedContacts(ledgers, account, at) !== 1) return false;
    const { accounts, dayCells, model } = ledgers;
    return sumOfCells(dayCells, accounts.dayCell[account]!, dayOf(at), model.reachWindowDays, null, false) >= this.#minTouches;
  }
}

const WEEK = 7;
const WEEKS_BEFORE = 3;
const DAYS = WEEK * (1 + WEEKS_BEFORE);

export interface SurgeFigures {
  /** Of this week. */
  readonly figure: number;
  /** Weekly mean of the account's own three weeks before. */
  readonly mean: number;
  /** What this week's has to reach. */
  readonly wanted: number;
}

/** This week against the account's own weeks before, and against what all accounts do. */
export class SurgeCondition extends Filtered implements Condition {
  readonly isHastened = true;
  readonly hasRoles = false;
  readonly #surge: Surge;
  readonly #growthOfFleet: () => number;

  constructor(surge: Surge, growthOfFleet: () => number, filter: FilterTest | null) {
    super(filter);
    this.#surge = surge;
    this.#growthOfFleet = growthOfFleet;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isSurge(daysOf(reading, this.#isOfMinutes), dayOf(reading.at));
  }

  mayTurn(_ledgers: PartitionLedgers, { minutes, now, occurredAt }: ComingTouch): boolean {
    const age = dayOf(now) - dayOf(occurredAt);
    return age >= 0 && age < DAYS && (!this.#isOfMinutes || minutes > 0);
  }

  turnsAt(reading: Reading, held: boolean): number {
    if (!this.isFor(reading)) return Infinity;
    const today = dayOf(reading.at);
    // Whether it turns tomorrow is found out tomorrow, of the accounts that may: those that do little can't surge before they are touched again.
    return held || this.#mayComeTo(daysOf(reading, this.#isOfMinutes), today + 1) ? (today + 1) * DAY_MS : Infinity;
  }

  #mayComeTo(days: ReadonlyMap<number, number>, tomorrow: number): boolean {
    let figure = 0;
    for (const [day, ofDay] of days) if (day > tomorrow - WEEK) figure += ofDay;
    return figure > 0 && figure >= this.#surge.minimum;
  }

  figuresAt(reading: Reading): SurgeFigures {
    return this.#figures(daysOf(reading, this.#isOfMinutes), dayOf(reading.at));
  }

  get #isOfMinutes(): boolean {
    return this.#surge.metric === 'minutes';
  }

  #isSurge(days: ReadonlyMap<number, number>, today: number): boolean {
    const { figure, wanted } = this.#figures(days, today);
    return figure > 0 && figure >= wanted;
  }

  #figures(days: ReadonlyMap<number, number>, today: number): SurgeFigures {
    const { fleetRatio, minimum, ratio } = this.#surge;
    let figure = 0;
    let before = 0;
    for (let age = 0; age < DAYS; age++) {
      const ofDay = days.get(today - age) ?? 0;
      if (age < WEEK) figure += ofDay;
      else before += ofDay;
    }
    const mean = before / WEEKS_BEFORE;
    return { figure, mean, wanted: Math.max(minimum, ratio * mean, fleetRatio * this.#growthOfFleet() * mean) };
  }
}

/** Touches or minutes by day. */
function daysOf({ account, at, ledgers }: Reading, isOfMinutes: boolean): ReadonlyMap<number, number> {
  const { accounts, dayCells } = ledgers;
  const oldest = dayOf(at) - DAYS;
  const days = new Map<number, number>();
  for (let cell = accounts.dayCell[account]!; cell !== 0; cell = dayCells.next[cell]!) {
    const day = dayCells.slot[cell]!;
    if (day < oldest) break;
    days.set(day, (days.get(day) ?? 0) + (isOfMinutes ? dayCells.minutes[cell]! : dayCells.touches[cell]!));
  }
  return days;
}
