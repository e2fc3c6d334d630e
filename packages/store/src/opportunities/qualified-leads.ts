import type { QualifiedBy } from '@touchstone/kpis';
import { jsonRows } from '../json-rows.ts';
import type { RowTransport } from '../row-transport.ts';
import { leadsOfCrm } from './dated-facts.ts';
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
  /** Statuses that mean qualified, in small letters: of a lead that does not say when, it is when it had one of them first. */
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
const FIRST_MQA = `SELECT account_id, min(at) AS firstAt, argMin(modelVersion, at) AS firstModel FROM (${MQA}) GROUP BY account_id`;

/**
 * Qualified leads, `lead` by `lead`, each with `at`, its account, the model that qualified it, and `by` whom it is one:
 *
 * - mqa: an account each time it became a marketing qualified one, as it was known then, stamped with the model that said so;
 * - crm: a lead that the CRM qualified;
 * - both: such a lead whose account became a marketing qualified one as well, from when both had said so.
 *
 * `isEarlier`: nobody had qualified the same before. A lead of the CRM and its account's first qualification are one lead, at the earlier of the two instants, so that
 * what comes later takes nothing out of a month that is over.
 * @param statuses a list in SQL, in small letters
 */
export function qualifiedLeads(statuses: string): string {
  const crm = leadsOfCrm(statuses);
  return `(SELECT concat('account:', mqa.account_id) AS lead, mqa.account_id AS account_id, mqa.at AS at, 'mqa' AS by, mqa.modelVersion AS modelVersion,
      first.crmAt = toDateTime64(0, 3, 'UTC') OR first.crmAt >= mqa.at OR mqa.at != first.firstAt AS isEarlier
    FROM (${MQA}) AS mqa
    LEFT ANY JOIN
      (SELECT engine.account_id AS first_id, engine.firstAt AS firstAt, crm.crmAt AS crmAt FROM (${FIRST_MQA}) AS engine
       LEFT ANY JOIN (SELECT account_id AS crm_id, min(at) AS crmAt FROM (${crm}) GROUP BY account_id) AS crm ON engine.account_id = crm.crm_id) AS first
      ON mqa.account_id = first.first_id
  UNION ALL SELECT concat('lead:', crm.id), crm.account_id, crm.at, 'crm', '',
      crm.account_id = '' OR engine.firstAt = toDateTime64(0, 3, 'UTC') OR crm.at < engine.firstAt
    FROM (${crm}) AS crm LEFT ANY JOIN (${FIRST_MQA}) AS engine ON crm.account_id = engine.account_id
  UNION ALL SELECT concat('lead:', crm.id), crm.account_id, greatest(crm.at, engine.firstAt), 'both', engine.firstModel, true
    FROM (${crm}) AS crm INNER JOIN (${FIRST_MQA}) AS engine ON crm.account_id = engine.account_id)`;
}

/** The condition that a row of `qualifiedLeads` counts. */
export function isQualifiedBy(qualifiedBy: QualifiedBy): string {
  return qualifiedBy === 'either' ? `(by IN ('mqa', 'crm') AND isEarlier)` : `by = '${qualifiedBy}'`;
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
           FROM (SELECT * FROM ${qualifiedLeads(bound.list(query.qualifiedStatuses))} WHERE ${isQualifiedBy(query.qualifiedBy)}) AS qualified
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
