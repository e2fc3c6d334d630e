import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { AccountAnswer, Page } from './account-answer.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HALF_LIFE_MS = 14 * DAY_MS;
const NOW = Date.now();
const MET_AT = NOW - HOUR_MS;

/** Ids that some layer on the way might take for something else. */
const ODD_IDS = [
  'a/b?c#d',
  '100%25',
  'with space',
  'plus+and&equals=',
  'semi;colon,comma',
  'stop.',
  '...',
  '"quoted"\'',
  '<script>',
  'back\\slash',
  'constructor',
  '__proto__',
  'Zürich AG',
  '株式会社😀',
  // With a byte order mark in front, and the same without: two accounts.
  '\uFEFFmarked',
  'marked',
];
/** The longest id there is, of units that take nine characters each when encoded. */
const LONGEST_ID = '株'.repeat(128);

let running: TemporaryServer;
const account = (id: string, query = ''): Promise<AccountAnswer> =>
  running.server.get<AccountAnswer>(`/v1/accounts/${encodeURIComponent(id)}${query}`);

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post('/v1/touches', [
    { id: 't1', accountId: 'acme', contactId: 'ann', kind: 'meeting', minutes: 30, occurredAt: MET_AT, campaignId: 'spring' },
    { id: 't2', accountId: 'acme', contactId: 'bob', kind: 'constructor', minutes: 2.5, occurredAt: MET_AT, campaignId: '__proto__' },
    { id: 't3', accountId: 'acme', contactId: 'eve', kind: 'ad_impression', occurredAt: MET_AT, campaignId: 'constructor' },
    { id: 't4', accountId: 'acme', kind: 'web_visit', minutes: 4, occurredAt: NOW - 40 * DAY_MS },
    // The same id again counts once, also with other content.
    { id: 't1', accountId: 'acme', contactId: 'ann', kind: 'meeting', minutes: 60, occurredAt: MET_AT },
  ]);
  await running.server.post(
    '/v1/touches',
    [...ODD_IDS, LONGEST_ID].map((accountId) => ({ accountId, kind: 'call', occurredAt: MET_AT })),
  );
  await eventually(
    () => running.server.get<Page<unknown>>('/v1/accounts?limit=100'),
    ({ data }) => data.length === ODD_IDS.length + 2,
  );
});
afterAll(() => running.close());

