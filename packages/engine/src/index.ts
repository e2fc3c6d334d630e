export { defaultModel } from './default-model.ts';
export { accountOf, FACT_TYPES } from './fact.ts';
export type { AccountFact, ContactFact, Fact, FactType, LeadFact, OpportunityFact, SpendFact, SubscriptionFact } from './fact.ts';
export { scoringModelSchema } from './model.ts';
export type { Rule, ScoringModel } from './model.ts';
export { DEAD_LETTER_REASONS, RECORD } from './record.ts';
export type { DeadLetterReason, Poison, RecordRun } from './record.ts';
export { decodeUtf8, FIELD, TouchCursor } from './touch.ts';
export type { TextField } from './touch.ts';
