import { DueHeap } from '../columns/due-heap.ts';
import { FIRST_ROWS, grown, moreRows } from '../columns/growth.ts';
import type { FactType } from '../fact.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { HOUR_MS, hourOf } from '../time-slots.ts';
import type { TouchBatch } from '../touch-batch.ts';
import type { AccountStates } from './account-states.ts';
import type { AlertCause, AlertTouch, Transition } from './alert.ts';
import { alertTouchOf } from './build-alert.ts';
import type { CompiledAlertRules } from './compile-alert-rules.ts';
import type { ComingTouch } from './gauges.ts';
import type { Holds } from './qualification.ts';
import { Reading } from './reading.ts';
import { RuleSteps, type Occasion } from './rule-steps.ts';
import { TouchRooms } from './touch-rooms.ts';
import { hasAhead } from './turning-time.ts';

/** A touch dated this much before its append is late. */
const LATE_MS = HOUR_MS;

/**
 * Looks at accounts under the rules of a model, when something of them may have turned:
 *
 *     a bit a condition             whether it holds
 *     a room a gauge                how much may come by touches before a condition has to be asked (touch-rooms.ts)
 *     a heap over all accounts      when time alone may turn one
 *
 * All of it is a function of the columns and the rules, but for thresholds: where one ends depends on whether the account is in.
 */
export class AccountLooks {
  readonly #ledgers: PartitionLedgers;
  readonly #states: AccountStates;
  readonly #rules: CompiledAlertRules;
  readonly #steps: RuleSteps;
  readonly #reading: Reading;
  readonly #due: DueHeap;
  readonly #rooms: TouchRooms;
  /** Words of bits an account has. */
  readonly #words: number;
  #bits = new Uint32Array(0);
  /** Accounts below this row were looked at; the others have no touch and no fact. */
  #seen = 0;
  /** Before all were: those that were so far. */
  #begun = 0;
  #dueAt = Infinity;
  readonly #coming: ComingTouch = { account: 0, contact: -1, kind: 0, occurredAt: 0, minutes: 0, now: 0, worth: 0, isActNow: false };
  /** What the metrics of thresholds were before the touch or fact, where it may turn them. */
  readonly #before: Float64Array;
  /** The place of the threshold that a condition belongs to; -1 for none. */
  readonly #thresholdOf: Int32Array;
  /** Gauges of conditions that depend on roles. */
  readonly #gaugesOfRoles: Int32Array;

  constructor(ledgers: PartitionLedgers, states: AccountStates, rules: CompiledAlertRules, take: (transition: Transition) => void) {
    const { conditions, thresholds } = rules;
    this.#ledgers = ledgers;
    this.#states = states;
    this.#rules = rules;
    this.#steps = new RuleSteps(ledgers, states, rules, take);
    this.#reading = new Reading(ledgers);
    this.#due = new DueHeap((row, other) => ledgers.accounts.names.isBefore(row, other));
    this.#rooms = new TouchRooms(ledgers, conditions);
    this.#words = Math.max(1, Math.ceil(conditions.length / 32));
    this.#before = new Float64Array(thresholds.length);
    this.#thresholdOf = new Int32Array(conditions.length).fill(-1);
    for (const [place, { condition }] of thresholds.entries()) this.#thresholdOf[condition] = place;
    const ofRoles = [...conditions.keys()].filter((place) => conditions[place]!.hasRoles);
    this.#gaugesOfRoles = Int32Array.from(new Set(ofRoles.map((place) => this.#rooms.gaugeOf[place]!)));
  }

  /** When time alone makes an account worth a look: the earliest instant, infinite for none. */
  get firstDueAt(): number {
    return this.#due.firstDueAt;
  }

