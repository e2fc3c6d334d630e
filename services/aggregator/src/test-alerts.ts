import { AccountAlerts, defaultModel, PartitionLedgers, type Alert, type Transition } from '@touchstone/engine';

/** Rules for tests: what happens is said instead of computed. */
export class FakeAlerts extends AccountAlerts {
  dueAt = Infinity;
  #happened: Transition[] = [];

  constructor() {
    super(new PartitionLedgers(0, defaultModel));
  }

  override get hasRules(): boolean {
    return true;
  }

  override nextDueAt(): number {
    return this.dueAt;
  }

  override takeTransitions(): Transition[] {
    return this.#happened.splice(0);
  }

  happen(...transitions: readonly Transition[]): void {
    this.#happened.push(...transitions);
  }
}

export function transitionOf(changes: Partial<Omit<Transition, 'alert'>> & { alert?: Partial<Alert> } = {}): Transition {
  const { alert, isHeld = false, offset = 0, step = 1 } = changes;
  return {
    step,
    offset,
    isHeld,
    alert: {
      id: `alert-${offset}-${step}`,
      type: 'account.threshold.crossed',
      accountId: 'acme',
      partition: 0,
      version: offset,
      modelVersion: 'm',
      ruleId: 'hot',
      episode: step,
      direction: 'up',
      at: 1,
      metric: 'score',
      threshold: 50,
      previousValue: 49,
      currentValue: 51,
      previousStage: null,
      currentStage: null,
      cause: 'touch',
      late: false,
      heldBack: 0,
      owner: null,
      engagedContacts: 1,
      coverage: null,
      missingRoles: [],
      reasons: [],
      touch: null,
      met: [],
      missing: [],
      ...alert,
    },
  };
}
