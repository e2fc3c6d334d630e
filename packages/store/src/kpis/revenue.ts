import { outcome, quotient } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, moneyOf, type Condition } from './measure.ts';

const isWon: Condition = () => `outcome = 'won'`;
const hasNoAmount: Condition = () => `outcome = 'won' AND amount IS NULL`;

export const revenue = declareKpi({
  name: 'revenue',
  title: 'Revenue won',
  unit: 'currency',
  formula:
    'Amounts of the opportunities won in the period, by the day they closed. Those without an amount add nothing and are counted beside it.',
  source: 'Closed-won bookings by close date, as CRM systems report them.',
  inputs: ['opportunities'],
  better: 'higher',
  figures: {
    deals: 'Opportunities won',
    meanValue: 'Revenue by opportunity won',
    withoutAmount: 'Opportunities won whose amount is not known',
  },
  example: { inputs: { amount: 80_000, deals: 16, withoutAmount: 0 }, value: 80_000 },
  measures: {
    amount: moneyOf('opportunities', { at: 'closed_at' }, 'amount', 'zero', isWon),
    deals: countOf('opportunities', { at: 'closed_at' }, isWon),
    withoutAmount: countOf('opportunities', { at: 'closed_at' }, hasNoAmount),
  },
  combine: ({ amount, deals, withoutAmount }) =>
    outcome(amount, {
      numerator: amount,
      figures: { deals, meanValue: quotient(amount, deals, 'no opportunity was won'), withoutAmount },
    }),
});
