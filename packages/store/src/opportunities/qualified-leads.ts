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

const MQA = `SELECT account_id, at, JSONExtractString(body, 'modelVersion') AS modelVersion
  FROM alert_transitions WHERE rule_id = 'qualification' AND direction = 'up' AND NOT is_held`;
/** Of a lead that does not say when it was qualified: when this version of it was made, should its status mean that it is. */
const CRM = `SELECT id, account_id, status, qualified_at > toDateTime64(0, 3, 'UTC') AS isDated, if(isDated, qualified_at, updated_at) AS at FROM leads FINAL`;

/**
 * Qualified leads, `lead` by `lead`, each with `at`, its account, and `by` whom it is one:
 *
 * - mqa: an account each time it became a marketing qualified one, as it was known then, stamped with the model that said so;
 * - crm: a lead that the CRM qualified, should its status be among those that mean it or `isDated` be true;
 * - both: such a lead whose account became a marketing qualified one as well, from when both had said so.
 */
export const QUALIFIED_LEADS = `(SELECT concat('account:', account_id) AS lead, account_id, at, 'mqa' AS by, '' AS status, true AS isDated, modelVersion FROM (${MQA})
  UNION ALL SELECT concat('lead:', id), account_id, at, 'crm', status, isDated, '' FROM (${CRM})
  UNION ALL SELECT concat('lead:', crm.id), crm.account_id, greatest(crm.at, engine.firstAt), 'both', crm.status, crm.isDated, engine.firstModel
    FROM (${CRM}) AS crm
    INNER JOIN (SELECT account_id, min(at) AS firstAt, argMin(modelVersion, at) AS firstModel FROM (${MQA}) GROUP BY account_id) AS engine
      ON crm.account_id = engine.account_id)`;

/** The condition that a row of `QUALIFIED_LEADS` counts. `either` is an account that became one, and every lead of the CRM whose account never did. */
export function isQualifiedBy(qualifiedBy: QualifiedBy, statuses: string): string {
  const isMeant = `(isDated OR lower(status) IN ${statuses})`;
  if (qualifiedBy !== 'either') return `by = '${qualifiedBy}' AND ${isMeant}`;
  return `(by = 'mqa' OR (by = 'crm' AND ${isMeant} AND (account_id = '' OR account_id NOT IN (SELECT account_id FROM (${MQA})))))`;
}

/** An account that became a marketing qualified one several times in a span counts once, by the model of its first time in it. */
export async function readQualifiedLeads(transport: RowTransport, query: QualifiedQuery): Promise<QualifiedLeadRow[]> {
  const bound = new BoundValues();
  const { by, spans } = query;
  const filters = Object.entries(query.filters) as [LeadSegment, readonly string[]][];
  const conditions = filters.map(([segment, values]) => `${SEGMENTS[segment]} IN ${bound.list(values)}`);
  const list = (edge: 'from' | 'to'): string => `[${spans.map((span) => bound.integer(span[edge])).join(', ')}]`;
  const spansOf = `arrayFilter((span, from, to) -> toUnixTimestamp64Milli(at) >= from AND toUnixTimestamp64Milli(at) < to, range(${spans.length}), ${list('from')}, ${list('to')})`;
  const needsAccount = by !== null || conditions.length > 0;
  const answer = await transport.read(
    `SELECT span, segment, modelVersion, count() AS count
     FROM
       (SELECT span, lead, any(segment) AS segment, argMin(modelVersion, at) AS modelVersion
        FROM
          (SELECT lead, at, modelVersion, arrayJoin(${spansOf}) AS span, ${by === null ? "''" : `toString(${SEGMENTS[by]})`} AS segment
           FROM (SELECT * FROM ${QUALIFIED_LEADS} WHERE ${isQualifiedBy(query.qualifiedBy, bound.list(query.qualifiedStatuses))}) AS qualified
           ${needsAccount ? 'LEFT ANY JOIN (SELECT * FROM accounts FINAL) AS account ON qualified.account_id = account.id' : ''}
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
