import { plus, product, quotient, known, ratio } from '@touchstone/kpis';
import { AT_END, AT_START } from './arpa.ts';
import { declareKpi } from './kpi.ts';
import type { Measure, SharedRows } from './measure.ts';

/** What each account paid as the span began and as it ended, in each of its currencies; whether it had and has any at all is told over all of them. */
const FROM_START_TO_END: SharedRows = {
  key: 'from start to end',
  from: (scope) =>
    `(SELECT *, sum(begun) OVER account > 0 AS hasBegun, sum(ended) OVER account > 0 AS hasStayed FROM
     (SELECT span, segment, currency, account_id, sumIf(mrr, edge = 0) AS begun, sumIf(mrr, edge = 1) AS ended FROM
       (SELECT span, segment, currency, account_id, mrr, 0 AS edge FROM ${scope.rows('subscriptions', AT_START)}
        UNION ALL SELECT span, segment, currency, account_id, mrr, 1 AS edge FROM ${scope.rows('subscriptions', AT_END)})
     GROUP BY span, segment, currency, account_id)
   WINDOW account AS (PARTITION BY span, segment, account_id))`,
};

/** A step of the bridge from the recurring revenue at the beginning to that at the end: `step` is of an account, from `begun` to `ended`. */
function bridge(step: string): Measure {
  return { table: 'subscriptions', isMoney: true, whenAbsent: 'zero', rows: FROM_START_TO_END, value: () => `sum(${step})` };
}

export const grossMrrChurn = declareKpi({
  name: 'gross_mrr_churn',
  title: 'Gross MRR churn',
  unit: 'percent',
  formula:
    'Monthly recurring revenue of the accounts that had subscriptions as the period began and have none as it ends, divided by all recurring revenue as it began, ' +
    'times 100. What accounts that stay pay less is contraction and told beside it; one that pays in another currency stays. start + new + expansion - contraction - churn = end.',
  source: 'Skok, SaaS Metrics 2.0: gross dollar churn over the MRR at the start of the month.',
  inputs: ['subscriptions'],
  better: 'lower',
  figures: {
    start: 'MRR as the period began',
    new: 'MRR of accounts that had none as it began',
    expansion: 'What accounts that stayed pay more',
    contraction: 'What accounts that stayed pay less',
    churn: 'MRR of the accounts that left',
    end: 'MRR as it ends',
    withContraction: 'Churn and contraction by MRR at the beginning, in percent',
  },
  example: {
    inputs: { start: 40_000, gained: 6000, expansion: 2500, contraction: 500, churn: 1000, end: 47_000 },
    value: 2.5,
  },
  measures: {
    start: bridge('begun'),
    gained: bridge('if(hasBegun, 0, ended)'),
    expansion: bridge('if(hasBegun AND hasStayed AND ended > begun, ended - begun, 0)'),
    contraction: bridge('if(hasStayed AND ended < begun, begun - ended, 0)'),
    churn: bridge('if(hasStayed, 0, begun)'),
    end: bridge('ended'),
  },
  combine: ({ churn, contraction, end, expansion, gained, start }) => {
    const whenZero = 'there was no recurring revenue as the period began';
    const withContraction = product(quotient(plus(churn, contraction), start, whenZero), known(100));
    return ratio(churn, start, {
      times: 100,
      whenZero,
      figures: { start, new: gained, expansion, contraction, churn, end, withContraction },
    });
  },
});
