import { QUALIFIED_BY, type KpiParameter } from '@touchstone/kpis';
import type { MeasureScope } from './measure.ts';

/** What makes a lead a qualified one: the CRM says so, the engine qualified its account, or both. */

export const qualifiedBy: KpiParameter = {
  describe:
    'Who says that a lead is qualified: the CRM (qualifiedAt, or a status that the settings list), the engine (its account became an MQA), at least one of them, or both',
  values: QUALIFIED_BY,
};

/** Accounts that became marketing qualified at any time. */
const MQA_ACCOUNTS = `(SELECT account_id FROM alert_transitions WHERE rule_id = 'qualification' AND direction = 'up' AND NOT is_held)`;

/** Condition on a row of `leads`. */
export function isQualified(scope: MeasureScope): string {
  const byCrm = `(toUnixTimestamp64Milli(qualified_at) > 0 OR lower(status) IN ${scope.list(scope.settings.qualifiedStatuses)})`;
  const byEngine = `(account_id != '' AND account_id IN ${MQA_ACCOUNTS})`;
  switch (scope.parameters['qualifiedBy']) {
    case 'mqa':
      return byEngine;
    case 'either':
      return `(${byCrm} OR ${byEngine})`;
    case 'both':
      return `(${byCrm} AND ${byEngine})`;
    default:
      return byCrm;
  }
}
