import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { AccountAnswer, ListedAnswer, Page } from './account-answer.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const NOW = Date.now();
const HOUR_MS = 3_600_000;
/** Views are compared at one instant ahead, so that nothing but the facts differs. */
const AT = NOW + HOUR_MS;

let running: TemporaryServer;
const account = (id: string): Promise<AccountAnswer> => running.server.get<AccountAnswer>(`/v1/accounts/${id}?at=${AT}`);
const once = (id: string, isThere: (view: AccountAnswer) => boolean): Promise<AccountAnswer> => eventually(() => account(id), isThere);

/** Posts facts, and waits until the account has applied them: its version moves on with each. */
async function postAnd(path: string, facts: readonly object[], id: string): Promise<AccountAnswer> {
  const before = await account(id).catch(() => null);
  const { accepted } = await running.server.post(path, facts);
  expect(accepted).toBe(facts.length);
  return once(id, ({ version }) => version > (before?.version ?? -1));
}

beforeAll(async () => {
  running = await openTemporaryServer();
});
afterAll(() => running.close());

describe('facts', () => {
  it('of contacts give past touches the weight of the role, and take it back', async () => {
    await running.server.post('/v1/touches', [
      { accountId: 'roles', contactId: 'ann', kind: 'meeting', occurredAt: NOW - HOUR_MS },
      { accountId: 'roles', contactId: 'bob', kind: 'call', occurredAt: NOW - HOUR_MS },
    ]);
    const plain = await once('roles', (view) => view.windows['7d'].touches === 2);
    const unit = plain.points / 40;
    expect(plain.reach.roles.covered).toEqual([]);

    const contact = { id: 'ann', accountId: 'roles', role: 'decision_maker', updatedAt: NOW - 3000 };
    const decided = await postAnd('/v1/contacts', [contact], 'roles');
    expect(Math.abs(decided.points / (unit * (1.5 * 30 + 10)) - 1)).toBeLessThan(1e-9);
    expect(decided.reach).toMatchObject({ contacts: 2, knownContacts: 2 });
    expect(decided.reach.roles).toEqual({
      wanted: ['decision_maker', 'champion', 'influencer'],
      covered: ['decision_maker'],
      missing: ['champion', 'influencer'],
    });

    const older = await postAnd('/v1/contacts', [{ ...contact, role: 'champion', updatedAt: NOW - 4000 }], 'roles');
    expect(older.points).toBe(decided.points);

    const same = await postAnd('/v1/contacts', [{ ...contact, role: 'influencer' }], 'roles');
    expect(Math.abs(same.points / (unit * (1.1 * 30 + 10)) - 1)).toBeLessThan(1e-9);

    const newer = await postAnd('/v1/contacts', [{ ...contact, role: null, updatedAt: NOW - 2000 }], 'roles');
    expect(newer.points).toBe(plain.points);
    expect(newer.reach.roles.covered).toEqual([]);
  });

  it('of contacts make a person known before any touch', async () => {
    const { reach, score, lastTouchAt, engaged } = await postAnd(
      '/v1/contacts',
      [
        { id: 'c1', accountId: 'early' },
        { id: 'c2', accountId: 'early' },
      ],
      'early',
    );
    expect({ score, lastTouchAt, engaged }).toEqual({ score: 0, lastTouchAt: null, engaged: false });
    expect(reach.contacts).toBe(0);
    await once('early', (view) => view.reach.knownContacts === 2);
  });

  it('of accounts show in the account and in the list, the newest first', async () => {
    const fact = {
      id: 'firm',
      updatedAt: NOW - 3000,
      name: 'Firm Ltd',
      domains: ['firm.example', 'firm.test'],
      industry: 'retail',
      employees: 250,
      tier: 'a',
      targetList: true,
      owner: 'kim',
      parentId: 'holding',
      attributes: { region: 'north', toString: 'kept' },
    };
    const { id: _, updatedAt: __, ...profile } = fact;
    const first = await postAnd('/v1/accounts', [fact], 'firm');
    expect(first.profile).toEqual({ ...profile, updatedAt: new Date(fact.updatedAt).toISOString() });
    const listed = async (): Promise<ListedAnswer | undefined> =>
      (await running.server.get<Page<ListedAnswer>>('/v1/accounts?search=firm')).data[0];
    const { name, industry, tier, targetList, owner } = fact;
    expect(await listed()).toMatchObject({ accountId: 'firm', name, industry, tier, targetList, owner, score: 0 });

    const older = await postAnd('/v1/accounts', [{ id: 'firm', name: 'Old name', updatedAt: NOW - 4000 }], 'firm');
    expect(older.profile).toEqual(first.profile);

    // A newer fact is the whole of what is known: what it leaves out is no longer said.
    const newer = await postAnd('/v1/accounts', [{ id: 'firm', name: 'New name', updatedAt: NOW - 1000 }], 'firm');
    expect(newer.profile).toEqual({
      name: 'New name',
      domains: [],
      industry: null,
      employees: null,
      tier: null,
      targetList: null,
      owner: null,
      parentId: null,
      attributes: {},
      updatedAt: new Date(NOW - 1000).toISOString(),
    });
    expect(await listed()).toMatchObject({ name: 'New name', tier: null, targetList: null });
  });

  const others: readonly (readonly [string, string, object])[] = [
    [
      'leads',
      'lead-account',
      { id: 'l1', accountId: 'lead-account', status: 'new', createdAt: NOW, qualifiedAt: null, campaignId: 'spring' },
    ],
    ['opportunities', 'deal-account', { id: 'o1', accountId: 'deal-account', amount: 1e6, currency: 'EUR', outcome: 'won', closedAt: NOW }],
    ['subscriptions', 'paying-account', { id: 's1', accountId: 'paying-account', mrr: 99.5, currency: 'EUR', from: NOW }],
  ];
  test.each(others)('of %s make their account known, and score nothing', async (path, id, fact) => {
    const view = await postAnd(`/v1/${path}`, [fact], id);
    expect(view).toMatchObject({ accountId: id, score: 0, points: 0, engaged: false, lastTouchAt: null, profile: null });
  });

  it('of spend and leads without an account are counted', async () => {
    const applied = async (): Promise<number> => {
      const text = await (await running.server.fetch('/metrics')).text();
      return Number(/^touchstone_records_applied_total\{record="fact"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const before = await applied();
    await running.server.post('/v1/spend', [
      { id: 'sp1', date: '2026-03-01', amount: -12.5, currency: 'EUR', campaignId: 'spring' },
      { id: 'sp1', date: '2026-03-01', amount: 10 },
    ]);
    await running.server.post('/v1/leads', [{ id: 'l2', status: 'new' }]);
    await eventually(applied, (now) => now === before + 3);
  });

  it('are there after a crash, roles and all', async () => {
    await running.server.post('/v1/contacts', [{ id: 'ann', accountId: 'roles', role: 'champion', updatedAt: NOW - 500 }]);
    const before = await once('roles', (view) => view.reach.roles.covered.includes('champion'));
    const firm = await account('firm');
    await running.restart();
    expect(await account('roles')).toEqual(before);
    expect(await account('firm')).toEqual(firm);
  });
});
