/**
 * What the CRM or finance system says. Facts are upserted by `id`; the newest `updatedAt` wins, and of two with the same one the later on
 * the log. All times are epoch milliseconds.
 */
interface FactBase {
  readonly id: string;
  readonly updatedAt: number;
}

export interface AccountFact extends FactBase {
  readonly type: 'account';
  readonly name: string | null;
  readonly domains: readonly string[];
  readonly industry: string | null;
  readonly employees: number | null;
  readonly tier: string | null;
  /** Whether the account is on the target list; null when nobody said. */
  readonly targetList: boolean | null;
  readonly owner: string | null;
  readonly parentId: string | null;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ContactFact extends FactBase {
  readonly type: 'contact';
  readonly accountId: string;
  readonly role: string | null;
  readonly email: string | null;
  readonly title: string | null;
  readonly seniority: string | null;
  readonly consent: boolean | null;
}

export interface LeadFact extends FactBase {
  readonly type: 'lead';
  readonly accountId: string | null;
  readonly contactId: string | null;
  readonly status: string | null;
  readonly source: string | null;
  readonly campaignId: string | null;
  readonly createdAt: number | null;
  readonly qualifiedAt: number | null;
}

export interface OpportunityFact extends FactBase {
  readonly type: 'opportunity';
  readonly accountId: string;
  readonly name: string | null;
  readonly stage: string | null;
  readonly amount: number | null;
  /** ISO 4217, three capital letters. */
  readonly currency: string | null;
  readonly source: string | null;
  readonly owner: string | null;
  readonly createdAt: number | null;
  readonly closedAt: number | null;
  readonly outcome: 'won' | 'lost' | null;
}

export interface SpendFact extends FactBase {
  readonly type: 'spend';
  /** Calendar day, YYYY-MM-DD. */
  readonly date: string;
  readonly campaignId: string | null;
  readonly creativeId: string | null;
  readonly channel: string | null;
  readonly category: string | null;
  readonly amount: number;
  readonly currency: string | null;
}

export interface SubscriptionFact extends FactBase {
  readonly type: 'subscription';
  readonly accountId: string;
  readonly mrr: number;
  readonly currency: string | null;
  readonly from: number | null;
  readonly to: number | null;
}

export type Fact = AccountFact | ContactFact | LeadFact | OpportunityFact | SpendFact | SubscriptionFact;
export type FactType = Fact['type'];

export const FACT_TYPES = ['account', 'contact', 'lead', 'opportunity', 'spend', 'subscription'] as const satisfies readonly FactType[];

/** The account a fact belongs to: it is keyed by it on the log. A fact of no account is keyed by its own id. */
export function accountOf(fact: Fact): string | null {
  if (fact.type === 'account') return fact.id;
  return fact.type === 'spend' ? null : fact.accountId;
}
