import { DueHeap } from '../columns/due-heap.ts';
import { FIRST_ROWS, grown, moreRows } from '../columns/growth.ts';
import type { FactType } from '../fact.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import type { CompiledRule } from '../match-rule.ts';
import type { StateWalk } from '../state-walk.ts';
import { HOUR_MS, hourOf } from '../time-slots.ts';
import { FIELD, type TouchCursor } from '../touch.ts';
import { AccountStates } from './account-states.ts';
import type { AlertCause, AlertTouch, RuleState, Transition } from './alert.ts';
import { alertTouchOf } from './build-alert.ts';
import { compileAlertRules, type CompiledAlertRules } from './compile-alert-rules.ts';
import type { ComingTouch } from './metrics.ts';
import { nearestOf, type NearThreshold } from './nearest.ts';
import type { Holds, QualificationView } from './qualification.ts';
import { Reading } from './reading.ts';
import { RuleSteps, type Occasion } from './rule-steps.ts';
import { hasAhead } from './turning-time.ts';

/** A touch dated this much before its append is late. */
const LATE_MS = HOUR_MS;

/**
 * Evaluates the alert rules of a model as records of the live log are applied:
 *
 *     a record appended at T:  what is due by T happens, account by account, in order of instant
 *                              the record is applied
 *                              its account is looked at, as of T
 *
 * So what holds of an account at an instant is a function of what was applied before, and a step belongs to one place on the log. Stored records
 * are not evaluated: where accounts stand comes back with their stored steps, and all that has to be known besides follows from the columns.
 *
 * Of each account a bit a condition says whether it holds, and a heap says when time alone may turn one. A touch asks only those that it can turn.
 */
