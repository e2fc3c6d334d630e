import { jsonRows } from '../json-rows.ts';
import { readBounded } from '../read-bounded.ts';
import type { RowTransport } from '../row-transport.ts';
import { isAfter, LISTED, listedOpportunity, type ListedOpportunity, type ListedRow, type OpportunityPage } from './listed-opportunity.ts';
import {
  BoundValues,
  cutRows,
  HAS_PART,
  isOfKinds,
  touchRows,
  type OpportunityDimension,
  type OpportunityScope,
  type TouchScope,
} from './opportunity-scope.ts';

/** Influence is by touches before the opportunity was made. */
export interface InfluenceScope extends OpportunityScope, Omit<TouchScope, 'cut'> {
  /** Kinds that reach somebody without a response: they influence, and are no response. */
  readonly passiveKinds: readonly string[];
  /** Sources of opportunities that are marketing's own, in small letters; where none are given the first touch decides alone. */
  readonly marketingSources: readonly string[];
}

/** How marketing has a part in an opportunity; each of them may hold. */
export const INFLUENCES = ['influenced', 'responded', 'sourced'] as const;
export type Influence = (typeof INFLUENCES)[number];

export interface InfluenceQuery extends InfluenceScope {
  /** Told by this besides; absent for the whole alone. */
  readonly by: OpportunityDimension | null;
}

export interface InfluenceRow {
  /** '' for what has no value there, and for everything. */
  readonly group: string;
  readonly currency: string;
  readonly opportunities: number;
  /** Of all, and of those with each influence, in hundredths; without an amount counts as none. */
  readonly hundredths: number;
  /** Of all, those whose amount is not known. */
  readonly withoutAmount: number;
  /** Of all, those that say their source. */
  readonly withSource: number;
  readonly influences: Readonly<Record<Influence, { readonly opportunities: number; readonly hundredths: number }>>;
}

/** The place of a touch on the log, and the order in which touches happened, as one number each: tuples take twice as long. */
const LOGGED = 'bitOr(bitShiftLeft(toUInt64(partition), 48), offset)';
const IN_ORDER = `bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(occurred_at)), 64), toUInt128(${LOGGED}))`;

/**
 * Each opportunity with its influences:
 *
 * - influenced: a marketing touch in the time before it was made;
 * - responded: one of them that is a response, such as a click or a visit;
 * - sourced: the opportunity's own source is marketing's; of one without a source, or where no sources are given, its first touch of any kind is marketing's.
 */
function influenceRows(query: InfluenceQuery, bound: BoundValues): string {
  const scope = { ...query, cut: 'created' as const };
  const bySource =
    query.marketingSources.length === 0
      ? 'firstIsMarketing'
      : `if(opportunity.source = '', firstIsMarketing, lower(opportunity.source) IN ${bound.list(query.marketingSources)})`;
  return `WITH opportunity AS (${cutRows(scope, bound, query.by)}),
    touched AS
      (SELECT opportunity.id AS id, argMin(touch.isMarketing, touch.inOrder) AS firstIsMarketing, uniqExactIf(touch.logged, touch.isMarketing) AS touches,
         countIf(touch.isMarketing AND kind NOT IN ${bound.list(query.passiveKinds)}) AS responses,
         toUnixTimestamp64Milli(minIf(touch.occurred_at, touch.isMarketing)) AS firstTouchAt,
         toUnixTimestamp64Milli(maxIf(touch.occurred_at, touch.isMarketing)) AS lastTouchAt
       FROM (${touchRows(scope, bound, `kind, ${isOfKinds(query.kinds, bound)} AS isMarketing, ${LOGGED} AS logged, ${IN_ORDER} AS inOrder`)}) AS touch
       INNER JOIN opportunity ON touch.account_id = opportunity.accountId
       WHERE ${HAS_PART} GROUP BY opportunity.id)
  SELECT opportunity.*, touched.touches AS touches, touched.firstTouchAt AS firstTouchAt, touched.lastTouchAt AS lastTouchAt,
    touches > 0 AS influenced, touched.responses > 0 AS responded, toBool(${bySource}) AS sourced
  FROM opportunity LEFT ANY JOIN touched ON opportunity.id = touched.id`;
}

export async function readInfluence(transport: RowTransport, query: InfluenceQuery): Promise<InfluenceRow[]> {
  const bound = new BoundValues();
  const counted = INFLUENCES.map((one) => `countIf(${one}) AS ${one}_opportunities, sumIf(whole, ${one}) AS ${one}_hundredths`);
  const answer = await readBounded(
    transport,
    `SELECT group, currency, count() AS opportunities, sum(whole) AS hundredths, countIf(amount IS NULL) AS withoutAmount, countIf(source != '') AS withSource, ${counted.join(', ')}
     FROM (${influenceRows(query, bound)}) GROUP BY group, currency ORDER BY group, currency`,
    bound.params,
  );
  return jsonRows<Readonly<Record<string, string | number>>>(answer).map((row) => ({
    group: String(row['group']),
    currency: String(row['currency']),
    opportunities: Number(row['opportunities']),
    hundredths: Number(row['hundredths']),
    withoutAmount: Number(row['withoutAmount']),
    withSource: Number(row['withSource']),
    influences: Object.fromEntries(
      INFLUENCES.map((one) => [one, { opportunities: Number(row[`${one}_opportunities`]), hundredths: Number(row[`${one}_hundredths`]) }]),
    ) as InfluenceRow['influences'],
  }));
}

/** Whether an account was ever touched: without that, that nothing was influenced is not known but unknown. */
export async function hasTouches(transport: RowTransport): Promise<boolean> {
  const answer = await transport.read(
    `SELECT 1 AS one FROM touches WHERE account_id != '' LIMIT 1 FORMAT JSONEachRow`,
    {},
    { mayLag: true },
  );
  return answer.length > 0;
}

export interface InfluencedOpportunity extends ListedOpportunity {
  /** Marketing touches in the time before it was made, and when the first and the last of them were; null for none. */
  readonly touches: number;
  readonly firstTouchAt: number | null;
  readonly lastTouchAt: number | null;
  readonly influenced: boolean;
  readonly responded: boolean;
  readonly sourced: boolean;
}

export interface InfluencedQuery extends InfluenceScope, OpportunityPage {
  /** Only those with this influence, or with none at all. */
  readonly influence?: Influence | 'none';
}

/** The opportunities of the scope with their influences, the latest first. */
export async function readInfluenced(transport: RowTransport, query: InfluencedQuery): Promise<InfluencedOpportunity[]> {
  const bound = new BoundValues();
  const { influence } = query;
  const condition = influence === undefined ? '1' : influence === 'none' ? `NOT (${INFLUENCES.join(' OR ')})` : influence;
  const answer = await readBounded(
    transport,
    `SELECT ${LISTED}, touches, firstTouchAt, lastTouchAt, ${INFLUENCES.join(', ')} FROM (${influenceRows({ ...query, by: null }, bound)})
     WHERE ${condition} AND ${isAfter(query, bound)} ORDER BY at DESC, id LIMIT ${bound.integer(query.limit)}`,
    bound.params,
  );
  return jsonRows<ListedRow & Readonly<Record<string, string | number | boolean>>>(answer).map((row) => {
    const touches = Number(row['touches']);
    return {
      ...listedOpportunity(row),
      touches,
      firstTouchAt: touches === 0 ? null : Number(row['firstTouchAt']),
      lastTouchAt: touches === 0 ? null : Number(row['lastTouchAt']),
      influenced: Boolean(row['influenced']),
      responded: Boolean(row['responded']),
      sourced: Boolean(row['sourced']),
    };
  });
}
