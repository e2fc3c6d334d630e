export { AccountAlerts } from './alerts/account-alerts.ts';
export { compileFilter } from './alerts/account-filter.ts';
export type { FilterTest } from './alerts/account-filter.ts';
export { ALERT_CAUSES, ALERT_TYPES, familyOf } from './alerts/alert.ts';
export type { Alert, AlertCause, AlertReason, AlertTouch, AlertType, RuleFamily, RuleState, Transition } from './alerts/alert.ts';
export { accountFilterSchema, durationMs, durationSchema, metricSchema } from './alerts/alert-rules.ts';
export type { AlertFilter, Criterion, Qualification, Stage, Surge, Threshold, TouchPattern, Watch } from './alerts/alert-rules.ts';
export type { CriterionStanding, QualificationStanding, QualificationView } from './alerts/qualification.ts';
export { RulesTrial } from './alerts/rules-trial.ts';
export type { TriedRule, TriedRules } from './alerts/rules-trial.ts';
export type { Standing } from './alerts/standing.ts';
export type { AccountFigures, AccountTest, DayRange } from './creatives/account-figures.ts';
export type { ClickMoments, CrossMoments } from './creatives/click-moments.ts';
export { clickRate, clickRateDifference, CONFIDENCE, NO_RATE_REASONS, RATE_METHODS } from './creatives/click-rate.ts';
export type { NoRateReason, RateDifference, RateInterval, RateMethod } from './creatives/click-rate.ts';
export {
  compareCreativesInTurns,
  creativeDaysKept,
  creativeFigures,
  creativeFiguresInTurns,
  isCreativeKnown,
} from './creatives/creative-figures.ts';
export type { ComparedCreative, CreativeFigures, CreativeQuery } from './creatives/creative-figures.ts';
export type { CreativeKey } from './creatives/creative-groups.ts';
export { mostShownInTurns } from './creatives/shown-creatives.ts';
export type { ShownCreative, ShownQuery } from './creatives/shown-creatives.ts';
export { defaultModel } from './default-model.ts';
export { AccountPast, replayAccount } from './explain/account-past.ts';
export type { AccountReplay, PastOptions } from './explain/account-past.ts';
export { AccountSteps } from './explain/account-steps.ts';
export { AccountDiff, CHANGE_CAUSES } from './explain/diff.ts';
export type { ChangeCause, DiffOptions, PointsDiff } from './explain/diff.ts';
export { explain, EXPLAIN_VIEWS } from './explain/explain.ts';
export type { Explanation, ExplainView, Part } from './explain/explain.ts';
export { modelThen } from './explain/model-then.ts';
export type { ModelRecord, ModelThenOptions, ScoreShown } from './explain/model-then.ts';
export { nearestOf } from './explain/nearest.ts';
export type { Nearest, ThresholdStanding, WouldDo } from './explain/nearest.ts';
export { accountOf, FACT_TYPES } from './fact.ts';
export type { AccountFact, ContactFact, Fact, FactType, LeadFact, OpportunityFact, SpendFact, SubscriptionFact } from './fact.ts';
export { LedgerSet } from './ledger-set.ts';
export type { LedgerPlace } from './ledger-set.ts';
export { AHEAD_MAX_MS, DEDUPE_HORIZON_MS, OUTCOME, PartitionLedgers } from './ledgers.ts';
export type { CountedListener, Outcome } from './ledgers.ts';
export { ACCOUNT_ORDERS, listAccounts, meets } from './list-accounts.ts';
export type { AccountFilter, AccountOrder, ListedAccount, ListOptions, ListPosition, NearMiss } from './list-accounts.ts';
export { fieldsAsked, fieldsUsed } from './match-rule.ts';
export type { UsedField } from './match-rule.ts';
export { scoringModelSchema } from './model.ts';
export type { Rule, ScoringModel } from './model.ts';
export { DEAD_LETTER_REASONS, RECORD } from './record.ts';
export type { ClockTick, DeadLetterReason, Poison, RecordRun } from './record.ts';
export { replay } from './replay.ts';
export type { ReplayOptions, ReplayTarget } from './replay.ts';
export { RescoredSums } from './rescored-sums.ts';
export { bandOf, bandsOf } from './score-bands.ts';
export type { ScoreBand } from './score-bands.ts';
export { scoreOf } from './score.ts';
export { STATE_FORMAT } from './state-walk.ts';
export type { StateWalk } from './state-walk.ts';
export { dayOf, hourOf } from './time-slots.ts';
export { TouchBatch, TOUCHES_A_BATCH } from './touch-batch.ts';
export type { BatchTexts } from './touch-batch.ts';
export { decodeUtf8, FIELD, TouchCursor } from './touch.ts';
export type { TextField } from './touch.ts';
export { TouchWeigher } from './touch-worth.ts';
export { earliestInstant, engagementOf, figuresOf, headOf, pointsOf, viewOf } from './view.ts';
export type { AccountHead, AccountView, ReachView } from './view.ts';
export type { WindowFigures, WindowView } from './window-figures.ts';
