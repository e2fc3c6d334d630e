import { expect, it } from 'vitest';
import { referenceOf, type AccountView } from './account-view.ts';
import { differences } from './differences.ts';
import { LogBuilder } from './log-builder.ts';

const AS_OF = Date.UTC(2026, 2, 10, 12, 30);
const log = new LogBuilder(AS_OF).touch({ contactId: 'ada', minutes: 0.3, campaignId: '__proto__' }).touch({ kind: 'constructor' });
const expected = referenceOf(log.entries).view('acme', AS_OF)!;
const served = (change: (view: { -readonly [Field in keyof AccountView]: AccountView[Field] }) => void = () => {}): unknown => {
  const copy = structuredClone(expected);
  change(copy);
  return JSON.parse(JSON.stringify(copy));
};
const day = expected.windows['24h'];

const rows: [description: string, served: unknown, found: string[]][] = [
  ['equal', served(), []],
  ['more at the top level', { ...expected, asOf: 'x', stage: null }, []],
  ['points within 1e-9', served((view) => (view.points *= 1 + 9e-10)), []],
  ['points off by more', served((view) => (view.points = 1.31)), ['acme: points: expected 1.3, served 1.31']],
  ['a score that is no number', { ...expected, score: NaN }, [expect.stringContaining('acme: score: expected')]],
  ['a score that JSON made null', served((view) => (view.score = NaN)), [expect.stringContaining('served null')]],
  [
    'minutes off',
    served((view) => (view.windows = { ...view.windows, '24h': { ...day, minutes: 0.4 } })),
    ['acme: windows.24h.minutes: expected 0.3, served 0.4'],
  ],
  [
    'minutes within 1e-9',
    served(
      (view) => (view.windows = { ...view.windows, '24h': { ...day, minutes: 0.1 + 0.2, previous: { ...day.previous, minutes: -0 } } }),
    ),
    [],
  ],
  [
    'a count off by a billionth',
    served((view) => (view.windows = { ...view.windows, '7d': { ...day, touches: 2 + 1e-10 } })),
    ['acme: windows.7d.touches: expected 2, served 2.0000000001'],
  ],
  [
    'a kind too many, even one of 0',
    served((view) => (view.windows = { ...view.windows, '24h': { ...day, byKind: { ...day.byKind, call: 0 } } })),
    ['acme: windows.24h.byKind.call: expected nothing, served 0'],
  ],
  [
    'a kind missing that every object has',
    served((view) => (view.windows = { ...view.windows, '24h': { ...day, byKind: { web_visit: 1 } } })),
    ['acme: windows.24h.byKind.constructor: expected 1, served nothing'],
  ],
  [
    'a campaign missing',
    served((view) => (view.reach = { ...view.reach, byCampaign: {} })),
    ['acme: reach.byCampaign.__proto__: expected 1, served nothing'],
  ],
  [
    'a whole part missing',
    served((view) => Reflect.deleteProperty(view, 'reach')),
    [expect.stringMatching(/^acme: reach: .* served nothing$/)],
  ],
  ['a flag wrong', served((view) => (view.engaged = false)), ['acme: engaged: expected true, served false']],
  [
    'roles in another order',
    served((view) => (view.reach = { ...view.reach, roles: { ...view.reach.roles, missing: view.reach.roles.missing.toReversed() } })),
    [expect.stringContaining('acme: reach.roles.missing')],
  ],
  ['not served', null, ['acme: expected an account, served null']],
];

it.each(rows)('%s', (_description, answer, found) => {
  expect(differences(expected, answer)).toEqual(found);
});

it('an account that is not on the log is not served', () => {
  expect(differences(null, null)).toEqual([]);
  expect(differences(null, expected)).toEqual(['the account is not named on the log, but was served']);
});
