export type { StoredRole } from './contact-roles.ts';
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
export { ALERT_ACTIONS, JOURNEY_DIMENSIONS, JOURNEYS, OPTIONAL_FIELDS } from './store.ts';
export { STORE_ERRORS, StoreError, type StoreErrorCode } from './store-error.ts';
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
  StalledPage,
  StalledStay,
  Journey,
  JourneyDimension,
  ShownScore,
  ShownScores,
  Store,
  StoredAlert,
  StoredDeadLetter,
  StoredFact,
  StoredModel,
  StoredPosition,
  TimelineEntry,
  TimelinePlace,
  TouchRows,
  TouchTotals,
} from './store.ts';
export { TOUCH_DIMENSIONS } from './opportunities/attribution.ts';
export type {
  AttributionQuery,
  CreditedOpportunity,
  CreditedQuery,
  CreditRow,
  CreditScope,
  TouchDimension,
} from './opportunities/attribution.ts';
export { INFLUENCES } from './opportunities/influence.ts';
export type {
  Influence,
  InfluencedOpportunity,
  InfluencedQuery,
  InfluenceQuery,
  InfluenceRow,
  InfluenceScope,
} from './opportunities/influence.ts';
export type { ListedOpportunity } from './opportunities/listed-opportunity.ts';
export { OPPORTUNITY_DIMENSIONS } from './opportunities/opportunity-scope.ts';
export type { OpportunityDimension, OpportunityFilters, OpportunityScope, TouchScope } from './opportunities/opportunity-scope.ts';
export type { OpportunityStore } from './opportunities/opportunity-store.ts';
export type { OpportunityTouches, PathQuery, PathTouch } from './opportunities/opportunity-touches.ts';
export type { OpportunityOutcomes, OutcomeQuery } from './opportunities/outcomes.ts';
export { LEAD_SEGMENTS } from './opportunities/qualified-leads.ts';
export type { LeadSegment, QualifiedLeadRow, QualifiedQuery } from './opportunities/qualified-leads.ts';
