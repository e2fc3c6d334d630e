import { isRecord } from '../api-client.ts';
import { figureOf, textOf } from '../answers.ts';

/** What an alert says, in a few words. */
export function alertWords(alert: Record<string, unknown>): string {
  const words = wordsOf(alert);
  return alert['late'] === true ? `${words} (late)` : words;
}

function wordsOf(alert: Record<string, unknown>): string {
  const metric = textOf(alert['metric']);
  const isUp = alert['direction'] === 'up';
  switch (alert['type']) {
    case 'account.threshold.crossed':
    case 'account.threshold.recovered':
      if (alert['threshold'] === null)
        return `no longer watched by ${textOf(alert['ruleId'])}: ${metric} ${figureOf(alert['currentValue'])}`;
      return `${metric} ${figureOf(alert['currentValue'])}, ${isUp ? 'at least' : 'below'} ${figureOf(alert['threshold'])}${before(alert)}`;
    case 'account.mqa.entered':
      return 'qualified (MQA)';
    case 'account.mqa.exited':
      return `no longer qualified${notMet(alert)}`;
    case 'account.stage.changed':
      return `stage ${textOf(alert['previousStage']) || 'none'} -> ${textOf(alert['currentStage']) || 'none'}`;
    case 'account.surge.detected':
      return isUp ? `surge: ${metric} ${figureOf(alert['currentValue'])}${before(alert)}` : 'surge is over';
    case 'account.coverage.changed':
      return `committee: ${textOf(alert['ruleId'])} ${isUp ? 'began' : 'ended'}${missingRoles(alert)}`;
    default:
      return textOf(alert['type']);
  }
}

function before(alert: Record<string, unknown>): string {
  return typeof alert['previousValue'] === 'number' ? ` (was ${figureOf(alert['previousValue'])})` : '';
}

function notMet({ missing }: Record<string, unknown>): string {
  return Array.isArray(missing) && missing.length > 0 ? `, not met: ${missing.map(textOf).join(', ')}` : '';
}

function missingRoles({ reach }: Record<string, unknown>): string {
  const missing = isRecord(reach) && Array.isArray(reach['missingRoles']) ? reach['missingRoles'] : [];
  return missing.length > 0 ? `, missing: ${missing.join(', ')}` : '';
}

/** Who adds most to the account's points. */
export function reasonsOf(alert: Record<string, unknown>): string {
  const reasons = Array.isArray(alert['reasons']) ? alert['reasons'].filter(isRecord) : [];
  return reasons
    .map(
      ({ contactId, points, role }) =>
        `${textOf(contactId) || 'nobody known'}${role == null ? '' : ` (${textOf(role)})`} ${figureOf(points)}`,
    )
    .join(', ');
}
