import { ratio } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, distinctOf } from './measure.ts';

export const engagementRate = declareKpi({
  name: 'engagement_rate',
  title: 'Engagement rate of target accounts',
  unit: 'percent',
  formula:
    'Accounts on the target list with at least one touch in the period that engages (any kind but ad_impression, email_open and direct_mail), divided by all accounts ' +
    'on the target list, times 100. The list is the one of now.',
  source: 'Account-based marketing: engaged accounts by target accounts.',
  inputs: ['accounts', 'touches'],
  better: 'higher',
  example: { inputs: { engaged: 45, targets: 150 }, value: 30 },
  measures: {
    engaged: distinctOf(
      'engagedAccounts',
      { at: 'occurred_at' },
      'account_id',
      () => 'account_id IN (SELECT id FROM accounts FINAL WHERE target_list)',
    ),
    targets: countOf('accounts', 'always', () => 'target_list'),
  },
  combine: ({ engaged, targets }) => ratio(engaged, targets, { times: 100, whenZero: 'no account is on the target list' }),
});
