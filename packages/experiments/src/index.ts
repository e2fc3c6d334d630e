export { assign, HOLDOUT } from './assign.ts';
export type { Assigning } from './assign.ts';
export { armOf, decide } from './decide.ts';
export type { DecidedAccount, Decision, DecisionCause, Exposure, HashedArm } from './decide.ts';
export { ExperimentBook } from './experiment-book.ts';
export { EXPERIMENT_METRICS, EXPERIMENT_MODES, experimentSchema } from './experiment-definition.ts';
export type { ExperimentDefinition, ExperimentMode } from './experiment-definition.ts';
export { applyStep, defaultCreative, EXPERIMENT_STATUSES } from './experiment-state.ts';
export type { ArmWeight, ExperimentState, ExperimentStatus, ExperimentStep, HistoryEntry, StepOutcome } from './experiment-state.ts';
