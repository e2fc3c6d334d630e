import type { Alert, Transition } from '@touchstone/engine';

/** An alert of a test: whatever does not matter there is filled in. */
export function alertOf(changes: Partial<Alert> = {}): Alert {
  return {
    id: 'alr_0',
    type: 'account.threshold.crossed',
    accountId: 'acme',
    partition: 0,
    version: 1,
    modelVersion: 'm',
    ruleId: 'hot',
    episode: 1,
    direction: 'up',
    at: 1000,
    metric: 'score',
    threshold: 50,
    previousValue: 49,
    currentValue: 51,
    previousStage: null,
    currentStage: null,
    cause: 'touch',
    late: false,
    heldBack: 0,
    owner: 'eve',
    engagedContacts: 1,
    coverage: null,
    missingRoles: [],
    reasons: [],
    touch: null,
    met: [],
    missing: [],
    ...changes,
  };
}

/** The first step of the account under the rule, unless said otherwise. */
export function transitionOf(alert: Alert, changes: Partial<Transition> = {}): Transition {
  return { step: 1, offset: alert.version, isHeld: false, alert, ...changes };
}
