import { outcome } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { aggregateOf, distinctOf } from './measure.ts';

const AT = { at: 'occurred_at' } as const;

export const websiteTraffic = declareKpi({
  name: 'website_traffic',
  title: 'Website traffic',
  unit: 'count',
  formula:
    'Touches of kind web_visit that occurred in the period; beside it the different contacts and accounts that made them. A contact of two accounts is two; ' +
    'visits of nobody known count as visits.',
  source: 'Visits and unique visitors, counted exactly.',
  inputs: ['touches of kind web_visit'],
  better: 'higher',
  figures: { contacts: 'Different contacts that visited', accounts: 'Different accounts that visited' },
  example: { inputs: { visits: 8200, contacts: 640, accounts: 210 }, value: 8200 },
  measures: {
    visits: aggregateOf('visitors', AT, { isMoney: false, whenAbsent: 'zero', value: () => 'sum(visits)' }),
    contacts: distinctOf('visitors', AT, '(account_id, contact_id)', () => `contact_id != ''`),
    accounts: distinctOf('visitors', AT, 'account_id', () => `account_id != ''`),
  },
  combine: ({ accounts, contacts, visits }) => outcome(visits, { numerator: visits, figures: { contacts, accounts } }),
});
