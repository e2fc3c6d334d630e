import { jsonRows } from '../json-rows.ts';
import type { RowTransport } from '../row-transport.ts';
import { BoundValues, opportunityRows, type OpportunityDimension, type OpportunityFilters } from './opportunity-scope.ts';

export interface OutcomeQuery {
  /** Epoch ms; opportunities that were closed in the period, and those open in it. */
  readonly from: number;
  readonly to: number;
  readonly filters: OpportunityFilters;
  readonly by: OpportunityDimension | null;
}

/** What became of opportunities, by their newest version. Amounts are added up by currency. */
export interface OpportunityOutcomes {
  /** '' for everything, and for what has no value there. */
  readonly group: string;
  readonly currency: string;
  readonly won: number;
  readonly lost: number;
  /** Made before the end of the period, and neither won nor lost before it. */
  readonly open: number;
  /** Opportunities made in the period. */
  readonly created: number;
  /** Of those won: how many have an amount, and the sum of it. */
  readonly wonWithAmount: number;
  readonly wonAmount: number;
  /** Of those won: how many were closed after they were made, as far as is told. The others have no length, and are left out of it. */
  readonly wonTimed: number;
  /** From creation to close, together. */
  readonly wonMs: number;
  /** The same lengths in whole hours, with how many there are of each. */
  readonly wonHours: readonly (readonly [hours: number, count: number])[];
}

export async function readOutcomes(transport: RowTransport, query: OutcomeQuery): Promise<OpportunityOutcomes[]> {
  const bound = new BoundValues();
  const [from, to] = [bound.integer(query.from), bound.integer(query.to)];
  const all = opportunityRows({ basis: 'in_work', from: query.from, to: query.to, filters: query.filters }, bound, query.by);
  const isTimed = 'isWon AND closedAt >= createdAt';
  const length = 'closedAt - createdAt';
  const isWon = `outcome = 'won' AND closedAt >= ${from} AND closedAt < ${to}`;
  const answer = await transport.read(
    `SELECT group, currency, countIf(isWon) AS won, countIf(outcome = 'lost' AND closedAt >= ${from} AND closedAt < ${to}) AS lost,
       countIf(outcome = '' OR closedAt >= ${to}) AS open, countIf(createdAt >= ${from} AND createdAt < ${to}) AS created,
       countIf(isWon AND amount IS NOT NULL) AS wonWithAmount, sumIf(ifNull(amount, 0), isWon) AS wonAmount, countIf(${isTimed}) AS wonTimed, sumIf(${length}, ${isTimed}) AS wonMs,
       sumMapIf([intDiv(${length}, 3600000)], [1], ${isTimed}) AS wonHours
     FROM (SELECT *, ${isWon} AS isWon FROM (${all})) GROUP BY group, currency ORDER BY group, currency FORMAT JSONEachRow`,
    bound.params,
    { mayLag: true },
  );
  return jsonRows<Row>(answer).map((row) => ({
    group: String(row.group),
    currency: String(row.currency),
    won: Number(row.won),
    lost: Number(row.lost),
    open: Number(row.open),
    created: Number(row.created),
    wonWithAmount: Number(row.wonWithAmount),
    wonAmount: Number(row.wonAmount),
    wonTimed: Number(row.wonTimed),
    wonMs: Number(row.wonMs),
    wonHours: row.wonHours[0].map((hours, at) => [Number(hours), Number(row.wonHours[1][at])] as const),
  }));
}

type Numbers = readonly (number | string)[];
type Row = Readonly<Record<Exclude<keyof OpportunityOutcomes, 'wonHours'>, string | number>> & {
  readonly wonHours: readonly [Numbers, Numbers];
};
