import type { BoundValues } from './opportunity-scope.ts';

/** An opportunity as its newest version has it. Times are epoch ms. */
export interface ListedOpportunity {
  readonly id: string;
  readonly accountId: string;
  readonly stage: string | null;
  readonly source: string | null;
  readonly amount: number | null;
  readonly currency: string | null;
  readonly outcome: 'won' | 'lost' | null;
  readonly createdAt: number;
  readonly closedAt: number | null;
  /** What places it in the period: when it was made, or closed. */
  readonly at: number;
}

/** A page of a list ordered by `at`, the latest first, then by id. */
export interface OpportunityPage {
  readonly limit: number;
  /** Only those that come after this one. */
  readonly after?: { readonly at: number; readonly id: string };
}

export interface ListedRow {
  readonly id: string;
  readonly accountId: string;
  readonly stage: string;
  readonly source: string;
  readonly amount: number | null;
  readonly currency: string;
  readonly outcome: string;
  readonly createdAt: number | string;
  readonly closedAt: number | string;
  readonly at: number | string;
}

/** Columns of `opportunityRows` that a `ListedRow` is made of. */
export const LISTED = 'id, accountId, stage, source, amount, currency, outcome, createdAt, closedAt, at';

export function listedOpportunity({
  accountId,
  amount,
  at,
  closedAt,
  createdAt,
  currency,
  id,
  outcome,
  source,
  stage,
}: ListedRow): ListedOpportunity {
  return {
    id,
    accountId,
    stage: stage || null,
    source: source || null,
    amount,
    currency: currency || null,
    outcome: outcome === 'won' || outcome === 'lost' ? outcome : null,
    createdAt: Number(createdAt),
    closedAt: outcome === '' ? null : Number(closedAt),
    at: Number(at),
  };
}

/** The condition that a row comes after the page before. */
export function isAfter({ after }: OpportunityPage, bound: BoundValues): string {
  if (after === undefined) return '1';
  const at = bound.integer(after.at);
  return `(at < ${at} OR (at = ${at} AND id > ${bound.text(after.id)}))`;
}
