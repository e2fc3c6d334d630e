import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { AccountAnswer, Page } from './account-answer.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.now();

interface Entry {
  readonly id: string;
  readonly occurredAt: string;
  readonly [field: string]: unknown;
}
interface Point {
  readonly hour: string;
  readonly asOf: string;
  readonly points: number;
  readonly score: number;
  readonly modelVersion: string;
}

/** Posted out of order; two pairs share their instant. */
const TOUCHES = [3, 1, 4, 1, 5, 9, 2, 6, 5].map((hours, i) => ({
  id: `t${i}`,
  accountId: 'acme',
  kind: 'web_visit',
  occurredAt: NOW - hours * HOUR_MS,
}));
const FULL = {
  id: 'full',
  accountId: 'full',
  contactId: "ann'\\%",
  kind: 'meeting',
  occurredAt: NOW - 30 * DAY_MS,
  minutes: 12.25,
  channel: 'paid_social',
  campaignId: '__proto__',
  creativeId: 'constructor',
  url: "https://example.com/?a=1&b='",
  source: 'crm',
  properties: { toString: 'yes', 'a\u00e4': 'line\nline\ttab', empty: '' },
};

let running: TemporaryServer;
const timeline = (id: string, query = ''): Promise<Page<Entry>> =>
  running.server.get<Page<Entry>>(`/v1/accounts/${encodeURIComponent(id)}/timeline${query}`);
const history = (id: string, query = ''): Promise<{ data: readonly Point[] }> =>
  running.server.get<{ data: readonly Point[] }>(`/v1/accounts/${id}/history${query}`);

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post('/v1/touches', [...TOUCHES, FULL, { accountId: "o'neil\\", kind: 'call' }]);
  // Ids that have counted before show once.
  await running.server.post('/v1/touches', [...TOUCHES, { ...FULL, kind: 'call' }]);
  await running.server.post('/v1/accounts', [{ id: 'silent', name: 'Known to the CRM alone' }]);
  await eventually(
    () => timeline('full'),
    ({ data }) => data.length > 0,
  );
  await eventually(
    () => timeline('acme'),
    ({ data }) => data.length >= TOUCHES.length,
  );
});
afterAll(() => running.close());

describe('the timeline', () => {
  // Newest first; of two of the same instant the one that came later.
  const newestFirst = ['t3', 't1', 't6', 't0', 't2', 't8', 't4', 't7', 't5'];

  it('shows every counted touch once, the newest first', async () => {
    const { data, nextCursor } = await timeline('acme');
    expect(data.map(({ id }) => id)).toEqual(newestFirst);
    expect(nextCursor).toBeNull();
  });

  test.each([1, 2, 4, 9])('is the same in pages of %i', async (limit) => {
    const ids: string[] = [];
    let pages = 0;
    for (let query: string | null = `?limit=${limit}`; query !== null; pages++) {
      const page: Page<Entry> = await timeline('acme', query);
      ids.push(...page.data.map(({ id }) => id));
      query = page.nextCursor === null ? null : `?limit=${limit}&cursor=${page.nextCursor}`;
    }
    expect(ids).toEqual(newestFirst);
    expect(pages).toBe(Math.ceil(TOUCHES.length / limit));
  });

  it('shows a touch as it was sent', async () => {
    const { data } = await timeline('full');
    const { accountId: _, ...sent } = FULL;
    expect(data).toEqual([{ ...sent, occurredAt: new Date(FULL.occurredAt).toISOString(), appendedAt: expect.any(String) }]);
    expect(Date.parse(String(data[0]!['appendedAt']))).toBeGreaterThanOrEqual(NOW - 1000);
  });

  it('shows null for what was not sent', async () => {
    const { data } = await timeline("o'neil\\");
    expect(data).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        contactId: null,
        kind: 'call',
        occurredAt: expect.any(String),
        appendedAt: expect.any(String),
        minutes: 0,
        channel: null,
        campaignId: null,
        creativeId: null,
        url: null,
        source: null,
        properties: {},
      },
    ]);
  });

  it('is empty for an account without touches', async () => {
    expect(await timeline('silent')).toEqual({ data: [], nextCursor: null });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['cursor=abc', 'cursor'],
    [`cursor=${Buffer.from('{"occurredAt":1e300,"offset":0}').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('{"occurredAt":0.5,"offset":0}').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('{"occurredAt":0,"offset":-1}').toString('base64url')}`, 'cursor'],
    [`cursor=${'a'.repeat(201)}`, 'cursor'],
  ];
  test.each(wrong)('refuses %s and names the parameter', async (query, parameter) => {
    const problem = await expectProblem(await running.server.fetch(`/v1/accounts/acme/timeline?${query}`), 400, 'invalid_request');
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: `#/${parameter}` }]);
  });

  it('takes a forged cursor of any place for just that', async () => {
    const place = (occurredAt: number, offset: number): string => Buffer.from(JSON.stringify({ occurredAt, offset })).toString('base64url');
    expect(await timeline('acme', `?cursor=${place(0, Number.MAX_SAFE_INTEGER)}`)).toEqual({ data: [], nextCursor: null });
    expect((await timeline('acme', `?cursor=${place(253_402_300_799_999, 0)}`)).data).toHaveLength(TOUCHES.length);
  });
});

