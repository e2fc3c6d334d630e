import { familyOf, type Alert, type RuleState } from '@touchstone/engine';

/**
 * Where an account stands under a rule after an alert, for whoever is told alerts instead of evaluating rules; null when the alert is no news to
 * what is known, as when it stands in the store already. Entries that a cooldown holds back are not told, so that such a state does not count them.
 */
export function stateAfterAlert(alert: Alert, known: RuleState | null): RuleState | null {
  if (known !== null && !isNewer(alert, known)) return null;
  const isUp = alert.direction === 'up';
  return {
    accountId: alert.accountId,
    family: familyOf(alert.type),
    ruleId: alert.ruleId,
    step: (known?.step ?? 0) + 1,
    episode: alert.episode,
    isIn: isUp,
    isHeld: false,
    lastUpAt: isUp ? alert.at : (known?.lastUpAt ?? null),
    since: alert.at,
    heldBack: 0,
    stage: alert.currentStage,
  };
}

/**
 * An episode is held back at first, perhaps; then it begins, and ends, perhaps without a word. Each change of stage is an episode of its own.
 */
function isNewer({ at, direction, episode, type }: Alert, known: RuleState): boolean {
  if (episode !== known.episode || type === 'account.stage.changed') return episode > known.episode;
  return known.isHeld ? at > known.since : known.isIn && direction === 'down';
}
