import type { StageQuery, StalledPage, StalledStay } from '../store.ts';
import type { AttributionQuery, CreditedOpportunity, CreditedQuery, CreditRow } from './attribution.ts';
import type { InfluencedOpportunity, InfluencedQuery, InfluenceQuery, InfluenceRow } from './influence.ts';
import type { OpportunityScope } from './opportunity-scope.ts';
import type { OpportunityTouches, PathQuery } from './opportunity-touches.ts';
import type { OpportunityOutcomes, OutcomeQuery } from './outcomes.ts';
import type { QualifiedLeadRow, QualifiedQuery } from './qualified-leads.ts';

/** What the store knows of opportunities and what came before them. */
export interface OpportunityStore {
  /** The credit of all opportunities of the scope, shared among the touches before them. */
  attribution(query: AttributionQuery): Promise<readonly CreditRow[]>;
  /** The opportunities behind it, the latest first. */
  creditedOpportunities(query: CreditedQuery): Promise<readonly CreditedOpportunity[]>;
  /** An opportunity with its touches in order; null when there is none. */
  opportunityTouches(query: PathQuery): Promise<OpportunityTouches | null>;
  /** What marketing had a part in. */
  influence(query: InfluenceQuery): Promise<readonly InfluenceRow[]>;
  /** Whether any account was ever touched. */
  hasTouches(): Promise<boolean>;
  influencedOpportunities(query: InfluencedQuery): Promise<readonly InfluencedOpportunity[]>;
  /** What became of opportunities: won, lost, in how many days, for how much. */
  outcomes(query: OutcomeQuery): Promise<readonly OpportunityOutcomes[]>;
  /** How many opportunities were closed in the period that were told of only then, so that nobody knows which stages they were in. */
  unstagedOpportunities(query: Pick<OpportunityScope, 'from' | 'to' | 'filters'>): Promise<number>;
  /** Leads qualified in each span. */
  qualifiedLeads(query: QualifiedQuery): Promise<readonly QualifiedLeadRow[]>;
  /** A page of what is in its stage for long, the longest first. */
  stalledStays(query: StageQuery & StalledPage): Promise<readonly StalledStay[]>;
}