describe('the history', () => {
  it('has the last score of each hour in which it changed', async () => {
    const { data } = await eventually(
      () => history('full'),
      (answer) => answer.data.length > 0,
    );
    for (const { hour, asOf, points, score, modelVersion } of data) {
      expect(Date.parse(hour) % HOUR_MS).toBe(0);
      expect(Date.parse(asOf) - Date.parse(hour)).toBeLessThan(HOUR_MS);
      expect(modelVersion).toBe('default-1');
      expect(Math.abs(score / (100 * (1 - 2 ** (-points / 100))) - 1)).toBeLessThan(1e-9);
    }
    const { asOf, points } = data.at(-1)!;
    const later = await running.server.get<AccountAnswer>('/v1/accounts/full?at=253402300799999');
    expect(later.points).toBeLessThan(1e-9);
    const worth = 30 + 12.25 / 2;
    expect(Math.abs(points / (worth * 2 ** (-(Date.parse(asOf) - FULL.occurredAt) / (14 * DAY_MS))) - 1)).toBeLessThan(1e-9);
  });

  it('takes a range', async () => {
    await eventually(
      () => history('acme'),
      (answer) => answer.data.length > 0,
    );
    const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const inRange = await history('acme', `?from=${hour - HOUR_MS}&to=${hour + HOUR_MS}`);
    expect(inRange.data.length).toBeGreaterThan(0);
    expect((await history('acme', `?from=${hour + HOUR_MS}&to=${hour + 2 * HOUR_MS}`)).data).toEqual([]);
    expect((await history('acme', '?from=1970-01-01T00:00:00Z&to=1970-01-02T00:00:00Z')).data).toEqual([]);
    expect((await history('acme', '?from=9999-01-01T00:00:00Z&to=9999-12-31T23:59:59Z')).data).toEqual([]);
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['an end before the beginning', 'from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z', 'to'],
    ['an empty range', 'from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z', 'to'],
    ['over 400 days', 'from=2024-01-01T00:00:00Z&to=2026-03-01T00:00:00Z', 'to'],
    ['a beginning in the future', 'from=9999-01-01T00:00:00Z', 'to'],
    ['a time without an offset', 'from=2026-03-02T00:00:00', 'from'],
    ['no time', 'to=tomorrow', 'to'],
  ];
  test.each(wrong)('refuses %s and names the parameter', async (_case, query, parameter) => {
    const problem = await expectProblem(await running.server.fetch(`/v1/accounts/acme/history?${query}`), 400, 'invalid_request');
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: `#/${parameter}` }]);
  });
});
