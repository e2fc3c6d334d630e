import { plus, product, quotient, known, ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import type { Measure } from './measure.ts';
import { PAYING_ACCOUNTS } from './paying-accounts.ts';

/** A step of the bridge from the recurring revenue at the beginning to that at the end: `step` is of an account, from `begun` to `ended`. */
function bridge(step: string): Measure {
  return { table: 'subscriptions', isMoney: true, whenAbsent: 'zero', rows: PAYING_ACCOUNTS, value: () => `sum(${step})` };
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
