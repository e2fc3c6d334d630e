import { ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, moneyOf } from './measure.ts';
import { isSalesAndMarketing } from './spend-classes.ts';

/** Of every KPI that needs what a new customer costs. */
export const acquisition = {
  spend: moneyOf('spend', { day: 'date' }, 'amount', 'missing', isSalesAndMarketing),
  newCustomers: countOf('customers', { at: 'first_at' }),
} as const;

export const cac = declareKpi({
  name: 'cac',
  title: 'Customer acquisition cost',
  unit: 'currency',
  formula:
    'Sales and marketing spend of the period, which is all spend but that of category cogs, divided by the customers won in it: accounts whose first won ' +
    'opportunity closed or whose first subscription began in the period.',
  source: 'Skok, SaaS Metrics 2.0: the whole cost of sales and marketing of a period by the customers it acquired.',
  inputs: ['spend', 'opportunities', 'subscriptions'],
  better: 'lower',
  example: { inputs: { spend: 120_000, newCustomers: 8 }, value: 15_000 },
  measures: acquisition,
  combine: ({ newCustomers, spend }) => ratio(spend, newCustomers, { whenZero: 'no customer was won in the period' }),
});
