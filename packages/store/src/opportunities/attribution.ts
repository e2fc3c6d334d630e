import { ATTRIBUTION_MODELS, CREDIT_UNITS, type AttributionModel } from '@touchstone/kpis';
import { jsonRows } from '../json-rows.ts';
import { readBounded } from '../read-bounded.ts';
import type { RowTransport } from '../row-transport.ts';
import { LEADS } from './dated-facts.ts';
import { isAfter, LISTED, listedOpportunity, type ListedOpportunity, type ListedRow, type OpportunityPage } from './listed-opportunity.ts';
import { BoundValues, cutRows, isOfKinds, touchRows, touchTimes, type OpportunityScope, type TouchScope } from './opportunity-scope.ts';

/** What of a touch the credit is told by. The role is that of its contact now. */
const TOUCH_COLUMNS = {
  campaign: 'campaign_id',
  channel: 'channel',
  creative: 'creative_id',
  kind: 'kind',
  role: 'role',
} as const;

export type TouchDimension = keyof typeof TOUCH_COLUMNS;
export const TOUCH_DIMENSIONS = Object.keys(TOUCH_COLUMNS) as readonly TouchDimension[] as readonly [TouchDimension, ...TouchDimension[]];

export interface CreditScope extends OpportunityScope, TouchScope {
  /** Of time decay. */
  readonly halfLifeMs: number;
}

export interface AttributionQuery extends CreditScope {
  readonly by: TouchDimension;
}

/** What the touches of one campaign, channel, creative, kind or role have a part in. */
export interface CreditRow {
  /** Null for opportunities that no touch has a part in. */
  readonly key: string | null;
  readonly currency: string;
  readonly touches: number;
  readonly opportunities: number;
  /** Credit by model, in units: `CREDIT_UNITS` for an opportunity. */
  readonly units: Readonly<Record<AttributionModel, number>>;
  /** Of the linear credit, that of opportunities whose amount is not known: added up over all keys they are whole ones. */
  readonly unitsWithoutAmount: number;
  /** Money by model in hundredths; opportunities without an amount have none. */
  readonly hundredths: Readonly<Record<AttributionModel, number>>;
}

/** Running sums of weights at each place, from 1: `attribution.ts` of @touchstone/kpis in SQL. Where one place has it all they are not needed. */
const RUNNING_SUMS: Readonly<Partial<Record<AttributionModel, string>>> = {
  linear: 'places',
  u_shaped: sharesUpTo(['n'], { milestone: 4, rest: 2 }),
  w_shaped: sharesUpTo(['leadPlace', 'createdPlace'], { milestone: 3, rest: 1 }),
  time_decay: 'decayed',
};

/** The first touch is a milestone always; of the others those whose place is 0 are none. */
function sharesUpTo(others: readonly [string, string?], { milestone, rest }: { milestone: number; rest: number }): string {
  const [one, two] = others;
  const isPast = (upTo: string): string =>
    `1 + (${one} > 1 AND ${upTo} >= ${one})${two === undefined ? '' : ` + (${two} > 1 AND ${two} != ${one} AND ${upTo} >= ${two})`}`;
  const reached = others.map((other) => ` + (${other} > 0 AND place >= ${other})`).join('');
  const scale = `greatest(toInt64(n) - (${isPast('n')}), 1)`;
  return `arrayMap(place -> ${milestone} * ${scale} * (1${reached}) + ${rest} * (toInt64(place) - (${isPast('place')})), places)`;
}

/** What each place gets of a whole: the difference of two rounded running sums, so that the parts add up to it. */
function partsOf(model: AttributionModel, whole: string): string {
  if (model === 'first' || model === 'last') {
    const place = model === 'first' ? '1' : 'n';
    return `if(n = 0, [toInt64(${whole})], arrayMap(place -> if(place = ${place}, toInt64(${whole}), toInt64(0)), places))`;
  }
  const upTo = `arrayMap(sum -> toInt64(floor(${whole} * (sum / ${model}_sums[-1]) + 0.5)), ${model}_sums)`;
  return `if(n = 0, [toInt64(${whole})], arrayPopFront(arrayDifference(arrayPushFront(${upTo}, toInt64(0)))))`;
}

/** So many different keys are told apart, as many as have a number in `PACKED`; the further ones count as none. */
const KEYS_MAX = 2 ** 24 - 1;

