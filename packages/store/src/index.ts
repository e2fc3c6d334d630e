export { openStore } from './open-store.ts';
export type { StoreOptions } from './open-store.ts';
export { OPTIONAL_FIELDS, STORE_ERRORS, StoreError } from './store.ts';
export type {
  ApiKeyRow,
  Checkpoint,
  DeadLetter,
  HistoryPoint,
  OptionalField,
  ReplayRange,
  ScoreRow,
  Store,
  StoredFact,
  StoredModel,
  StoredPosition,
  StoreErrorCode,
  TimelineEntry,
  TimelinePlace,
  TouchRows,
} from './store.ts';