export class AccountAlerts {
  /** Growth of all accounts, as the last tick that brought one has it; 1 before. */
  fleetGrowth = 1;
  readonly #ledgers: PartitionLedgers;
  readonly #states: AccountStates;
  readonly #reading: Reading;
  readonly #asked: Reading;
  readonly #due: DueHeap;
  #rules: CompiledAlertRules;
  #steps: RuleSteps;
  #hasRules = false;
  #isFollowing = false;
  /** Whether bits and heap are those of all accounts under the model. */
  #hasBegun = false;
  /** Bits of the conditions that hold, so many words an account. */
  #bits = new Uint32Array(0);
  #words = 1;
  #transitions: Transition[] = [];
  /** The touch that is about to count, the conditions that it can turn, and what the metrics of thresholds were before. */
  readonly #coming: ComingTouch = {
    account: -1,
    contact: -1,
    hasContact: false,
    kind: 0,
    occurredAt: 0,
    minutes: 0,
    now: 0,
    hasWorth: false,
    isActNow: false,
  };
  #turnable = new Int32Array(0);
  #turnableCount = 0;
  /** The conditions that depend on roles. */
  #ofRoles = new Int32Array(0);
  #before = new Float64Array(0);
  /** The place of the threshold that a condition belongs to; -1 for none. */
  #thresholdOf = new Int32Array(0);

  constructor(ledgers: PartitionLedgers) {
    this.#ledgers = ledgers;
    this.#states = new AccountStates(ledgers);
    this.#reading = new Reading(ledgers);
    this.#asked = new Reading(ledgers);
    this.#due = new DueHeap((row, other) => ledgers.accounts.names.isBefore(row, other));
    [this.#rules, this.#steps] = this.#compile();
  }

  /** Whether the model has rules that alerts come from. */
  get hasRules(): boolean {
    return this.#hasRules;
  }

  /** Whether live records are evaluated: then they are told of, one by one. */
  get isEvaluating(): boolean {
    return this.#hasRules && !this.#isFollowing;
  }

  /** The steps since the last call, in order. */
  takeTransitions(): Transition[] {
    const transitions = this.#transitions;
    this.#transitions = [];
    return transitions;
  }

  /** From now on nothing is evaluated: whoever only reads these ledgers tells them by `applyState` of the steps that others make. */
  forgetTransitions(): void {
    this.#isFollowing = true;
    this.#transitions = [];
    this.#due.clear();
    this.#hasBegun = false;
  }

  /**
   * Where accounts stand after a replay: what their stored steps come to, before the first live record. May be called several times, with a part
   * each. The engine's clock comes to stand where the last step has it, since records that are not stored may have moved it so far.
   */
  restore(states: Iterable<RuleState>): void {
    this.#hasBegun = false;
    for (const state of states) {
      this.#states.put(state);
      if (state.since > this.#ledgers.now) this.#ledgers.now = state.since;
    }
  }

  /** A step that was made elsewhere; one that is known already changes nothing. */
  applyState(state: RuleState): void {
    this.#states.put(state);
  }

  /** Where all accounts stand, under rules of former models too. */
  states(): Iterable<RuleState> {
    return this.#states.all();
  }

  stateOf(account: number, ruleId: string): RuleState | null {
    return this.#states.stateOf(account, ruleId);
  }

  /** The stage that the account is in; null for none. */
  stageOf(account: number): string | null {
    return this.#rules.stages.length === 0 ? null : this.#states.stageOf(account, this.#states.numberOf('stages'));
  }

  /** Null when the model has no qualification. */
  isQualified(account: number): boolean | null {
    return this.#rules.qualification === null ? null : this.#states.isIn(account, this.#states.numberOf('qualification'));
  }

  /**
   * How the account stands to the qualification at an instant, epoch ms, which must not lie before its last change; null when the model has none.
   */
  near(account: number, at: number = this.#ledgers.now): QualificationView | null {
    const { conditions, qualification } = this.#rules;
    if (qualification === null) return null;
    const reading = this.#asked.begin(account, at);
    return qualification.view(this.#ledgers.accounts.facts.get(account), (place) => conditions[place]!.holds(reading, false));
  }

  /** The thresholds that the account has not reached at an instant, epoch ms, which must not lie before its last change: the nearest first. */
  nearest(account: number, at: number = this.#ledgers.now): NearThreshold[] {
    const reading = this.#asked.begin(account, at);
    return nearestOf(reading, this.#rules.thresholds, ({ id }) => this.#states.isIn(account, this.#states.numberOf(id)));
  }

  /** Earliest instant, epoch ms, at which time alone makes an account worth a look; infinite for none. */
  nextDueAt(): number {
    if (!this.isEvaluating) return Infinity;
    this.evaluateAll();
    return this.#due.firstDueAt;
  }

  /**
   * Every account is looked at as of the engine's clock, where that was not done since a replay or since another model took over. Whatever differs
   * from where accounts stand is the doing of the model: without another one nothing does.
   */
  evaluateAll(): void {
    if (this.#hasBegun || !this.isEvaluating) return;
    this.#hasBegun = true;
    this.#due.clear();
    const { accounts, now, position } = this.#ledgers;
    const occasion = occasionOf('model', Math.max(0, position - 1), () => null);
    this.#bits = new Uint32Array(Math.max(FIRST_ROWS, accounts.version.length) * this.#words);
    for (let account = 0; account < accounts.size; account++) {
      for (const { condition, id } of this.#rules.thresholds) {
        if (this.#states.isIn(account, this.#states.numberOf(id))) this.#turn(account, condition);
      }
      this.#look(account, now, occasion, true);
    }
  }

  /** The model is another one, or kinds and roles have other numbers. */
  changeRules(): void {
    [this.#rules, this.#steps] = this.#compile();
    this.#hasBegun = false;
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
      this.#look(account, at, occasionOf('decay', offset, before), false);
    }
  }

  /** A touch is about to count. Allocates nothing. */
  expectTouch(touch: TouchCursor, kind: number, now: number, hasWorth: boolean, isActNow: boolean): void {
    const { accounts, contacts } = this.#ledgers;
    const { bytes, end, start } = touch;
    const coming = this.#coming;
    const contactStart = start[FIELD.contactId]!;
    coming.account = accounts.names.find(0, bytes, start[FIELD.accountId]!, end[FIELD.accountId]!);
    coming.hasContact = contactStart >= 0;
    coming.contact =
      coming.account < 0 || contactStart < 0 ? -1 : contacts.names.find(coming.account, bytes, contactStart, end[FIELD.contactId]!);
    coming.kind = kind;
    coming.occurredAt = touch.occurredAt;
    coming.minutes = touch.minutes;
    coming.now = now;
    coming.hasWorth = hasWorth;
    coming.isActNow = isActNow;
    this.#turnableCount = 0;
    if (coming.account < 0) {
      this.#before.fill(0);
      return;
    }
    this.#reading.begin(coming.account, now);
    const { conditions, thresholds } = this.#rules;
    for (let place = 0; place < conditions.length; place++) {
      if (!conditions[place]!.mayTurn(this.#ledgers, coming, this.#isHeld(coming.account, place))) continue;
      this.#turnable[this.#turnableCount++] = place;
      const threshold = this.#thresholdOf[place]!;
      if (threshold >= 0) this.#before[threshold] = this.#reading.value(thresholds[threshold]!.metric);
    }
  }

  /** The touch that was expected counts now. */
  touched(account: number, touch: TouchCursor, rules: readonly CompiledRule[], offset: number): void {
    const coming = this.#coming;
    const { now, occurredAt } = coming;
    if (coming.account < 0) {
      this.#look(account, now, this.#occasionOf(touch, rules, offset), true);
      return;
    }
    this.#reading.begin(account, now);
    // What the touch does not change is due when it was. Where it is dated ahead, windows get it when its hour begins.
    const aheadAt = hourOf(occurredAt) > hourOf(now) ? hourOf(occurredAt) * HOUR_MS : Infinity;
    if (this.#ask(this.#turnable, this.#turnableCount, aheadAt))
      this.#steps.make(this.#reading, this.#holdsOf(account), this.#occasionOf(touch, rules, offset));
  }

  /** A fact of an account is about to be applied; -1 for one that it makes known. */
  expectFact(type: FactType, account: number, now: number): void {
    this.#coming.account = account;
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
    if (type === 'account' || this.#coming.account < 0) {
      this.#look(account, now, occasion, true);
      return;
    }
    if (type !== 'contact' && type !== 'opportunity') return;
    this.#reading.begin(account, now);
    if (type === 'contact') this.#ask(this.#ofRoles, this.#ofRoles.length, Infinity);
    this.#steps.make(this.#reading, this.#holdsOf(account), occasion);
  }

  /** All accounts together grow so much: what is a surge is another question now. */
  setFleetGrowth(growth: number, offset: number): void {
    this.fleetGrowth = growth;
    const { surge } = this.#rules;
    if (surge === null || !this.#hasBegun) return;
    const { accounts, now } = this.#ledgers;
    const occasion = occasionOf('decay', offset, () => null);
    for (let account = 0; account < accounts.size; account++) {
      this.#reading.begin(account, now);
      const held = this.#isHeld(account, surge.condition);
      const holds = surge.surge.holds(this.#reading);
      const dueAt = surge.surge.turnsAt(this.#reading, holds);
      if (dueAt < this.#due.dueAt(account)) this.#due.set(account, dueAt);
      if (holds === held) continue;
      this.#turn(account, surge.condition);
      this.#steps.make(this.#reading, this.#holdsOf(account), occasion);
    }
  }

  /**
   * Asks some conditions of the account that is being read: the first so many of the places.
   * @param dueAt when it is to be looked at at the latest
   * @returns whether one has turned
   */
  #ask(places: Int32Array, count: number, dueAt: number): boolean {
    const reading = this.#reading;
    const { account } = reading;
    let next = dueAt;
    let hasTurned = false;
    for (let i = 0; i < count; i++) {
      const place = places[i]!;
      const condition = this.#rules.conditions[place]!;
      const held = this.#isHeld(account, place);
      const holds = condition.holds(reading, held);
      if (holds === held && !condition.isHastened && !condition.hasRoles) continue;
      if (holds !== held) {
        this.#turn(account, place);
        hasTurned = true;
      }
      next = Math.min(next, condition.turnsAt(reading, holds));
    }
    if (next < this.#due.dueAt(account)) this.#due.set(account, next);
    return hasTurned;
  }

  /** Asks all conditions anew, as of an instant, and when time will turn the next. */
  #look(account: number, at: number, occasion: Occasion, isNews: boolean): void {
    const { conditions } = this.#rules;
    const reading = this.#reading;
    reading.begin(account, at);
    this.#makeRoom(account);
    let hasTurned = isNews;
    let dueAt = Infinity;
    for (let place = 0; place < conditions.length; place++) {
      const condition = conditions[place]!;
      const held = this.#isHeld(account, place);
      const holds = condition.holds(reading, held);
      if (holds !== held) {
        this.#turn(account, place);
        hasTurned = true;
      }
      dueAt = Math.min(dueAt, condition.turnsAt(reading, holds));
    }
    // A touch dated ahead comes into windows when its hour begins; what comes before then may make it turn something.
    if (hasAhead(this.#ledgers, account, at, HOUR_MS)) dueAt = Math.min(dueAt, (hourOf(at) + 1) * HOUR_MS);
    this.#due.set(account, dueAt);
    if (hasTurned) this.#steps.make(reading, this.#holdsOf(account), occasion);
  }

  /** Where accounts stand is no part of it: that comes back with their stored steps. */
  walk(state: StateWalk): void {
    this.fleetGrowth = state.number(this.fleetGrowth);
    if (state.isBringing) this.changeRules();
  }

  #occasionOf(touch: TouchCursor, rules: readonly CompiledRule[], offset: number): Occasion {
    const { now, occurredAt } = this.#coming;
    const before = this.#before;
    let told: AlertTouch | null = null;
    return {
      cause: 'touch',
      offset,
      late: now - occurredAt > LATE_MS,
      touch: () => (told ??= alertTouchOf(this.#ledgers, touch, rules)),
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
  }

  #compile(): [CompiledAlertRules, RuleSteps] {
    const { qualification, stages, surge, thresholds, watches } = this.#ledgers.model;
    this.#hasRules = thresholds.length + stages.length + watches.length > 0 || qualification !== undefined || surge !== undefined;
    const rules = compileAlertRules(this.#ledgers, this);
    this.#words = Math.max(1, Math.ceil(rules.conditions.length / 32));
    this.#before = new Float64Array(rules.thresholds.length);
    this.#turnable = new Int32Array(rules.conditions.length);
    this.#ofRoles = Int32Array.from([...rules.conditions.keys()].filter((place) => rules.conditions[place]!.hasRoles));
    this.#thresholdOf = new Int32Array(rules.conditions.length).fill(-1);
    for (const [place, { condition }] of rules.thresholds.entries()) this.#thresholdOf[condition] = place;
    return [rules, new RuleSteps(this.#ledgers, this.#states, rules, (transition) => void this.#transitions.push(transition))];
  }
}

function occasionOf(cause: AlertCause, offset: number, before: Occasion['before']): Occasion {
  return { cause, offset, late: false, touch: () => null, before };
}
