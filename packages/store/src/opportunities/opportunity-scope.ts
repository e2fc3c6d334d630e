import type { Params } from '../row-transport.ts';
import { OPPORTUNITIES } from './dated-facts.ts';

/** What opportunities can be filtered and compared by. The owner is that of the opportunity, and of its account where it has none. */
const EXPRESSIONS = {
  tier: 'account.tier',
  industry: 'account.industry',
  targetList: "if(account.target_list, 'true', 'false')",
  owner: "if(opportunity.owner = '', account.owner, opportunity.owner)",
  source: 'opportunity.source',
} as const;

export type OpportunityDimension = keyof typeof EXPRESSIONS;
export const OPPORTUNITY_DIMENSIONS = Object.keys(EXPRESSIONS) as readonly OpportunityDimension[] as readonly [
  OpportunityDimension,
  ...OpportunityDimension[],
];

/** Of a dimension's values any has to hold, of the dimensions all; '' is for what has none. */
export type OpportunityFilters = Readonly<Partial<Record<OpportunityDimension, readonly string[]>>>;

/**
 * Which opportunities a question is about, each as its newest version has it: those made in the period, those closed in it, or of these the won.
 * Times are epoch ms; the period ends before `to`.
 */
export interface OpportunityScope {
  readonly basis: 'created' | 'closed' | 'won';
  readonly from: number;
  readonly to: number;
  readonly filters: OpportunityFilters;
}

const BASES = {
  created: 'created_at',
  closed: 'closed_at',
  won: 'closed_at',
} as const satisfies Record<OpportunityScope['basis'], string>;

/** Values bound to places of a statement, under names of their own. */
export class BoundValues {
  readonly #values: Record<string, string | number> = {};

  get params(): Params {
    return this.#values;
  }

  integer(value: number): string {
    return `{${this.#bind(value)}:Int64}`;
  }

  text(value: string): string {
    return `{${this.#bind(value)}:String}`;
  }

  instant(value: number): string {
    return `fromUnixTimestamp64Milli(${this.integer(value)}, 'UTC')`;
  }

  /** For `x IN list`. */
  list(values: readonly string[]): string {
    return `(SELECT arrayJoin(JSONExtract(${this.text(JSON.stringify(values))}, 'Array(String)')))`;
  }

  #bind(value: string | number): string {
    const name = `value${Object.keys(this.#values).length}`;
    this.#values[name] = value;
    return name;
  }
}

/** Which touches have a part in an opportunity. */
export interface TouchScope {
  /** Touches up to the opportunity's creation (for pipeline), or up to its close (for revenue). */
  readonly cut: 'created' | 'closed';
  /** Touches longer before the cut have no part. */
  readonly lookbackMs: number;
  /** Kinds of touches that count, or that do not. */
  readonly kinds: { readonly only: readonly string[] } | { readonly but: readonly string[] };
}

/** Condition on the column `kind`. */
export function isOfKinds(kinds: TouchScope['kinds'], bound: BoundValues): string {
  return 'only' in kinds ? `kind IN ${bound.list(kinds.only)}` : `kind NOT IN ${bound.list(kinds.but)}`;
}

/**
 * Touches that may have a part in one of the opportunities of the statement `opportunity`, as a statement with the columns asked for. It reads the time that they can be of,
 * and accounts with opportunities, alone: touches stand by time of append, so that most of the others are passed over.
 */
export function touchRows(
  query: OpportunityScope & Omit<TouchScope, 'kinds'>,
  bound: BoundValues,
  columns: string,
  condition = '1',
): string {
  return `${touchTimes(query, bound, `account_id, occurred_at, partition, offset, ${columns}`)} AND ${condition} AND account_id IN (SELECT accountId FROM opportunity)`;
}

/** Touches of the time that `touchRows` is about, as a statement that a condition may be added to. */
export function touchTimes(query: OpportunityScope & Omit<TouchScope, 'kinds'>, bound: BoundValues, columns: string): string {
  const { basis, cut, from, lookbackMs, to } = query;
  // Who was closed in the period may have been made long before it, and was cut then.
  const isBounded = basis === 'created' || cut === 'closed';
  return `SELECT ${columns} FROM touches
    WHERE occurred_at < ${bound.instant(to)} ${isBounded ? `AND occurred_at >= ${bound.instant(Math.max(0, from - lookbackMs))}` : ''}`;
}

/** `opportunityRows`, with `cutAt` and `startAt`: touches have a part from `startAt` to before `cutAt`. */
export function cutRows(
  query: OpportunityScope & Omit<TouchScope, 'kinds'>,
  bound: BoundValues,
  by: OpportunityDimension | null = null,
): string {
  const cutAt = query.cut === 'created' ? 'createdAt' : 'closedAt';
  return `SELECT *, toInt64(${cutAt}) AS cutAt, greatest(cutAt - ${bound.integer(query.lookbackMs)}, 0) AS startAt, toInt64(round(ifNull(amount, 0) * 100)) AS whole
    FROM (${opportunityRows(query, bound, by)})`;
}

/** Of a touch (alias `touch`) and the opportunity of its account. */
export const HAS_PART = `toUnixTimestamp64Milli(touch.occurred_at) < opportunity.cutAt AND toUnixTimestamp64Milli(touch.occurred_at) >= opportunity.startAt`;

/**
 * The opportunities as a statement: `id, accountId, amount, currency, outcome, stage, source, createdAt, closedAt` (epoch ms; `closedAt` 0 while open), `at`, which is what
 * places them in the period, and the `group` they are compared by, '' for everything. In work are those made before the end of the period, and those closed in it whenever
 * they were made: of one that was told of after its close nobody may know when that was.
 */
export function opportunityRows(
  { basis, filters, from, to }: Omit<OpportunityScope, 'basis'> & { readonly basis: OpportunityScope['basis'] | 'in_work' },
  bound: BoundValues,
  by: OpportunityDimension | null = null,
): string {
  const at = basis === 'in_work' ? 'created_at' : BASES[basis];
  const isIn = (column: string): string => `${column} >= ${bound.instant(from)} AND ${column} < ${bound.instant(to)}`;
  const isOf = basis === 'in_work' ? `(created_at < ${bound.instant(to)} OR (outcome != '' AND ${isIn('closed_at')}))` : isIn(at);
  const asked = Object.entries(filters) as [OpportunityDimension, readonly string[]][];
  const conditions = asked.map(([dimension, values]) => `${EXPRESSIONS[dimension]} IN ${bound.list(values)}`);
  const needsAccount = by !== null || asked.length > 0;
  return `SELECT opportunity.id AS id, opportunity.account_id AS accountId, opportunity.amount AS amount, opportunity.currency AS currency,
      toString(opportunity.outcome) AS outcome, opportunity.stage AS stage, opportunity.source AS source, opportunity.createdAt AS createdAt, opportunity.closedAt AS closedAt, opportunity.at AS at,
      ${by === null ? "''" : `toString(${EXPRESSIONS[by]})`} AS group
    FROM
      (SELECT *, toUnixTimestamp64Milli(created_at) AS createdAt, toUnixTimestamp64Milli(closed_at) AS closedAt, toUnixTimestamp64Milli(${at}) AS at
       FROM ${OPPORTUNITIES}
       WHERE ${isOf}
         ${basis === 'won' ? "AND outcome = 'won'" : ''} ${basis === 'closed' ? "AND outcome != ''" : ''}) AS opportunity
    ${needsAccount ? 'LEFT ANY JOIN (SELECT * FROM accounts FINAL) AS account ON opportunity.account_id = account.id' : ''}
    WHERE ${conditions.join(' AND ') || '1'}`;
}