/** A touch as one number: time, partition, offset and number of its key, which sort as the touches happened and make repeats equal. */
const PACKED = `bitOr(bitShiftLeft(toUInt128(bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(occurred_at)), 16), partition)), 64),
  toUInt128(bitOr(bitShiftLeft(offset, 24), toUInt64(keyNumber))))`;

/**
 * Statement parts for a WITH: `path`, the opportunities (columns as `opportunityRows` has them), each with its touches in order: `times`, epoch ms, and `keys`, places in
 * `names`; `n` how many, and the places of those that brought lead and opportunity about.
 *
 * Touches are gathered by account, before they meet the opportunities, and as numbers: groups of tuples with text take several times as long.
 */
function pathParts(query: CreditScope, bound: BoundValues, key: TouchDimension): string {
  const column = TOUCH_COLUMNS[key];
  const ofRole = key === 'role';
  const touches = touchRows(query, bound, ofRole ? 'contact_id' : column, isOfKinds(query.kinds, bound));
  const named = `transform(${ofRole ? 'contact.role' : `touch.${column}`}, names, arrayEnumerate(names), toUInt32(1))`;
  return `opportunity AS (${cutRows(query, bound)}),
    arrayPushFront((SELECT groupUniqArray(${KEYS_MAX - 1})(toString(${column})) FROM ${ofRole ? 'contacts' : `(${touchTimes(query, bound, column)})`} WHERE ${column} != ''), '') AS names,
    touched AS
      (SELECT account_id, arrayCompact(arraySort(groupArray(${PACKED}))) AS touches
       FROM
         (SELECT touch.account_id AS account_id, touch.occurred_at AS occurred_at, touch.partition AS partition, touch.offset AS offset, ${named} AS keyNumber
          FROM (${touches}) AS touch
          ${ofRole ? 'LEFT ANY JOIN (SELECT id, role FROM contacts FINAL) AS contact ON touch.contact_id = contact.id' : ''})
       GROUP BY account_id),
    lead AS
      (SELECT account_id, arraySort(groupArray(toUnixTimestamp64Milli(created_at))) AS createdAts FROM ${LEADS} WHERE account_id != '' GROUP BY account_id),
    path AS
      (SELECT opportunity.id AS id, opportunity.accountId AS accountId, opportunity.amount AS amount, opportunity.currency AS currency,
         opportunity.outcome AS outcome, opportunity.stage AS stage, opportunity.source AS source, opportunity.createdAt AS createdAt, opportunity.closedAt AS closedAt, opportunity.at AS at,
         opportunity.whole AS whole,
         arrayFilter(touch -> touch >= bitShiftLeft(toUInt128(opportunity.startAt), 80) AND touch < bitShiftLeft(toUInt128(opportunity.cutAt), 80), touched.touches) AS part,
         arrayMap(touch -> toInt64(bitShiftRight(touch, 80)), part) AS times, arrayMap(touch -> toUInt32(bitAnd(touch, ${KEYS_MAX})), part) AS keys,
         length(times) AS n, arrayEnumerate(times) AS places,
         arrayFirst(at -> at >= opportunity.startAt AND at < opportunity.cutAt, lead.createdAts) AS leadAt,
         if(leadAt = 0, 0, arrayCount(time -> time <= leadAt, times)) AS leadPlace,
         arrayCount(time -> time <= createdAt, times) AS createdPlace, times[-1] AS lastAt,
         arrayCumSum(time -> exp2((time - lastAt) / ${bound.integer(query.halfLifeMs)}), times) AS decayed
       FROM opportunity
         LEFT ANY JOIN touched ON opportunity.accountId = touched.account_id
         LEFT ANY JOIN lead ON opportunity.accountId = lead.account_id)`;
}

/** Opportunities have a row with the touches of their account each: blocks of a few keep these from being in memory all at once. */
const FEW_AT_ONCE = 'max_block_size = 2048';

const PARTS = ATTRIBUTION_MODELS.flatMap((model) => [`${model}_units`, `${model}_hundredths`]);

const CREDITS = [
  ...Object.entries(RUNNING_SUMS).map(([model, sums]) => `${sums} AS ${model}_sums`),
  ...ATTRIBUTION_MODELS.map(
    (model) => `${partsOf(model, String(CREDIT_UNITS))} AS ${model}_units, ${partsOf(model, 'whole')} AS ${model}_hundredths`,
  ),
].join(', ');

