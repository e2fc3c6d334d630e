export { openStore } from './open-store.ts';
export type { StoreOptions } from './open-store.ts';
export { STORE_SECRETS, storeOptionsOf, storeSettings } from './store-settings.ts';
export type { StoreSettings } from './store-settings.ts';
export { OPTIONAL_FIELDS, STORE_ERRORS, StoreError } from './store.ts';
export type {
  ApiKeyRow,
  Checkpoint,
  DeadLetter,
  DeadLetterPlace,
  DeadLetterQuery,
  HistoryPoint,
  OptionalField,
  ReplayRange,
  ScoreRow,
  ShownScore,
  ShownScores,
  Store,
  StoredDeadLetter,
  StoredFact,
  StoredModel,
  StoredPosition,
  StoreErrorCode,
  TimelineEntry,
  TimelinePlace,
  TouchRows,
} from './store.ts';
