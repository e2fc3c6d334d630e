import { known, missing, outcome, product, quotient } from '@touchstone/kpis';
import { NOBODY_PAYS, paying } from './arpa.ts';
import { acquisition } from './cac.ts';
import { costOfRevenue, grossMargin } from './gross-margin.ts';
import { declareKpi } from './kpi.ts';

export const cacPaybackMonths = declareKpi({
  name: 'cac_payback_months',
  title: 'CAC payback',
  unit: 'months',
  formula:
    'Customer acquisition cost divided by what an account leaves a month: ARPA times gross margin. The margin is KPI_GROSS_MARGIN; where that is not set, 1 less ' +
    'spend of category cogs by recurring revenue of the same months.',
  source: 'Skok, SaaS Metrics 2.0: months to recover CAC = CAC / (ARPA x gross margin).',
  inputs: ['spend', 'opportunities', 'subscriptions', 'gross margin of the settings, or spend of category cogs'],
  better: 'lower',
  figures: { cac: 'Customer acquisition cost', arpa: 'Average revenue per account', grossMargin: 'Share of revenue left after its cost' },
  // 15,000 / (1,250 x 0.8), at a margin of 0.8
  example: { inputs: { spend: 120_000, newCustomers: 8, mrr: 50_000, accounts: 40, cost: 10_000 }, value: 15 },
  measures: { ...acquisition, ...paying, cost: costOfRevenue },
  combine: ({ accounts, cost, mrr, newCustomers, spend }, { months, settings }) => {
    const cac = quotient(spend, newCustomers, 'no customer was won in the period');
    const arpa = quotient(mrr, accounts, NOBODY_PAYS);
    const margin = grossMargin(settings, cost, product(mrr, known(months)));
    const monthly = product(arpa, margin);
    const isLoss = monthly.value !== null && monthly.value <= 0;
    const payback = isLoss
      ? missing('accounts leave nothing after the cost of revenue: it never pays back')
      : quotient(cac, monthly, NOBODY_PAYS);
    return outcome(payback, { numerator: cac, denominator: monthly, figures: { cac, arpa, grossMargin: margin } });
  },
});
