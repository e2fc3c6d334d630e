import { minus, quotient, ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { distinctOf, moneyOf, type Condition, type Placed } from './measure.ts';

const AT_END: Placed = { from: 'begins_at', to: 'ends_at', edge: 'end' };

const isNew: Condition = ({ beginOfSpan }) => `toUnixTimestamp64Milli(first_at) >= ${beginOfSpan}`;

/** Recurring revenue and who pays it, as the period ends. */
export const paying = {
  mrr: moneyOf('subscriptions', AT_END, 'mrr', 'zero'),
  accounts: distinctOf('subscriptions', AT_END, 'account_id'),
} as const;

export const NOBODY_PAYS = 'no account has a subscription as the period ends';

export const arpa = declareKpi({
  name: 'arpa',
  title: 'Average revenue per account',
  unit: 'currency',
  formula:
    'Monthly recurring revenue as the period ends, divided by the accounts that pay it. New accounts are those whose first subscription began in the period.',
  source: 'Skok, SaaS Metrics 2.0: ARPA is monthly recurring revenue by accounts, told apart for new ones.',
  inputs: ['subscriptions'],
  better: 'higher',
  figures: { new: 'ARPA of new accounts', existing: 'ARPA of the others', newAccounts: 'New accounts' },
  example: { inputs: { mrr: 50_000, accounts: 40, newMrr: 8000, newAccounts: 10 }, value: 1250 },
  measures: {
    ...paying,
    newMrr: moneyOf('subscriptions', AT_END, 'mrr', 'zero', isNew),
    newAccounts: distinctOf('subscriptions', AT_END, 'account_id', isNew),
  },
  combine: ({ accounts, mrr, newAccounts, newMrr }) =>
    ratio(mrr, accounts, {
      whenZero: NOBODY_PAYS,
      figures: {
        new: quotient(newMrr, newAccounts, 'there is no new account'),
        existing: quotient(minus(mrr, newMrr), minus(accounts, newAccounts), 'there are only new accounts'),
        newAccounts,
      },
    }),
});
