import type { Alert, RuleState } from '@touchstone/engine';
import { describe, expect, it, test } from 'vitest';
import { stateAfterAlert } from './state-after-alert.ts';
import { alertOf } from './test-alerts.ts';

const KNOWN: RuleState = {
  accountId: 'acme',
  family: 'threshold',
  ruleId: 'hot',
  step: 7,
  episode: 2,
  isIn: true,
  isHeld: false,
  lastUpAt: 500,
  since: 500,
  heldBack: 0,
  stage: null,
};
const DOWN = { isIn: false, since: 700 };
const HELD = { isHeld: true, heldBack: 3 };
const STAGED = { type: 'account.stage.changed', ruleId: 'stages' } as const;

describe('the state after an alert', () => {
  test.each<[string, Partial<RuleState> | null, Partial<Alert>, boolean]>([
    ['the first', null, { episode: 1 }, true],
    ['an end where nothing is known', null, { episode: 3, direction: 'down' }, true],
    ['the same entry', {}, { episode: 2 }, false],
    ['its end', {}, { episode: 2, direction: 'down' }, true],
    ['the same end', DOWN, { episode: 2, direction: 'down' }, false],
    ['its entry, after the end', DOWN, { episode: 2 }, false],
    ['the next entry', DOWN, { episode: 3 }, true],
    ['the one before', {}, { episode: 1, direction: 'down' }, false],
    ['an entry that was held back until now', { ...HELD, ...DOWN }, { episode: 2 }, true],
    ['an entry that is held back still, and was told by now', HELD, { episode: 2 }, true],
    ['an entry whose end was not told', { ...HELD, ...DOWN, since: 1001 }, { episode: 2 }, false],
    ['the same change of stage', {}, { ...STAGED, episode: 2, direction: 'down' }, false],
    ['the next change of stage', {}, { ...STAGED, episode: 3, direction: 'down' }, true],
  ])('%s', (_name, known, alert, isNews) => {
    expect(stateAfterAlert(alertOf(alert), known && { ...KNOWN, ...known }) !== null).toBe(isNews);
  });

  it('is that of the alert, and of what was before', () => {
    const end = alertOf({ episode: 2, direction: 'down', at: 900 });
    expect(stateAfterAlert(end, KNOWN)).toEqual({ ...KNOWN, step: 8, isIn: false, since: 900 });
    const entry = alertOf({ episode: 3, at: 950 });
    expect(stateAfterAlert(entry, { ...KNOWN, ...HELD, ...DOWN })).toEqual({ ...KNOWN, step: 8, episode: 3, lastUpAt: 950, since: 950 });
    const change = alertOf({ ...STAGED, currentStage: 'sales' });
    expect(stateAfterAlert(change, null)).toMatchObject({ family: 'stage', step: 1, lastUpAt: 1000, stage: 'sales', isIn: true });
  });
});
