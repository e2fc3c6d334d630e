import { known, missing, outcome, product, quotient } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, distinctOf, type Measure, type MeasureScope } from './measure.ts';

const AT = { at: 'occurred_at' } as const;

/** Wanted roles with an engaged contact, added up over accounts. */
const covered: Measure = {
  table: 'engagedContacts',
  isMoney: false,
  whenAbsent: 'zero',
  rows: {
    key: 'engaged contacts by role',
    from: (scope: MeasureScope) =>
      `(SELECT span, segment, account_id, known.role AS role FROM ${scope.rows('engagedContacts', AT)} AS touch
        INNER JOIN (SELECT id, role FROM contacts FINAL WHERE role IN ${scope.list(scope.settings.rolesWanted)}) AS known ON touch.contact_id = known.id)`,
  },
  value: () => 'uniqExact((account_id, role))',
};

export const reach = declareKpi({
  name: 'reach',
  title: 'Reach',
  unit: 'count',
  formula:
    'Different contacts with at least one touch in the period that engages (any kind but ad_impression, email_open and direct_mail). New contacts had their first touch ' +
    'in the period; by campaignId each counts for the campaign of that first touch. Coverage is the share of the roles that the scoring model wants, in engaged ' +
    'accounts, that have an engaged contact.',
  source: 'Reach as distinct people; committee coverage as roles covered by roles wanted.',
  inputs: ['touches', 'contacts'],
  better: 'higher',
  figures: {
    newContacts: 'Contacts whose first touch ever was in the period',
    accounts: 'Accounts with a touch that engages',
    coverage: 'Wanted roles with an engaged contact, in percent of those of engaged accounts',
  },
  example: { inputs: { contacts: 320, newContacts: 40, accounts: 90, covered: 108 }, value: 320 },
  measures: {
    contacts: distinctOf('engagedContacts', AT, '(account_id, contact_id)', () => `contact_id != '' AND account_id != ''`),
    accounts: distinctOf('engagedContacts', AT, 'account_id', () => `account_id != ''`),
    newContacts: countOf('firstTouches', { at: 'first_at' }),
    covered,
  },
  combine: ({ accounts, contacts, covered, newContacts }, { settings: { rolesWanted } }) => {
    const wanted = rolesWanted.length === 0 ? missing('the scoring model wants no roles') : product(accounts, known(rolesWanted.length));
    const coverage = product(quotient(covered, wanted, 'no account is engaged'), known(100));
    return outcome(contacts, { numerator: contacts, figures: { newContacts, accounts, coverage } });
  },
});