/** The credit of every opportunity of the scope, shared by each model; what no touch has a part in comes as a row of its own, so that sums reconcile. */
export async function readAttribution(transport: RowTransport, query: AttributionQuery): Promise<CreditRow[]> {
  const bound = new BoundValues();
  const answer = await readBounded(
    transport,
    `WITH ${pathParts(query, bound, query.by)}
     SELECT touched, names[number] AS key, currency, countIf(touched) AS touches, countIf(isFirst) AS opportunities, sum(unknown_units) AS unitsWithoutAmount, ${PARTS.map((part) => `sum(${part}) AS ${part}`).join(', ')}
     FROM
       (SELECT currency, if(amount IS NULL, linear_units, toInt64(0)) AS unknown_units, n > 0 AS touched, number, nth = 1 AS isFirst, ${PARTS.join(', ')}
        FROM (SELECT *, if(n = 0, [toUInt32(1)], keys) AS numbers, arrayEnumerateUniq(numbers) AS nths, ${CREDITS} FROM path)
        ARRAY JOIN numbers AS number, nths AS nth, ${PARTS.join(', ')})
     GROUP BY touched, key, currency ORDER BY touched, key, currency`,
    bound.params,
    { settings: FEW_AT_ONCE },
  );
  return jsonRows<Row>(answer).map((row) => ({
    key: Number(row['touched']) === 1 ? String(row['key']) : null,
    currency: String(row['currency']),
    touches: Number(row['touches']),
    opportunities: Number(row['opportunities']),
    unitsWithoutAmount: Number(row['unitsWithoutAmount']),
    units: byModel(row, 'units'),
    hundredths: byModel(row, 'hundredths'),
  }));
}

/** Bools and 64-bit numbers come as numbers or as something else, as the server is set. */
type Row = Readonly<Record<string, string | number | boolean>>;

function byModel(row: Row, what: string): Record<AttributionModel, number> {
  return Object.fromEntries(ATTRIBUTION_MODELS.map((model) => [model, Number(row[`${model}_${what}`])])) as Record<
    AttributionModel,
    number
  >;
}

/** An opportunity, with what of its credit is of the touches asked for. */
export interface CreditedOpportunity extends ListedOpportunity {
  /** All that have a part in it, and those asked for. */
  readonly touches: number;
  readonly touchesOfKey: number;
  readonly units: Readonly<Record<AttributionModel, number>>;
}

export interface CreditedQuery extends AttributionQuery, OpportunityPage {
  /** Touches of this campaign, channel and so on; null for opportunities without touches. Absent for all. */
  readonly key?: string | null;
}

/** Opportunities that the touches asked for have a part in, the latest first. */
export async function readCredited(transport: RowTransport, query: CreditedQuery): Promise<CreditedOpportunity[]> {
  const bound = new BoundValues();
  const { key } = query;
  const isOfKey = key === undefined ? '1' : `names[number] = ${bound.text(key ?? '')}`;
  const condition = key === undefined ? '1' : key === null ? 'n = 0' : 'touchesOfKey > 0';
  const sums = ATTRIBUTION_MODELS.map(
    (model) => `if(n = 0, ${model}_units[1], arraySum((some, number) -> if(${isOfKey}, some, 0), ${model}_units, keys)) AS ${model}_credit`,
  );
  const answer = await readBounded(
    transport,
    `WITH ${pathParts(query, bound, query.by)}
     SELECT ${LISTED}, n, ${ATTRIBUTION_MODELS.map((model) => `${model}_credit`).join(', ')}, touchesOfKey
     FROM (SELECT *, ${CREDITS}, arrayCount(number -> ${isOfKey}, keys) AS touchesOfKey, ${sums.join(', ')} FROM path)
     WHERE ${condition} AND ${isAfter(query, bound)} ORDER BY at DESC, id LIMIT ${bound.integer(query.limit)}`,
    bound.params,
    { settings: FEW_AT_ONCE },
  );
  return jsonRows<Row & ListedRow>(answer).map((row) => ({
    ...listedOpportunity(row),
    touches: Number(row['n']),
    touchesOfKey: Number(row['touchesOfKey']),
    units: byModel(row, 'credit'),
  }));
}