  /**
   * Looks at the next so many accounts as of the engine's clock. Whatever differs from where accounts stand is the doing of the model.
   * @returns whether all were looked at: before that no record may be applied
   */
  begin(most: number): boolean {
    const { accounts, now, position } = this.#ledgers;
    const occasion = occasionOf('model', Math.max(0, position - 1), () => null);
    this.#makeRoom(Math.max(FIRST_ROWS, accounts.version.length) - 1);
    const thresholds = this.#rules.thresholds.map(({ condition, id }) => ({ condition, rule: this.#states.numberOf('threshold', id) }));
    const end = Math.min(accounts.size, this.#begun + most);
    for (let account = this.#begun; account < end; account++) {
      for (const { condition, rule } of thresholds) if (this.#states.isIn(account, rule)) this.#turn(account, condition);
      this.#look(account, now, occasion, true);
    }
    this.#begun = end;
    if (end < accounts.size) return false;
    this.#seen = end;
    return true;
  }

  /** Whether an account was looked at by `begin`, or all were. */
  hasBegun(account: number): boolean {
    return account < this.#begun;
  }

  /** Lets happen what time alone brings about until the record at `offset`, which is about to be applied. */
  advance(now: number, offset: number): void {
    const due = this.#due;
    while (due.firstDueAt <= now) {
      const account = due.first;
      const at = due.firstDueAt;
      const before = (threshold: number): number => {
        const { metric } = this.#rules.thresholds[threshold]!;
        return metric.value(this.#ledgers, account, at - 1);
      };
      this.#lookAtDue(account, at, occasionOf('decay', offset, before));
    }
  }

  /** Whether the touch at a place of the batch, which is about to count, turns nothing for sure. Allocates nothing. */
  letsPass(batch: TouchBatch, place: number): boolean {
    const account = batch.account[place]!;
    if (account >= this.#seen) return false;
    const coming = this.#coming;
    coming.account = account;
    coming.contact = batch.contact[place]!;
    coming.kind = batch.kind[place]!;
    coming.occurredAt = batch.occurredAt[place]!;
    coming.minutes = batch.minutes[place]!;
    coming.now = batch.now[place]!;
    coming.worth = batch.added[place]!;
    coming.isActNow = batch.hasActNow && batch.actNow[place] === 1;
    return this.#rooms.take(coming) && !this.#isAhead(coming);
  }

  /** The touch that was not let pass is about to count: all before it does. */
  expectTouch(batch: TouchBatch, place: number): void {
    const account = batch.account[place]!;
    if (account >= this.#seen) {
      this.#before.fill(0);
      return;
    }
    const { conditions, thresholds } = this.#rules;
    const { conditionsOn, exceeded, exceededCount } = this.#rooms;
    this.#reading.begin(account, batch.now[place]!);
    for (let i = 0; i < exceededCount; i++) {
      for (const condition of conditionsOn[exceeded[i]!]!) {
        const threshold = this.#thresholdOf[condition]!;
        if (threshold < 0 || (this.#isHeld(account, condition) && !conditions[condition]!.mayFall)) continue;
        this.#before[threshold] = this.#reading.value(thresholds[threshold]!.metric);
      }
    }
  }

  /** The touch that was expected counts now. */
  touched(batch: TouchBatch, place: number): void {
    const account = batch.account[place]!;
    const now = batch.now[place]!;
    if (account >= this.#seen) {
      this.#seen = account + 1;
      this.#look(account, now, this.#occasionOf(batch, place), true);
      return;
    }
    const { exceeded, exceededCount } = this.#rooms;
    this.#reading.begin(account, now);
    let hasTurned = false;
    for (let i = 0; i < exceededCount; i++) if (this.#askTouched(exceeded[i]!)) hasTurned = true;
    // What the touch does not change is due when it was. Where it is dated ahead, windows get it when its hour begins.
    if (this.#isAhead(this.#coming)) this.#hasten(account, hourOf(this.#coming.occurredAt) * HOUR_MS);
    if (hasTurned) this.#steps.make(this.#reading, this.#holdsOf(account), this.#occasionOf(batch, place));
  }

  /** A fact of an account is about to be applied; -1 for one that it makes known. */
  expectFact(type: FactType, account: number, now: number): void {
    this.#before.fill(0);
    if (account < 0) return;
    this.#reading.begin(account, now);
    for (const [place, { metric }] of this.#rules.thresholds.entries()) {
      // A role changes what some metrics are; any other fact changes none.
      if (type === 'account' || (type === 'contact' && metric.hasRoles)) this.#before[place] = this.#reading.value(metric);
    }
  }

  /** The fact that was expected is applied. */
  factTaken(type: FactType, account: number, offset: number): void {
    const { now } = this.#ledgers;
    const before = this.#before;
    const occasion = occasionOf(type === 'contact' ? 'identity' : 'correction', offset, (threshold) => before[threshold]!);
    if (type === 'account' || account >= this.#seen) {
      this.#seen = Math.max(this.#seen, account + 1);
      this.#look(account, now, occasion, true);
      return;
    }
    if (type !== 'contact' && type !== 'opportunity') return;
    this.#reading.begin(account, now);
    if (type === 'contact') {
      for (const gauge of this.#gaugesOfRoles) {
        this.#ask(gauge);
        this.#hasten(account, this.#dueAt);
      }
    }
    this.#steps.make(this.#reading, this.#holdsOf(account), occasion);
  }

  /** All accounts together grow by another measure now: what is a surge is another question. */
  fleetHasGrown(offset: number): void {
    const { surge } = this.#rules;
    if (surge === null) return;
    const { now } = this.#ledgers;
    const gauge = this.#rooms.gaugeOf[surge.condition]!;
    const occasion = occasionOf('decay', offset, () => null);
    for (let account = 0; account < this.#seen; account++) {
      if (!this.#isHeld(account, surge.condition) && surge.surge.isFarFrom(this.#ledgers, account, now)) continue;
      this.#reading.begin(account, now);
      const hasTurned = this.#ask(gauge);
      this.#hasten(account, this.#dueAt);
      if (hasTurned) this.#steps.make(this.#reading, this.#holdsOf(account), occasion);
    }
  }

  /**
   * Asks the conditions on a gauge of the account that is being read after a touch, which ends only conditions that may fall.
   * @returns whether one has turned
   */
  #askTouched(gauge: number): boolean {
    const reading = this.#reading;
    const { account } = reading;
    let hasTurned = false;
    let dueAt = Infinity;
    let room = Infinity;
    for (const place of this.#rooms.conditionsOn[gauge]!) {
      const condition = this.#rules.conditions[place]!;
      const held = this.#isHeld(account, place);
      if (held && !condition.mayFall) continue;
      const holds = condition.holds(reading, held);
      if (holds !== held) {
        this.#turn(account, place);
        hasTurned = true;
      }
      if (holds !== held || condition.mayFall) dueAt = Math.min(dueAt, condition.turnsAt(reading, holds));
      room = Math.min(room, condition.room(reading, holds));
    }
    this.#rooms.setSooner(account, gauge, room, dueAt);
    this.#hasten(account, dueAt);
    return hasTurned;
  }

  /** Asks all conditions on a gauge of the account that is being read, and when time will turn the next: leaves that in `#dueAt`. */
  #ask(gauge: number): boolean {
    const reading = this.#reading;
    const { account } = reading;
    const places = this.#rooms.conditionsOn[gauge]!;
    let hasTurned = false;
    let dueAt = Infinity;
    let room = Infinity;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const condition = this.#rules.conditions[place]!;
      const held = this.#isHeld(account, place);
      const holds = condition.holds(reading, held);
      if (holds !== held) {
        this.#turn(account, place);
        hasTurned = true;
      }
      dueAt = Math.min(dueAt, condition.turnsAt(reading, holds));
      room = Math.min(room, condition.room(reading, holds));
    }
    this.#rooms.set(account, gauge, room, dueAt);
    this.#dueAt = dueAt;
    return hasTurned;
  }

  /** Asks what is due at an instant. */
  #lookAtDue(account: number, at: number, occasion: Occasion): void {
    const { lastTouchAt } = this.#ledgers.accounts;
    // Touches that were dated ahead come into windows now.
    if (at % HOUR_MS === 0 && lastTouchAt[account]! >= at) {
      this.#look(account, at, occasion, false);
      return;
    }
    const rooms = this.#rooms;
    this.#reading.begin(account, at);
    let hasTurned = false;
    let dueAt = this.#aheadAt(account, at);
    for (let gauge = 0; gauge < rooms.gaugeCount; gauge++) {
      let gaugeDueAt = rooms.dueAt(account, gauge);
      if (gaugeDueAt <= at) {
        if (this.#ask(gauge)) hasTurned = true;
        gaugeDueAt = this.#dueAt;
      }
      dueAt = Math.min(dueAt, gaugeDueAt);
    }
    this.#due.set(account, dueAt);
    if (hasTurned) this.#steps.make(this.#reading, this.#holdsOf(account), occasion);
  }

  /** Asks all conditions anew, as of an instant. */
  #look(account: number, at: number, occasion: Occasion, isNews: boolean): void {
    const rooms = this.#rooms;
    this.#reading.begin(account, at);
    this.#makeRoom(account);
    let hasTurned = isNews;
    let dueAt = this.#aheadAt(account, at);
    for (let gauge = 0; gauge < rooms.gaugeCount; gauge++) {
      if (this.#ask(gauge)) hasTurned = true;
      dueAt = Math.min(dueAt, this.#dueAt);
    }
    this.#due.set(account, dueAt);
    if (hasTurned) this.#steps.make(this.#reading, this.#holdsOf(account), occasion);
  }

  /** A touch dated ahead comes into windows when its hour begins; what comes before then may make it turn something. */
  #aheadAt(account: number, at: number): number {
    return hasAhead(this.#ledgers, account, at, HOUR_MS) ? (hourOf(at) + 1) * HOUR_MS : Infinity;
  }

  #hasten(account: number, dueAt: number): void {
    if (dueAt < this.#due.dueAt(account)) this.#due.set(account, dueAt);
  }

  #isAhead({ now, occurredAt }: ComingTouch): boolean {
    return occurredAt > now && hourOf(occurredAt) > hourOf(now);
  }

  #occasionOf(batch: TouchBatch, place: number): Occasion {
    const before = this.#before;
    let told: AlertTouch | null = null;
    return {
      cause: 'touch',
      offset: batch.offset[place]!,
      late: batch.now[place]! - batch.occurredAt[place]! > LATE_MS,
      touch: () => (told ??= alertTouchOf(this.#ledgers, batch, place)),
      before: (threshold) => before[threshold]!,
    };
  }

  #holdsOf(account: number): Holds {
    return (place) => this.#isHeld(account, place);
  }

  #isHeld(account: number, place: number): boolean {
    return ((this.#bits[account * this.#words + (place >>> 5)]! >>> (place & 31)) & 1) === 1;
  }

  #turn(account: number, place: number): void {
    this.#bits[account * this.#words + (place >>> 5)]! ^= 1 << (place & 31);
  }

  #makeRoom(account: number): void {
    const rows = this.#bits.length / this.#words;
    if (account >= rows) this.#bits = grown(this.#bits, Math.max(account + 1, moreRows(rows)) * this.#words);
    this.#rooms.makeRoom(account);
  }
}

function occasionOf(cause: AlertCause, offset: number, before: Occasion['before']): Occasion {
  return { cause, offset, late: false, touch: () => null, before };
}
