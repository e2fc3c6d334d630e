import type { Alert } from '@touchstone/engine';

/** What a test send tells: every field that a receiver should be able to read, of an account that there is not. */
export function sampleAlert(now: number): Alert {
  return {
    id: 'sample',
    type: 'account.threshold.crossed',
    accountId: 'example.invalid',
    partition: 0,
    version: 1842,
    modelVersion: 'example',
    ruleId: 'hot',
    episode: 1,
    direction: 'up',
    at: now,
    metric: 'score',
    threshold: 70,
    previousValue: 66.2,
    currentValue: 71.4,
    previousStage: null,
    currentStage: null,
    cause: 'touch',
    late: false,
    heldBack: 0,
    owner: 'owner@example.invalid',
    engagedContacts: 3,
    coverage: 0.5,
    missingRoles: ['decision_maker'],
    reasons: [{ contactId: 'contact-1', role: 'champion', points: 81.5 }],
    touch: { kind: 'meeting', contactId: 'contact-1', campaignId: null, occurredAt: now, ruleIds: ['meeting'] },
    met: [],
    missing: [],
  };
}
