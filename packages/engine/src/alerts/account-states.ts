import { RuleStates } from '../columns/rule-states.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { familyOf, type RuleFamily, type RuleState, type Transition } from './alert.ts';
import { RuleNumbers } from './rule-numbers.ts';

const encoder = new TextEncoder();

/** Names of stages as small numbers, in order of first appearance. */
class StageNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  of(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    return number;
  }

  name(number: number): string {
    return this.#names[number]!;
  }
}

/** What a step finds: where the account stood before it. */
export interface Standing {
  /** Of the last one; 0 for none. */
  readonly step: number;
  readonly episode: number;
  readonly isIn: boolean;
  readonly isHeld: boolean;
  /** Epoch ms; null for none. */
  readonly lastUpAt: number | null;
  readonly heldBack: number;
  readonly stage: string | null;
}

const BEFORE_ANY: Standing = { step: 0, episode: 0, isIn: false, isHeld: false, lastUpAt: null, heldBack: 0, stage: null };

/**
 * Where accounts stand under rules: what their steps come to. A rule that is no longer in the model keeps its states, so that one that comes back
 * goes on counting where it was: ids of alerts never repeat.
 */
export class AccountStates {
  readonly #ledgers: PartitionLedgers;
  readonly #rules = new RuleNumbers();
  readonly #stages = new StageNumbers();
  readonly #states = new RuleStates();

  constructor(ledgers: PartitionLedgers) {
    this.#ledgers = ledgers;
  }

  /** The number by which `isIn`, `stageOf` and `standing` know a rule. */
  numberOf(family: RuleFamily, ruleId: string): number {
    return this.#rules.of(family, ruleId);
  }

  isIn(account: number, rule: number): boolean {
    return this.#states.isIn[this.#states.find(account, rule)] === 1;
  }

  stageOf(account: number, rule: number): string | null {
    const stage = this.#states.stage[this.#states.find(account, rule)]!;
    return stage === 0 ? null : this.#stages.name(stage - 1);
  }

  standing(account: number, rule: number): Standing {
    const row = this.#states.find(account, rule);
    return row === 0 ? BEFORE_ANY : this.#read(row);
  }

  /** Number of the account's next step under rules of the same id, whatever their family: a step is stored by account, id and number. */
  nextStep(account: number, rule: number): number {
    let last = 0;
    for (const one of this.#rules.sharingId(rule)) last = Math.max(last, this.#states.step[this.#states.find(account, one)]!);
    return last + 1;
  }

  /** Asked of any id, also one that somebody makes up: it gets no number here. */
  stateOf(account: number, family: RuleFamily, ruleId: string): RuleState | null {
    const row = this.#states.find(account, this.#rules.find(family, ruleId));
    return row === 0 ? null : this.#state(row);
  }

  *all(): Generator<RuleState> {
    for (let row = 1; row <= this.#states.count; row++) yield this.#state(row);
  }

  /** Notes a step. */
  take(account: number, { alert, isHeld, step }: Transition): void {
    const states = this.#states;
    const row = states.of(account, this.#rules.of(familyOf(alert.type), alert.ruleId));
    const isUp = alert.direction === 'up';
    states.step[row] = step;
    states.episode[row] = alert.episode;
    states.isIn[row] = isUp ? 1 : 0;
    states.isHeld[row] = isHeld ? 1 : 0;
    states.since[row] = alert.at;
    if (isUp && !isHeld) states.lastUpAt[row] = alert.at;
    states.heldBack[row] = isHeld ? states.heldBack[row]! + (isUp ? 1 : 0) : 0;
    states.stage[row] = this.#stageNumber(alert.currentStage);
  }

  /** Puts a state in the place of an older one. The account's ledger must be there: of others nothing is kept. */
  put(state: RuleState): void {
    const bytes = encoder.encode(state.accountId);
    const account = this.#ledgers.accounts.names.find(0, bytes, 0, bytes.length);
    if (account < 0) return;
    const states = this.#states;
    const row = states.of(account, this.#rules.of(state.family, state.ruleId));
    if (states.step[row]! >= state.step) return;
    states.step[row] = state.step;
    states.episode[row] = state.episode;
    states.isIn[row] = state.isIn ? 1 : 0;
    states.isHeld[row] = state.isHeld ? 1 : 0;
    states.since[row] = state.since;
    states.lastUpAt[row] = state.lastUpAt ?? -1;
    states.heldBack[row] = state.heldBack;
    states.stage[row] = this.#stageNumber(state.stage);
  }

  #stageNumber(stage: string | null): number {
    return stage === null ? 0 : this.#stages.of(stage) + 1;
  }

  #state(row: number): RuleState {
    const { account, rule, since } = this.#states;
    return {
      accountId: this.#ledgers.accounts.names.text(account[row]!),
      ...this.#rules.key(rule[row]!),
      since: since[row]!,
      ...this.#read(row),
    };
  }

  #read(row: number): Standing {
    const { episode, heldBack, isHeld, isIn, lastUpAt, stage, step } = this.#states;
    return {
      step: step[row]!,
      episode: episode[row]!,
      isIn: isIn[row] === 1,
      isHeld: isHeld[row] === 1,
      lastUpAt: lastUpAt[row]! < 0 ? null : lastUpAt[row]!,
      heldBack: heldBack[row]!,
      stage: stage[row] === 0 ? null : this.#stages.name(stage[row]! - 1),
    };
  }
}
