import { known, outcome, product, quotient } from '@touchstone/kpis';
import { NOBODY_PAYS, paying } from './arpa.ts';
import { declareKpi } from './kpi.ts';
import type { Measure } from './measure.ts';
import { PAYING_ACCOUNTS } from './paying-accounts.ts';

function accountsOf(condition: string): Measure {
  return {
    table: 'subscriptions',
    isMoney: false,
    whenAbsent: 'zero',
    rows: PAYING_ACCOUNTS,
    value: () => `countIf(isOnce AND ${condition})`,
  };
}

export const cltv = declareKpi({
  name: 'cltv',
  title: 'Customer lifetime value',
  unit: 'currency',
  formula:
    'ARPA as the period ends, divided by the share of customers lost a month: accounts that paid as the period began and do not as it ends, by all that paid as it ' +
    'began, by its months.',
  source: 'Skok, SaaS Metrics 2.0: LTV = ARPA / customer churn rate; the expected life of a customer is one by the rate.',
  inputs: ['subscriptions'],
  better: 'higher',
  figures: { arpa: 'Average revenue per account', churnRate: 'Share of customers lost a month', lost: 'Customers lost in the period' },
  // 1,250 / (2 of 50 in a month)
  example: { inputs: { mrr: 50_000, accounts: 40, customers: 50, lost: 2 }, value: 31_250 },
  measures: { ...paying, customers: accountsOf('hasBegun'), lost: accountsOf('hasBegun AND NOT hasStayed') },
  combine: ({ accounts, customers, lost, mrr }, { months }) => {
    const arpa = quotient(mrr, accounts, NOBODY_PAYS);
    const churnRate = quotient(lost, product(customers, known(months)), 'there was no customer as the period began');
    const value = quotient(arpa, churnRate, 'no customer was lost in the period, so that none has an end to its life');
    return outcome(value, { numerator: arpa, denominator: churnRate, figures: { arpa, churnRate, lost } });
  },
});
