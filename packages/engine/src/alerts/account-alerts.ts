import type { PartitionLedgers } from '../ledgers.ts';
import type { RuleState, Transition } from './alert.ts';

/** Stands in until rules are evaluated: keeps states that it is told, and makes no step. */
export class AccountAlerts {
  readonly #ledgers: PartitionLedgers;
  readonly #states = new Map<string, RuleState>();

  constructor(ledgers: PartitionLedgers) {
    this.#ledgers = ledgers;
  }

  get hasRules(): boolean {
    const { qualification, stages, surge, thresholds, watches } = this.#ledgers.model;
    return thresholds.length + stages.length + watches.length > 0 || qualification !== undefined || surge !== undefined;
  }

  takeTransitions(): Transition[] {
    return [];
  }

  forgetTransitions(): void {}

  restore(states: Iterable<RuleState>): void {
    for (const state of states) this.applyState(state);
  }

  applyState(state: RuleState): void {
    this.#states.set(`${state.accountId}\0${state.ruleId}`, state);
  }

  stateOf(account: number, ruleId: string): RuleState | null {
    return this.#states.get(`${this.#ledgers.accounts.names.text(account)}\0${ruleId}`) ?? null;
  }

  stageOf(account: number): string | null {
    return this.#ledgers.model.stages.length === 0 ? null : (this.stateOf(account, 'stages')?.stage ?? null);
  }

  isQualified(account: number): boolean | null {
    return this.#ledgers.model.qualification === undefined ? null : (this.stateOf(account, 'qualification')?.isIn ?? false);
  }

  near(_account: number, _asOf: number): { readonly met: readonly string[]; readonly missing: readonly string[] } | null {
    return null;
  }

  nextDueAt(): number {
    return Infinity;
  }

  states(): Iterable<RuleState> {
    return this.#states.values();
  }

  evaluateAll(): void {}
}
