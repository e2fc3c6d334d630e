export { STORE_ERRORS, StoreError } from './store.ts';
export type {
  ApiKeyRow,
  Checkpoint,
  DeadLetter,
  HistoryPoint,
  ScoreRow,
  Store,
  StoredFact,
  StoredPosition,
  StoreErrorCode,
  TimelineEntry,
  TouchRows,
} from './store.ts';
