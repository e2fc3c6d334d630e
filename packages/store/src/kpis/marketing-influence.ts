import { known, product, quotient, ratio } from '@touchstone/kpis';
import { OPPORTUNITIES } from '../opportunities/dated-facts.ts';
import { declareKpi } from './kpi.ts';
import type { Measure, MeasureScope, Placed } from './measure.ts';

const LOOKBACK_DAYS = 90;
const DAY_MS = 86_400_000;
/** What sales and the product do is no marketing. */
const NO_MARKETING = ['call', 'meeting', 'product_use'];

/** Opportunities with whether a marketing touch of their account lies in the time before they were made. */
function influencedRows(scope: MeasureScope, placed: Placed): string {
  const end = Math.max(...scope.spans.map(({ to }) => to));
  return `(SELECT row.*, row.id IN
      (SELECT made.id FROM
         (SELECT account_id, occurred_at FROM touches
          WHERE occurred_at < fromUnixTimestamp64Milli(${end}, 'UTC') AND kind NOT IN ${scope.list(NO_MARKETING)} AND account_id IN (SELECT account_id FROM opportunities)) AS touch
       INNER JOIN (SELECT id, account_id, created_at FROM ${OPPORTUNITIES}) AS made ON touch.account_id = made.account_id
       WHERE touch.occurred_at < made.created_at AND touch.occurred_at >= made.created_at - toIntervalMillisecond(${LOOKBACK_DAYS * DAY_MS})) AS isInfluenced
    FROM ${scope.rows('opportunities', placed)} AS row)`;
}

function money(of: 'pipeline' | 'revenue', condition: string): Measure {
  const isPipeline = of === 'pipeline';
  return {
    table: 'opportunities',
    isMoney: true,
    whenAbsent: 'zero',
    rows: { key: `${of} with its influence`, from: (scope) => influencedRows(scope, { at: isPipeline ? 'created_at' : 'closed_at' }) },
    value: () => `sumOrNullIf(amount, ${isPipeline ? condition : `outcome = 'won' AND ${condition}`})`,
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
  figures: { revenue: 'Influenced revenue by all revenue, in percent' },
  example: { inputs: { influenced: 300_000, pipeline: 400_000, influencedRevenue: 60_000, revenue: 100_000 }, value: 75 },
  measures: {
    influenced: { ...money('pipeline', 'isInfluenced'), needs: ['touched'] },
    pipeline: money('pipeline', '1'),
    influencedRevenue: { ...money('revenue', 'isInfluenced'), needs: ['touched'] },
    revenue: money('revenue', '1'),
  },
  combine: ({ influenced, influencedRevenue, pipeline, revenue }) =>
    ratio(influenced, pipeline, {
      times: 100,
      whenZero: 'no opportunity with an amount was made in the period',
      figures: { revenue: product(quotient(influencedRevenue, revenue, 'nothing was won in the period'), known(100)) },
    }),
});
