import type { FactType } from '../fact.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { addTouches, weighTouches } from '../count-touches.ts';
import type { StateWalk } from '../state-walk.ts';
import type { TouchBatch } from '../touch-batch.ts';
import { AccountLooks } from './account-looks.ts';
import { AccountStates } from './account-states.ts';
import type { RuleFamily, RuleState, Transition } from './alert.ts';
import { compileAlertRules, type CompiledAlertRules } from './compile-alert-rules.ts';
import type { QualificationView } from './qualification.ts';
import { Reading } from './reading.ts';
import { standingOf, type Standing } from './standing.ts';

/** Where an account stands, as lists have it. */
export interface Membership {
  /** Null for none, too. */
  readonly stage: string | null;
  /** Null where the model has no qualification, too. */
  readonly qualified: boolean | null;
}

/**
 * Evaluates the alert rules of a model as records of the live log are applied:
 *
 *     a record appended at T:  what is due by T happens, account by account, in order of instant
 *                              the record is applied
 *                              its account is looked at, as of T
 *
 * So what holds of an account at an instant is a function of what was applied before, and a step belongs to one place on the log. Stored records
 * are not evaluated: where accounts stand comes back with their stored steps, and all that has to be known besides follows from the columns.
 */
export class AccountAlerts {
  /** Growth of all accounts, as the last tick that brought one has it; 1 before. */
  fleetGrowth = 1;
  readonly #ledgers: PartitionLedgers;
  readonly #states: AccountStates;
  readonly #asked: Reading;
  #rules: CompiledAlertRules;
  #looks: AccountLooks;
  #stageIds: ReadonlySet<string> = new Set();
  #hasRules = false;
  #isFollowing = false;
  /** Whether all accounts were looked at under the model. */
  #areAllLooked = false;
  #transitions: Transition[] = [];

  constructor(ledgers: PartitionLedgers) {
    this.#ledgers = ledgers;
    this.#states = new AccountStates(ledgers);
    this.#asked = new Reading(ledgers);
    [this.#rules, this.#looks] = this.#compile();
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
    this.changeRules();
    this.#transitions = [];
  }

  /**
   * Where accounts stand after a replay: what their stored steps come to, before the first live record. May be called several times, with a part
   * each. The engine's clock comes to stand where the last step has it, since records that are not stored may have moved it so far.
   */
  restore(states: Iterable<RuleState>): void {
    this.changeRules();
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

  stateOf(account: number, family: RuleFamily, ruleId: string): RuleState | null {
    return this.#states.stateOf(account, family, ruleId);
  }

  /**
   * The stage that the account is in, by the last look at it; null for none. As long as one is owed, it may be a stage of a former model, as the
   * qualification may be that of one: see `owesLook`.
   */
  stageOf(account: number): string | null {
    return this.#rules.stages.length === 0 ? null : this.#states.stageOf(account, this.#states.numberOf('stage', 'stages'));
  }

  /** By the last look at the account; null when the model has no qualification. */
  isQualified(account: number): boolean | null {
    return this.#rules.qualification === null ? null : this.#states.isIn(account, this.#states.numberOf('mqa', 'qualification'));
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

  /**
   * How the account stands to all rules about its figures at an instant, epoch ms, which must not lie before its last change: by what holds then, whatever
   * steps were made of it.
   */
  standing(account: number, at: number): Standing {
    return standingOf(this.#asked.begin(account, at), this.#rules);
  }

  /** Earliest instant, epoch ms, at which time alone makes an account worth a look; infinite for none, and while looks are owed. */
  nextDueAt(): number {
    return this.isEvaluating && this.#areAllLooked ? this.#looks.firstDueAt : Infinity;
  }

  /** Whether accounts are still to be looked at, since a replay or since another model took over. */
  get owesLooks(): boolean {
    return this.isEvaluating && !this.#areAllLooked;
  }

  /** Whether the account is among those that are still to be looked at: where it stands under the model is not known. */
  owesLook(account: number): boolean {
    return this.owesLooks && !this.#looks.hasBegun(account);
  }

  /** Stage and qualification under the model in force, as they are told; both null where that is not known yet. */
  membershipOf(account: number): Membership {
    if (this.owesLook(account)) return { stage: null, qualified: null };
    return { stage: this.stageInModelOf(account), qualified: this.isQualified(account) };
  }

  /** As `stageOf`, but for stages of former models, which stay until whoever only reads hears of the new one. */
  stageInModelOf(account: number): string | null {
    const stage = this.stageOf(account);
    return stage === null || this.#stageIds.has(stage) ? stage : null;
  }

  /**
   * Pays looks that are owed, of so many accounts: all of them as of the engine's clock, in the order they became known. So it is no matter in how
   * many parts that is done. What is not done when the next record is applied is done right before it, in one go. Whatever differs from where accounts
   * stand is the doing of the model: without another one nothing does.
   */
  payLooks(accounts: number = Infinity): void {
    if (this.owesLooks) this.#areAllLooked = this.#looks.begin(accounts);
  }

  /** The model is another one, or kinds and roles have other numbers. */
  changeRules(): void {
    [this.#rules, this.#looks] = this.#compile();
    this.#areAllLooked = false;
  }

  /** Lets happen what time alone brings about until the record at `offset`, which is about to be applied. */
  advance(now: number, offset: number): void {
    this.#looks.advance(now, offset);
  }

  /**
   * Counts a batch of live touches as if each were looked at after it counts. Those that can turn nothing wait for one that may, and are brought into
   * the columns together before it.
   */
  countTouches(batch: TouchBatch): void {
    const ledgers = this.#ledgers;
    const looks = this.#looks;
    const { count, now, offset } = batch;
    weighTouches(ledgers, batch);
    let from = 0;
    const addUntil = (place: number): void => {
      if (from < place) addTouches(ledgers, batch, from, place);
      from = place;
    };
    for (let place = 0; place < count; place++) {
      if (looks.firstDueAt <= now[place]!) {
        addUntil(place);
        looks.advance(now[place]!, offset[place]!);
      }
      if (looks.letsPass(batch, place)) continue;
      addUntil(place);
      looks.expectTouch(batch, place);
      addUntil(place + 1);
      looks.touched(batch, place);
    }
    addUntil(count);
  }

  /** A fact of an account is about to be applied; -1 for one that it makes known. */
  expectFact(type: FactType, account: number, now: number): void {
    this.#looks.expectFact(type, account, now);
  }

  /** The fact that was expected is applied. */
  factTaken(type: FactType, account: number, offset: number): void {
    this.#looks.factTaken(type, account, offset);
  }

  setFleetGrowth(growth: number, offset: number): void {
    this.fleetGrowth = growth;
    if (this.#areAllLooked) this.#looks.fleetHasGrown(offset);
  }

  /** Where accounts stand is no part of it: that comes back with their stored steps. */
  walk(state: StateWalk): void {
    this.fleetGrowth = state.number(this.fleetGrowth);
    if (state.isBringing) this.changeRules();
  }

  #compile(): [CompiledAlertRules, AccountLooks] {
    const { qualification, stages, surge, thresholds, watches } = this.#ledgers.model;
    this.#hasRules = thresholds.length + stages.length + watches.length > 0 || qualification !== undefined || surge !== undefined;
    this.#stageIds = new Set(stages.map(({ id }) => id));
    const rules = compileAlertRules(this.#ledgers, this);
    return [rules, new AccountLooks(this.#ledgers, this.#states, rules, (transition) => void this.#transitions.push(transition))];
  }
}
