import type { PartitionLedgers } from '../ledgers.ts';
import { DAY_MS, dayOf } from '../time-slots.ts';
import type { FilterTest } from './account-filter.ts';
import { Filtered, type Condition } from './conditions.ts';
import { engagedContacts, isContactEngaged, lastEngagedInRole, lastsUntilEngaged, slotWithSum, sumOfCells } from './figures.ts';
import { ROOM_FOR_MANY, roomForSteps, type Gauge } from './gauges.ts';
import { becomesEngaged } from './metrics.ts';
import type { Reading } from './reading.ts';
import { boundaryTurnsAt, hasAhead } from './turning-time.ts';

/** What is watched of the buying committee. */

/** Touches that engage a contact in the role. */
function engagingInRole(role: number): Gauge {
  return {
    key: `role ${role}`,
    isMovedBy: ({ kinds }, kind) => kinds.engages(kind),
    moves: ({ contacts }, { contact }) => (contact >= 0 && contacts.role[contact] === role ? 1 : 0),
  };
}

/** A contact in the role is engaged. */
export class RoleEngagedCondition extends Filtered implements Condition {
  readonly gauge: Gauge;
  readonly mayFall = false;
  readonly hasRoles = true;
  readonly #role: number;

  constructor(role: number, filter: FilterTest | null) {
    super(filter);
    this.gauge = engagingInRole(role);
    this.#role = role;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isEngaged(reading.ledgers, reading.account, reading.at);
  }

  room(reading: Reading, held: boolean): number {
    return held || !this.isFor(reading) ? Infinity : 0;
  }

  turnsAt(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading)) return Infinity;
    const slots = { unitMs: DAY_MS, length: ledgers.model.reachWindowDays };
    if (!hasAhead(ledgers, account, at, DAY_MS)) {
      return held ? (lastEngagedInRole(ledgers, account, this.#role) + slots.length) * DAY_MS : Infinity;
    }
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
  readonly gauge: Gauge;
  readonly mayFall = true;
  readonly hasRoles = true;
  readonly #role: number;
  readonly #days: number;

  constructor(role: number, days: number, filter: FilterTest | null) {
    super(filter);
    this.gauge = engagingInRole(role);
    this.#role = role;
    this.#days = days;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isSilent(reading.ledgers, reading.account, reading.at);
  }

  /** Once the role has spoken, more from it only puts off when it is silent. */
  room(reading: Reading, held: boolean): number {
    if (!this.isFor(reading)) return Infinity;
    return held || this.#lastDay(reading.ledgers, reading.account, reading.at) === 0 ? 0 : Infinity;
  }

  turnsAt(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading)) return Infinity;
    const slots = { unitMs: DAY_MS, length: this.#days };
    if (!hasAhead(ledgers, account, at, DAY_MS)) {
      const day = held ? 0 : lastEngagedInRole(ledgers, account, this.#role);
      return day === 0 ? Infinity : (day + slots.length) * DAY_MS;
    }
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => this.#isSilent(ledgers, account, then) !== held);
  }

  #isSilent(ledgers: PartitionLedgers, account: number, at: number): boolean {
    const last = this.#lastDay(ledgers, account, at);
    return last > 0 && dayOf(at) - last >= this.#days;
  }

  #lastDay({ accounts, contacts }: PartitionLedgers, account: number, at: number): number {
    const today = dayOf(at);
    let last = 0;
    for (let row = accounts.contact[account]!; row !== 0; row = contacts.next[row - 1]!) {
      if (contacts.role[row - 1] !== this.#role) continue;
      const newest = contacts.engagedDay[row - 1]!;
      last = Math.max(last, newest <= today ? newest : contacts.formerEngagedDay[row - 1]!);
    }
    return last;
  }
}

const SINGLE_GAUGE: Gauge = {
  key: 'single',
  isMovedBy: () => true,
  moves(ledgers, touch) {
    const age = dayOf(touch.now) - dayOf(touch.occurredAt);
    if (age < 0 || age >= ledgers.model.reachWindowDays) return 0;
    return becomesEngaged(ledgers, touch) ? Infinity : 1;
  },
};

/** One engaged contact alone, and so many touches in the reach window that it should be more. */
export class SingleThreadedCondition extends Filtered implements Condition {
  readonly gauge = SINGLE_GAUGE;
  readonly mayFall = true;
  readonly hasRoles = false;
  readonly #minTouches: number;

  constructor(minTouches: number, filter: FilterTest | null) {
    super(filter);
    this.#minTouches = minTouches;
  }

  holds(reading: Reading): boolean {
    return this.isFor(reading) && this.#isSingle(reading.ledgers, reading.account, reading.at);
  }

  /** One touch more is no matter once there are enough, or nobody is engaged; one contact more is, unless there are several. */
  room(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading)) return Infinity;
    if (held) return ROOM_FOR_MANY;
    const engaged = engagedContacts(ledgers, account, at);
    if (engaged > 1) return Infinity;
    return engaged === 0 ? ROOM_FOR_MANY : roomForSteps(this.#touches(ledgers, account, at), this.#minTouches);
  }

  turnsAt(reading: Reading, held: boolean): number {
    const { account, at, ledgers } = reading;
    if (!this.isFor(reading)) return Infinity;
    const slots = { unitMs: DAY_MS, length: ledgers.model.reachWindowDays };
    // It becomes single only when several contacts become one: until then nothing happens, and then it is looked at again.
    if (!held && engagedContacts(ledgers, account, at) > 1) {
      if (!hasAhead(ledgers, account, at, DAY_MS)) return (lastsUntilEngaged(ledgers, account, 2)! + slots.length) * DAY_MS;
      return boundaryTurnsAt(ledgers, account, at, slots, (then) => engagedContacts(ledgers, account, then) <= 1);
    }
    if (!hasAhead(ledgers, account, at, DAY_MS)) {
      if (!held) return Infinity;
      const { accounts, dayCells } = ledgers;
      const busyUntil = slotWithSum(dayCells, accounts.dayCell[account]!, this.#minTouches, null, false);
      return (Math.min(lastsUntilEngaged(ledgers, account, 1)!, busyUntil) + slots.length) * DAY_MS;
    }
    // Where touches are dated ahead, there may be several contacts tomorrow: then it is looked at again as well.
    const isSame = (then: number): boolean =>
      this.#isSingle(ledgers, account, then) === held && engagedContacts(ledgers, account, then) <= 1;
    return boundaryTurnsAt(ledgers, account, at, slots, (then) => !isSame(then));
  }

  #isSingle(ledgers: PartitionLedgers, account: number, at: number): boolean {
    return engagedContacts(ledgers, account, at) === 1 && this.#touches(ledgers, account, at) >= this.#minTouches;
  }

  #touches({ accounts, dayCells, model }: PartitionLedgers, account: number, at: number): number {
    return sumOfCells(dayCells, accounts.dayCell[account]!, dayOf(at), model.reachWindowDays, null, false);
  }
}