describe('one account', () => {
  it('has exactly the documented members, in the documented order', async () => {
    const answer = await account('acme');
    expect(Object.keys(answer)).toEqual(
      'accountId score points asOf version modelVersion stage qualified engaged lastTouchAt windows reach profile'.split(' '),
    );
    expect(Object.keys(answer.windows)).toEqual(['24h', '7d', '30d', '90d']);
    const figures = ['touches', 'minutes', 'byKind', 'contacts', 'newContacts'];
    for (const window of Object.values(answer.windows)) {
      expect(Object.keys(window)).toEqual([...figures, 'previous']);
      expect(Object.keys(window.previous)).toEqual(figures);
    }
    expect(Object.keys(answer.reach)).toEqual(['contacts', 'knownContacts', 'roles', 'byCampaign']);
    expect(Object.keys(answer.reach.roles)).toEqual(['wanted', 'covered', 'missing']);
  });

  it('scores as the formula says, at an instant ahead', async () => {
    const at = MET_AT + HALF_LIFE_MS;
    const answer = await account('acme', `?at=${at}`);
    const visit = 5 * 2 ** (-(at - (NOW - 40 * DAY_MS)) / HALF_LIFE_MS);
    const points = (30 + 0.5 * 30 + 0.1) / 2 + visit;
    expect(Math.abs(answer.points / points - 1)).toBeLessThan(1e-9);
    expect(Math.abs(answer.score / (100 * (1 - 2 ** (-points / 100))) - 1)).toBeLessThan(1e-9);
    expect(answer).toMatchObject({
      accountId: 'acme',
      asOf: new Date(at).toISOString(),
      lastTouchAt: new Date(MET_AT).toISOString(),
      modelVersion: 'default-1',
      stage: null,
      qualified: null,
      profile: null,
    });
  });

  it('takes the same instant as a time with an offset', async () => {
    const at = Math.ceil(NOW / 1000) * 1000 + DAY_MS;
    const text = `${new Date(at + 2 * HOUR_MS).toISOString().slice(0, 19)}+02:00`;
    expect(await account('acme', `?at=${encodeURIComponent(text)}`)).toEqual(await account('acme', `?at=${at}`));
  });

  it('counts by window, by kind and by campaign, also under names that objects have already', async () => {
    // Noon of the day after tomorrow: every touch is in a known slot, whatever the time of day is now.
    const at = Math.floor(NOW / DAY_MS) * DAY_MS + 2 * DAY_MS + 12 * HOUR_MS;
    const { windows, reach, engaged } = await account('acme', `?at=${at}`);
    const recent = { touches: 3, minutes: 32.5, byKind: { meeting: 1, constructor: 1, ad_impression: 1 }, contacts: 3, newContacts: 3 };
    const none = { touches: 0, minutes: 0, byKind: {}, contacts: 0, newContacts: 0 };
    const visit = { touches: 1, minutes: 4, byKind: { web_visit: 1 }, contacts: 0, newContacts: 0 };
    expect(windows['24h']).toEqual({ ...none, previous: expect.anything() });
    expect(windows['7d']).toEqual({ ...recent, previous: none });
    expect(windows['30d']).toEqual({ ...recent, previous: visit });
    const all = { ...recent, touches: 4, minutes: 36.5, byKind: { ...recent.byKind, web_visit: 1 } };
    expect(windows['90d']).toEqual({ ...all, previous: none });
    expect(engaged).toBe(true);
    expect(reach).toMatchObject({ contacts: 2, knownContacts: 3 });
    expect(reach.roles).toEqual({ wanted: ['decision_maker', 'champion', 'influencer'], covered: [], missing: reach.roles.wanted });
    expect(new Map(Object.entries(reach.byCampaign))).toEqual(
      new Map([
        ['spring', 1],
        ['__proto__', 1],
        ['constructor', 1],
      ]),
    );
  });

  test.each(ODD_IDS)('can be asked for as %j, percent-encoded', async (id) => {
    const answer = await account(id);
    expect(answer.accountId).toBe(id);
    expect(answer.windows['7d'].touches).toBe(1);
  });

  it('can have the longest id', async () => {
    expect((await account(LONGEST_ID)).accountId).toBe(LONGEST_ID);
  });

  const instants: readonly (readonly [string, string])[] = [
    ['before the last change', String(NOW - HOUR_MS)],
    ['in 1970', '1970-01-01T00:00:00Z'],
    ['before 1970', '1969-12-31T23:59:59Z'],
    ['a day without a time', '2026-03-01'],
    ['a time without an offset', '2026-03-01T00:00:00'],
    ['a day that does not exist', '2027-02-30T00:00:00Z'],
    ['negative', '-1'],
    ['too large', '999999999999999'],
    ['no time at all', 'now'],
    ['empty', ''],
  ];
  test.each(instants)('refuses an instant %s, and says so of `at`', async (_case, at) => {
    const problem = await expectProblem(
      await running.server.fetch(`/v1/accounts/acme?at=${encodeURIComponent(at)}`),
      400,
      'invalid_request',
    );
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: '#/at' }]);
    expect(problem.detail).toMatch(/^at /);
  });

  const unknown: readonly (readonly [string, string, number])[] = [
    ['an id that nobody has named', 'nobody', 404],
    ['other letters', 'ACME', 404],
    ['a space more', 'acme%20', 404],
    ['a NUL', '%00', 404],
    ['an emoji', '%F0%9F%98%80', 404],
    ['dots', '%2E%2E%2F', 404],
    ['129 characters', 'a'.repeat(129), 400],
    ['more than any id takes', 'a'.repeat(5000), 404],
  ];
  test.each(unknown)('does not answer for %s', async (_case, id, status) => {
    for (const part of ['', '/timeline', '/history']) {
      const response = await running.server.fetch(`/v1/accounts/${id}${part}`);
      const problem = await expectProblem(response, status, status === 404 ? 'not_found' : 'invalid_request');
      if (status === 400) expect(problem.errors).toMatchObject([{ in: 'path', pointer: '#/accountId' }]);
    }
  });

  test.each(['%', '%f', '%ff', '%c0%af', '%ed%a0%80'])('answers 400 for %s, which is no percent-encoding of UTF-8', async (id) => {
    await expectProblem(await running.server.fetch(`/v1/accounts/${id}`), 400, 'invalid_request');
  });
});
