import type { PartitionLedgers } from '../ledgers.ts';
import { DAY_MS, dayOf } from '../time-slots.ts';
import type { FilterTest } from './account-filter.ts';
import type { Surge } from './alert-rules.ts';
import { Filtered, type Condition } from './conditions.ts';
import { ROOM_FOR_MANY, roomForSteps, roomForSum, type Gauge } from './gauges.ts';
import { reaches } from './metrics.ts';
import type { Reading } from './reading.ts';

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
  readonly gauge: Gauge;
  readonly mayFall = true;
  readonly hasRoles = false;
  readonly #surge: Surge;
  readonly #isOfMinutes: boolean;
  readonly #growthOfFleet: () => number;
  /** Touches or minutes of the last four weeks by age in days, of the account that was read last. */
  readonly #byAge = new Float64Array(DAYS);
  /** Of the same; -1 while it was not asked for. */
  #weekRoom = -1;
  readonly #read = { reading: null as Reading | null, look: 0 };

  constructor(surge: Surge, growthOfFleet: () => number, filter: FilterTest | null) {
    super(filter);
    this.gauge = surgeGauge(surge.metric === 'minutes');
    this.#surge = surge;
    this.#isOfMinutes = surge.metric === 'minutes';
    this.#growthOfFleet = growthOfFleet;
  }

  holds(reading: Reading): boolean {
    if (!this.isFor(reading)) return false;
    this.#gather(reading);
    return this.#isSurgeIn(0);
  }

  /**
   * Days that come without a touch are known now. A touch more in this week adds to the figure of each of them by as much, and never lowers what is
   * wanted; so the day that comes nearest to a surge says how much it takes.
   */
  room(reading: Reading, held: boolean): number {
    if (!this.isFor(reading)) return Infinity;
    // It ends within a week, when it is looked at again: no touch of today or later grows old before that.
    if (held) return ROOM_FOR_MANY;
    this.#gather(reading);
    return this.#isBusy() ? this.#roomOfWeek() : Math.min(this.#roomOfWeek(), this.#roomFor(0, this.#surge.minimum));
  }

  turnsAt(reading: Reading, held: boolean): number {
    if (!this.isFor(reading)) return Infinity;
    this.#gather(reading);
    const today = dayOf(reading.at);
    for (let days = 1; days <= WEEK; days++) if (this.#isSurgeIn(days) !== held) return (today + days) * DAY_MS;
    // A week without a touch is no surge. Room was found for a week alone where that gives more.
    return !held && this.#isBusy() ? (today + WEEK) * DAY_MS : Infinity;
  }

  /** Whether nothing came for so long that what all accounts do is no matter. */
  isFarFrom({ accounts }: PartitionLedgers, account: number, at: number): boolean {
    return accounts.lastTouchAt[account]! < (dayOf(at) - DAYS + 1) * DAY_MS;
  }

  /** Whether there is more room in this week than in any: so much happened that the minimum is far below what is wanted. */
  #isBusy(): boolean {
    return this.#roomOfWeek() > this.#roomFor(0, this.#surge.minimum);
  }

  /** What it takes on the day of the coming week that comes nearest to a surge, or until there is one. */
  #roomOfWeek(): number {
    if (this.#weekRoom >= 0) return this.#weekRoom;
    let room = Infinity;
    for (let days = 0; days < WEEK; days++) {
      const { figure, wanted } = this.#figuresIn(days);
      if (figure > 0 && reaches(figure, wanted)) break;
      room = Math.min(room, this.#roomFor(figure, wanted));
    }
    return (this.#weekRoom = room);
  }

  figuresAt(reading: Reading): SurgeFigures {
    this.#gather(reading);
    return this.#figuresIn(0);
  }

  #roomFor(figure: number, wanted: number): number {
    return this.#isOfMinutes ? roomForSum(figure, wanted) : roomForSteps(figure, wanted - wanted * 1e-9);
  }

  #isSurgeIn(days: number): boolean {
    const { figure, wanted } = this.#figuresIn(days);
    return figure > 0 && reaches(figure, wanted);
  }

  /** As they are in so many days, if nothing comes. */
  #figuresIn(days: number): SurgeFigures {
    const { fleetRatio, minimum, ratio } = this.#surge;
    const byAge = this.#byAge;
    let figure = 0;
    let before = 0;
    for (let age = 0; age < DAYS - days; age++) {
      if (age + days < WEEK) figure += byAge[age]!;
      else before += byAge[age]!;
    }
    const mean = before / WEEKS_BEFORE;
    return { figure, mean, wanted: Math.max(minimum, ratio * mean, fleetRatio * this.#growthOfFleet() * mean) };
  }

  /** Once a look. */
  #gather(reading: Reading): void {
    if (this.#read.reading === reading && this.#read.look === reading.look) return;
    this.#read.reading = reading;
    this.#read.look = reading.look;
    const { account, at, ledgers } = reading;
    const { accounts, dayCells } = ledgers;
    const byAge = this.#byAge;
    const today = dayOf(at);
    this.#weekRoom = -1;
    byAge.fill(0);
    for (let cell = accounts.dayCell[account]!; cell !== 0; cell = dayCells.next[cell]!) {
      const age = today - dayCells.slot[cell]!;
      if (age < 0) continue;
      if (age >= DAYS) break;
      byAge[age]! += this.#isOfMinutes ? dayCells.minutes[cell]! : dayCells.touches[cell]!;
    }
  }
}

/** A touch of a day before adds to the weeks before sooner or later, so what it does is found out at once. */
function surgeGauge(isOfMinutes: boolean): Gauge {
  return {
    key: 'surge',
    isMovedBy: () => true,
    moves(_ledgers, { minutes, now, occurredAt }) {
      const age = dayOf(now) - dayOf(occurredAt);
      const amount = isOfMinutes ? minutes : 1;
      if (age < 0 || age >= DAYS || amount === 0) return 0;
      return age === 0 ? amount : Infinity;
    },
  };
}
