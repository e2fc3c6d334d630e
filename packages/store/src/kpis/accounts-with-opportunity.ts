import { known, minus, product, quotient, ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, distinctOf } from './measure.ts';

const TABLE = 'opportunitiesOfAccounts';
const MADE = { at: 'created_at' } as const;
const TARGETS = `(SELECT id FROM accounts FINAL WHERE target_list)`;
const KNOWN = `(SELECT id FROM accounts FINAL)`;

export const accountsWithOpportunity = declareKpi({
  name: 'accounts_with_opportunity',
  title: 'Accounts with an opportunity',
  unit: 'percent',
  formula:
    'Accounts with an opportunity created in the period, divided by all accounts that the CRM knows, times 100; the same of the target list and of the rest, which tells ' +
    'what account-based marketing does that demand generation does not.',
  source: 'Account-based marketing: penetration of the target list against that of the accounts outside it.',
  inputs: ['accounts', 'opportunities'],
  better: 'higher',
  figures: {
    targetList: 'Of accounts on the target list, in percent',
    rest: 'Of the others, in percent',
    targetAccounts: 'Accounts on the target list',
    targetAccountsWith: 'Of them, those with an opportunity',
  },
  example: { inputs: { having: 30, all: 200, targetsHaving: 18, targets: 60 }, value: 15 },
  measures: {
    having: distinctOf(TABLE, MADE, 'account_id', () => `account_id IN ${KNOWN}`),
    all: countOf('accounts', 'always'),
    targetsHaving: distinctOf(TABLE, MADE, 'account_id', () => `account_id IN ${TARGETS}`),
    targets: countOf('accounts', 'always', () => 'target_list'),
  },
  combine: ({ all, having, targets, targetsHaving }) => {
    const ofTargets = quotient(targetsHaving, targets, 'no account is on the target list');
    const ofRest = quotient(minus(having, targetsHaving), minus(all, targets), 'all accounts are on the target list');
    return ratio(having, all, {
      times: 100,
      whenZero: 'no accounts are known',
      figures: {
        targetList: product(ofTargets, known(100)),
        rest: product(ofRest, known(100)),
        targetAccounts: targets,
        targetAccountsWith: targetsHaving,
      },
    });
  },
});
