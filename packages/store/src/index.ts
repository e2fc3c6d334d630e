export { openStore } from './open-store.ts';
export type { StoreOptions } from './open-store.ts';
export { DIMENSIONS } from './kpis/dimensions.ts';
export type { Dimension } from './kpis/dimensions.ts';
export type { StoredKpi } from './kpis/kpi.ts';
export type { KpiQuery, KpiStore, KpiTarget } from './kpis/kpi-store.ts';
export { KPIS } from './kpis/list.ts';
export { STORE_SECRETS, storeOptionsOf, storeSettings } from './store-settings.ts';
export type { StoreSettings } from './store-settings.ts';
export type { DeliveryKey, DeliveryRow, EndpointRow, NotificationStore, OwnerCount } from './notification-store.ts';
export { ALERT_ACTIONS, OPTIONAL_FIELDS, STORE_ERRORS, StoreError } from './store.ts';
export type {
  AlertAction,
  AlertActionName,
  AlertCounts,
  AlertQuery,
  ApiKeyRow,
  Checkpoint,
  DeadLetter,
  DeadLetterPlace,
  DeadLetterQuery,
  HistoryPoint,
  OptionalField,
  ReplayRange,
  ScoreRow,
  StageFigures,
  StageQuery,
  StalledAccount,
  ShownScore,
  ShownScores,
  Store,
  StoredAlert,
  StoredDeadLetter,
  StoredFact,
  StoredModel,
  StoredPosition,
  StoreErrorCode,
  TimelineEntry,
  TimelinePlace,
  TouchRows,
} from './store.ts';
