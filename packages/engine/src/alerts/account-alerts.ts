import type { RuleState, Transition } from './alert.ts';

/** Stands in until rules are evaluated: no rule, no step. */
export class AccountAlerts {
  get hasRules(): boolean {
    return false;
  }

  takeTransitions(): Transition[] {
    return [];
  }

  restore(_states: Iterable<RuleState>): void {}

  nextDueAt(): number {
    return Infinity;
  }

  states(): Iterable<RuleState> {
    return [];
  }

  evaluateAll(): void {}
}
