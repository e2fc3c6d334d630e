import { known, product, quotient, ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, type Measure, type MeasureScope } from './measure.ts';

const LOOKBACK_DAYS = 90;
/** What sales and the product do is no marketing. */
const NO_MARKETING = ['call', 'meeting', 'product_use'];

/**
 * Opportunities made in a span and those closed in it, `isPipeline` telling which, with whether a marketing touch of their account lies in the time before they were made.
 *
 * Touches are many: each goes by once, to the first opportunity of its account that was made after it (or to several made at one instant), and of these only
 * the latest touch is kept. What came before an earlier opportunity of the account came before this one too, hence the running maximum. When opportunities were
 * made is a value of the statement (`instants`), as a part of one that is named is computed anew wherever it is named.
 */
function influencedRows(scope: MeasureScope): string {
  const made = scope.rows('opportunities', { at: 'created_at' });
  const closed = scope.rows('opportunities', { at: 'closed_at' });
  const both = `SELECT *, true AS isPipeline FROM ${made} UNION ALL SELECT *, false AS isPipeline FROM ${closed}`;
  const lookback = `toIntervalDay(${LOOKBACK_DAYS})`;
  return `(WITH row AS (${both}),
    (SELECT groupUniqArray((account_id, created_at)) FROM (SELECT account_id, created_at FROM row)) AS instants,
    made AS (SELECT instant.1 AS account_id, instant.2 AS created_at FROM (SELECT arrayJoin(instants) AS instant)),
    touched AS
      (SELECT made.account_id AS account_id, made.created_at AS created_at, max(touch.occurred_at) AS lastAt
       FROM
         (SELECT account_id, occurred_at FROM touches
          WHERE occurred_at >= (SELECT min(created_at) FROM made) - ${lookback} AND occurred_at < (SELECT max(created_at) FROM made)
            AND kind NOT IN ${scope.list(NO_MARKETING)}) AS touch
       ASOF INNER JOIN made ON touch.account_id = made.account_id AND touch.occurred_at < made.created_at
       GROUP BY account_id, created_at)
    SELECT row.*, (row.account_id, row.created_at) IN
      (SELECT account_id, created_at FROM
         (SELECT made.account_id AS account_id, made.created_at AS created_at,
            max(touched.lastAt) OVER (PARTITION BY account_id ORDER BY created_at) AS lastAt
          FROM made LEFT ANY JOIN touched ON made.account_id = touched.account_id AND made.created_at = touched.created_at)
       WHERE lastAt >= created_at - ${lookback}) AS isInfluenced
    FROM row)`;
}

function money(condition: string): Measure {
  return {
    table: 'opportunities',
    isMoney: true,
    whenAbsent: 'zero',
    rows: { key: 'opportunities with their influence', from: influencedRows },
    value: () => `sumOrNullIf(amount, ${condition})`,
  };
}

export const marketingInfluence = declareKpi({
  name: 'marketing_influence',
  title: 'Marketing influence',
  unit: 'percent',
  formula:
    `Amount of opportunities made in the period with a marketing touch of their account in the ${LOOKBACK_DAYS} days before they were made, divided by the amount of all made in it, times 100; the same ` +
    'of revenue, which is of opportunities won in the period. Marketing touches are all but calls, meetings and use of the product. /v1/influence tells sourced ones, other times, and the ' +
    'opportunities behind it.',
  source: 'Marketing-influenced pipeline and revenue: the share of deals that marketing touched before they were deals.',
  inputs: ['opportunities', 'touches'],
  better: 'higher',
  figures: {
    revenue: 'Influenced revenue by all revenue, in percent',
    withoutAmount: 'Opportunities made in the period whose amount is not known',
  },
  example: { inputs: { influenced: 300_000, pipeline: 400_000, influencedRevenue: 60_000, revenue: 100_000, withoutAmount: 2 }, value: 75 },
  measures: {
    influenced: { ...money('isPipeline AND isInfluenced'), needs: ['touched'] },
    pipeline: money('isPipeline'),
    influencedRevenue: { ...money("NOT isPipeline AND outcome = 'won' AND isInfluenced"), needs: ['touched'] },
    revenue: money("NOT isPipeline AND outcome = 'won'"),
    withoutAmount: countOf('opportunities', { at: 'created_at' }, () => 'amount IS NULL'),
  },
  combine: ({ influenced, influencedRevenue, pipeline, revenue, withoutAmount }) =>
    ratio(influenced, pipeline, {
      times: 100,
      whenZero: 'no opportunity with an amount was made in the period',
      figures: { revenue: product(quotient(influencedRevenue, revenue, 'nothing was won in the period'), known(100)), withoutAmount },
    }),
});
