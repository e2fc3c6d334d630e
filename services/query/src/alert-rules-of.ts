import type { RuleFamily, ScoringModel } from '@touchstone/engine';

export const RULE_KINDS = ['threshold', 'qualification', 'stages', 'surge', 'watch'] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/** What alerts of each kind of rule are told as. */
export const FAMILY_OF = {
  threshold: 'threshold',
  qualification: 'mqa',
  stages: 'stage',
  surge: 'surge',
  watch: 'coverage',
} as const satisfies Record<RuleKind, RuleFamily>;

export interface AlertRule {
  readonly ruleId: string;
  readonly kind: RuleKind;
  /** As the model has it; the list, of stages. */
  readonly rule: object;
}

/** The rules of a scoring model that alerts come from, by the ids that alerts name them by. */
export function alertRulesOf({ qualification, stages, surge, thresholds, watches }: ScoringModel): AlertRule[] {
  return [
    ...thresholds.map((rule) => ({ ruleId: rule.id, kind: 'threshold' as const, rule })),
    ...(qualification === undefined ? [] : [{ ruleId: 'qualification', kind: 'qualification' as const, rule: qualification }]),
    ...(stages.length === 0 ? [] : [{ ruleId: 'stages', kind: 'stages' as const, rule: { stages } }]),
    ...(surge === undefined ? [] : [{ ruleId: 'surge', kind: 'surge' as const, rule: surge }]),
    ...watches.map((rule) => ({ ruleId: rule.id, kind: 'watch' as const, rule })),
  ];
}
