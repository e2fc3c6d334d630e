import { known, missing, outcome, product, quotient } from '@touchstone/kpis';
import { declareKpi } from './kpi.ts';
import { countOf, type Measure, type SharedRows } from './measure.ts';

/** Who was engaged in a span, each with the role that is wanted of them, '' for none: read once for all that is told of them. */
const ENGAGED: SharedRows = {
  key: 'engaged contacts with wanted roles',
  from: (scope) =>
    `(SELECT touch.*, known.role AS role FROM ${scope.rows('engagedContacts', { at: 'occurred_at' })} AS touch
        LEFT ANY JOIN (SELECT id, role FROM contacts FINAL WHERE role IN ${scope.list(scope.settings.rolesWanted)}) AS known ON touch.contact_id = known.id)`,
};

/** Different values of a column, or of several, where the condition holds. */
function engaged(columns: string, where: string): Measure {
  return { table: 'engagedContacts', isMoney: false, whenAbsent: 'zero', rows: ENGAGED, value: () => `uniqExactIf(${columns}, ${where})` };
}

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
    contacts: engaged('(account_id, contact_id)', `contact_id != '' AND account_id != ''`),
    accounts: engaged('account_id', `account_id != ''`),
    newContacts: countOf('firstTouches', { at: 'first_at' }),
    // Wanted roles with an engaged contact, added up over accounts.
    covered: engaged('(account_id, role)', `role != ''`),
  },
  combine: ({ accounts, contacts, covered, newContacts }, { settings: { rolesWanted } }) => {
    const wanted = rolesWanted.length === 0 ? missing('the scoring model wants no roles') : product(accounts, known(rolesWanted.length));
    const coverage = product(quotient(covered, wanted, 'no account is engaged'), known(100));
    return outcome(contacts, { numerator: contacts, figures: { newContacts, accounts, coverage } });
  },
});
