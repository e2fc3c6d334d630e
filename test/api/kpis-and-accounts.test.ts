import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountAnswer } from './account-answer.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

/** What KPIs tell of stored touches is what accounts are served with from memory. */

const DAY_MS = 86_400_000;
const NOW = Date.now();
const TODAY = Math.floor(NOW / DAY_MS) * DAY_MS;
/** Accounts are asked as of noon tomorrow: whether midnight passes while this runs is then no matter. */
const AT = TODAY + DAY_MS + DAY_MS / 2;
/** The window of 30 days as of then: tomorrow and the 29 days before. */
const FROM = TODAY - 28 * DAY_MS;
const WINDOW = `from=${new Date(FROM).toISOString()}&to=${new Date(TODAY + 2 * DAY_MS).toISOString()}`;
const KINDS = ['web_visit', 'meeting', 'ad_impression', 'email_open', 'direct_mail', 'ad_click'];
const ROLES = ['decision_maker', 'champion', 'user', null];
const ACCOUNTS = Array.from({ length: 12 }, (_, index) => `account ${index}`);

interface Kpi {
  readonly value: number | null;
  readonly numerator: number | null;
  readonly denominator: number | null;
  readonly figures: Readonly<Record<string, number | null>>;
}

let running: TemporaryServer;
let accounts: AccountAnswer[];

/** Always the same numbers, of which any looks as good as another. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

beforeAll(async () => {
  running = await openTemporaryServer();
  const { server } = running;
  const next = numbers(7);
  const people = ACCOUNTS.flatMap((accountId) => ['ann', 'bob', 'eve'].map((name) => ({ id: `${name} of ${accountId}`, accountId })));
  // The first two were touched long ago alone, the third by mail nobody answered; half of all are on the target list.
  const touches = ACCOUNTS.flatMap((accountId, index) =>
    Array.from({ length: 8 }, (_, one) => ({
      id: `${accountId} ${one}`,
      accountId,
      ...(next(5) > 0 && { contactId: people[index * 3 + next(3)]!.id }),
      kind: index === 2 ? 'direct_mail' : KINDS[next(KINDS.length)],
      occurredAt: index < 2 ? TODAY - 31 * DAY_MS - next(20) * DAY_MS : Math.min(NOW, TODAY - next(60) * DAY_MS + next(DAY_MS)),
    })),
  );
  await server.post(
    '/v1/accounts',
    ACCOUNTS.map((id, index) => ({ id, targetList: index % 2 === 0 })),
  );
  await server.post(
    '/v1/contacts',
    people.map((one) => ({ ...one, role: ROLES[next(ROLES.length)] })),
  );
  await server.post('/v1/touches', touches);
  const read = async () =>
    Promise.all(ACCOUNTS.map((id) => server.get<AccountAnswer>(`/v1/accounts/${encodeURIComponent(id)}?at=${AT}`).catch(() => null)));
  const all = await eventually(read, (some) => some.every((one) => one !== null && one.reach.knownContacts === 3));
  accounts = all as AccountAnswer[];
  // Each time another question, as answers are kept for a while.
  let asked = 0;
  await eventually(
    () => server.get<Kpi>(`/v1/kpis/website_traffic?${WINDOW.replace('.000Z&', `.${String(++asked % 1000).padStart(3, '0')}Z&`)}`),
    ({ value }) => value === touches.filter(({ kind, occurredAt }) => kind === 'web_visit' && occurredAt >= FROM).length,
  );
});
afterAll(() => running.close());

const kpi = (name: string): Promise<Kpi> => running.server.get<Kpi>(`/v1/kpis/${name}?${WINDOW}`);
const total = (of: (account: AccountAnswer) => number): number => accounts.reduce((sum, account) => sum + of(account), 0);

describe('over the window of 30 days', () => {
  it('the engagement rate is that of the accounts on the target list that are engaged', async () => {
    const targets = accounts.filter((_, index) => index % 2 === 0);
    const engaged = targets.filter((account) => account.engaged);
    expect([engaged.length > 0, engaged.length < targets.length]).toEqual([true, true]);
    expect(await kpi('engagement_rate')).toMatchObject({
      numerator: engaged.length,
      denominator: targets.length,
      value: (engaged.length / targets.length) * 100,
    });
  });

  it('reach is that of the accounts together, with their new contacts and the roles they cover', async () => {
    const engaged = accounts.filter((account) => account.engaged);
    const [covered, wanted] = (['covered', 'wanted'] as const).map((of) =>
      engaged.reduce((sum, { reach }) => sum + reach.roles[of].length, 0),
    );
    const { figures, value } = await kpi('reach');
    expect(value).toBe(total(({ reach }) => reach.contacts));
    expect(figures).toEqual({
      newContacts: total(({ windows }) => windows['30d'].newContacts),
      accounts: engaged.length,
      coverage: expect.closeTo((covered! / wanted!) * 100, 9) as number,
    });
  });
});
