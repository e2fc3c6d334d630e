import type { Accounts } from '../columns/accounts.ts';
import type { CompiledAlertRules, CompiledStage } from './compile-alert-rules.ts';
import type { Holds } from './qualification.ts';

/** The place of the stage that an account is in by what holds of it: the last whose conditions all hold; -1 for none. */
export function stagePlace(rules: CompiledAlertRules, accounts: Accounts, account: number, holds: Holds): number {
  return rules.stages.findLastIndex((stage) => isIn(stage, rules, accounts, account, holds));
}

function isIn(
  { conditions, isQualified, opportunity }: CompiledStage,
  { qualification }: CompiledAlertRules,
  accounts: Accounts,
  account: number,
  holds: Holds,
): boolean {
  if (isQualified && qualification?.isQualified(accounts.facts.get(account), holds) !== true) return false;
  if (opportunity !== undefined) {
    const known = accounts.opportunities.get(account) ?? [];
    const wanted = opportunity === 'open' ? null : opportunity;
    if (!known.some(({ outcome }) => wanted === 'any' || outcome === wanted)) return false;
  }
  return conditions.every(holds);
}
