import { minus, missing, outcome, quotient } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, moneyOf, type Condition } from './measure.ts';

const isWon: Condition = () => `outcome = 'won'`;
const hasNoAmount: Condition = () => `outcome = 'won' AND amount IS NULL`;

const NO_AMOUNT = 'no opportunity that was won in the period has an amount';

export const revenue = declareKpi({
  name: 'revenue',
  title: 'Revenue won',
  unit: 'currency',
  formula:
    'Amounts of the opportunities won in the period, by the day they closed. Those without an amount are counted beside it: they are in no mean, and where none has an amount there is no revenue to tell.',
  source: 'Closed-won bookings by close date, as CRM systems report them.',
  inputs: ['opportunities'],
  better: 'higher',
  figures: {
    deals: 'Opportunities won',
    meanValue: 'Mean amount of those won that have one',
    withoutAmount: 'Opportunities won whose amount is not known',
  },
  example: { inputs: { amount: 80_000, deals: 16, withoutAmount: 0 }, value: 80_000 },
  measures: {
    amount: moneyOf('opportunities', { at: 'closed_at' }, 'amount', 'zero', isWon),
    deals: countOf('opportunities', { at: 'closed_at' }, isWon),
    withoutAmount: countOf('opportunities', { at: 'closed_at' }, hasNoAmount),
  },
  combine: ({ amount, deals, withoutAmount }) => {
    const withAmount = minus(deals, withoutAmount);
    const isUnknown = withAmount.value === 0 && deals.value !== 0;
    const told = isUnknown ? missing(NO_AMOUNT) : amount;
    return outcome(told, { numerator: told, figures: { deals, meanValue: quotient(told, withAmount, NO_AMOUNT), withoutAmount } });
  },
});
