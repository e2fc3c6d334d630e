import type { QualifiedBy } from '@touchstone/kpis';
import { jsonRows } from '../json-rows.ts';
import type { RowTransport } from '../row-transport.ts';
import { BoundValues } from './opportunity-scope.ts';

/** What qualified leads are told by: what their account is now. */
const SEGMENTS = {
  tier: 'account.tier',
  industry: 'account.industry',
  targetList: "if(account.target_list, 'true', 'false')",
  owner: 'account.owner',
} as const;
export type LeadSegment = keyof typeof SEGMENTS;
export const LEAD_SEGMENTS = Object.keys(SEGMENTS) as readonly LeadSegment[] as readonly [LeadSegment, ...LeadSegment[]];

export interface QualifiedQuery {
  /** Epoch ms, the end not in it; they may overlap. */
  readonly spans: readonly { readonly from: number; readonly to: number }[];
  readonly qualifiedBy: QualifiedBy;
  /** Statuses that mean qualified, in small letters: of a lead that does not say when, it is when this version of it was made. */
  readonly qualifiedStatuses: readonly string[];
  readonly by: LeadSegment | null;
  readonly filters: Readonly<Partial<Record<LeadSegment, readonly string[]>>>;
}

/** Qualified in one span, of one segment and one model. */
export interface QualifiedLeadRow {
  /** Index of the span. */
  readonly span: number;
  /** '' for everything, and for what has no value there. */
  readonly segment: string;
  /** Version of the model that qualified the account; '' for the CRM's leads. */
  readonly modelVersion: string;
  readonly count: number;
}

/** An account each time it became a marketing qualified one, as it was known then, stamped with the model that said so. */
const BY_ENGINE = `SELECT concat('account:', account_id) AS lead, account_id AS accountId, toUnixTimestamp64Milli(at) AS qualifiedAt, JSONExtractString(body, 'modelVersion') AS modelVersion
  FROM alert_transitions WHERE rule_id = 'qualification' AND direction = 'up' AND NOT is_held`;

function byCrm(statuses: readonly string[], bound: BoundValues): string {
  return `SELECT concat('lead:', id) AS lead, account_id AS accountId,
      toUnixTimestamp64Milli(if(toUnixTimestamp64Milli(qualified_at) > 0, qualified_at, updated_at)) AS qualifiedAt, '' AS modelVersion
    FROM leads FINAL WHERE toUnixTimestamp64Milli(qualified_at) > 0 OR lower(status) IN ${bound.list(statuses)}`;
}

/**
 * The leads that are qualified, and when. An account that became a marketing qualified one several times in a span counts once, for its first time. `either` is an account that
 * became one, and every lead of the CRM whose account never did; `both` is a lead of the CRM whose account did as well, from when both had said so.
 */
function qualifiedRows({ qualifiedBy, qualifiedStatuses }: QualifiedQuery, bound: BoundValues): string {
  switch (qualifiedBy) {
    case 'mqa':
      return BY_ENGINE;
    case 'crm':
      return byCrm(qualifiedStatuses, bound);
    case 'either':
      return `SELECT * FROM (${BY_ENGINE}) UNION ALL
        SELECT * FROM (${byCrm(qualifiedStatuses, bound)}) WHERE accountId = '' OR accountId NOT IN (SELECT accountId FROM (${BY_ENGINE}))`;
    case 'both':
      return `SELECT crm.lead AS lead, crm.accountId AS accountId, greatest(crm.qualifiedAt, engine.firstAt) AS qualifiedAt, engine.firstModel AS modelVersion
        FROM (${byCrm(qualifiedStatuses, bound)}) AS crm
        INNER JOIN (SELECT accountId, min(qualifiedAt) AS firstAt, argMin(modelVersion, qualifiedAt) AS firstModel FROM (${BY_ENGINE}) GROUP BY accountId) AS engine
          ON crm.accountId = engine.accountId`;
  }
}

export async function readQualifiedLeads(transport: RowTransport, query: QualifiedQuery): Promise<QualifiedLeadRow[]> {
  const bound = new BoundValues();
  const { by, spans } = query;
  const filters = Object.entries(query.filters) as [LeadSegment, readonly string[]][];
  const conditions = filters.map(([segment, values]) => `${SEGMENTS[segment]} IN ${bound.list(values)}`);
  const list = (edge: 'from' | 'to'): string => `[${spans.map((span) => bound.integer(span[edge])).join(', ')}]`;
  const spansOf = `arrayFilter((span, from, to) -> qualifiedAt >= from AND qualifiedAt < to, range(${spans.length}), ${list('from')}, ${list('to')})`;
  const needsAccount = by !== null || conditions.length > 0;
  const answer = await transport.read(
    `SELECT span, segment, modelVersion, count() AS count
     FROM
       (SELECT span, lead, any(segment) AS segment, argMin(modelVersion, qualifiedAt) AS modelVersion
        FROM
          (SELECT lead, qualifiedAt, modelVersion, arrayJoin(${spansOf}) AS span, ${by === null ? "''" : `toString(${SEGMENTS[by]})`} AS segment
           FROM (${qualifiedRows(query, bound)}) AS qualified
           ${needsAccount ? 'LEFT ANY JOIN (SELECT * FROM accounts FINAL) AS account ON qualified.accountId = account.id' : ''}
           WHERE ${conditions.join(' AND ') || '1'})
        GROUP BY span, lead)
     GROUP BY span, segment, modelVersion ORDER BY span, segment, modelVersion FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  return jsonRows<{ span: number | string; segment: string; modelVersion: string; count: number | string }>(answer).map((row) => ({
    ...row,
    span: Number(row.span),
    count: Number(row.count),
  }));
}
