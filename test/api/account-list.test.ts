import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { ListedAnswer, Page } from './account-answer.ts';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const NOW = Date.now();
const HOUR_MS = 3_600_000;

/** Accounts with calls, each worth 10 points: score 6.7, 12.9, 18.8, 24.2, 29.3. The first has none: the CRM alone knows it. */
const ACCOUNTS = [
  { id: 'quiet', calls: 0, name: 'Quiet plc', tier: 'b', targetList: true },
  { id: 'borg', calls: 1, name: 'Acme Borg', tier: 'a', owner: 'kim', industry: 'retail', targetList: true },
  { id: 'acme', calls: 2, name: 'acme', tier: 'a', targetList: false, employees: 12 },
  { id: 'Acme-2', calls: 3, name: 'Zebra', owner: 'kim' },
  { id: 'delta', calls: 4 },
  { id: 'echo', calls: 5, industry: 'retail' },
] as const;
const HOSTILE = [
  { id: '=1+1', name: '=HYPERLINK("http://x.example";"y")', csv: `'=1+1`, csvName: `"'=HYPERLINK(""http://x.example"";""y"")"` },
  { id: '+49 30', name: '-2+3|cmd', csv: `'+49 30`, csvName: `'-2+3|cmd` },
  { id: '@SUM(A1)', name: 'a, b', csv: `'@SUM(A1)`, csvName: '"a, b"' },
  { id: '-1', name: 'say "hi"', csv: `'-1`, csvName: '"say ""hi"""' },
  { id: '株 😀', name: '＝1', csv: '株 😀', csvName: `'＝1` },
];

let running: TemporaryServer;
const list = (query = ''): Promise<Page<ListedAnswer>> => running.server.get<Page<ListedAnswer>>(`/v1/accounts${query}`);
const idsOf = (page: Page<ListedAnswer>): string[] => page.data.map(({ accountId }) => accountId);

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post('/v1/accounts', [
    ...ACCOUNTS.map(({ calls: _, ...fact }) => fact),
    ...HOSTILE.map(({ id, name }) => ({ id, name, tier: 'hostile' })),
  ]);
  // Of the same moment, so that none overtakes another while they decay; later ones are of accounts with more calls.
  await running.server.post(
    '/v1/touches',
    ACCOUNTS.flatMap(({ id, calls }) =>
      Array.from({ length: calls }, (_, i) => ({ accountId: id, contactId: `c${i}`, kind: 'call', occurredAt: NOW - HOUR_MS + calls })),
    ),
  );
  await eventually(
    () => list('?minScore=29'),
    ({ data }) => data.length === 1,
  );
});
afterAll(() => running.close());

describe('the list of accounts', () => {
  it('shows of each account what was asked for', async () => {
    const { data, nextCursor } = await list('?search=BORG');
    expect(nextCursor).toBeNull();
    expect(data).toHaveLength(1);
    const { score, points, asOf, version, ...rest } = data[0]!;
    expect(Math.abs(points / (10 * 2 ** (-(Date.parse(asOf) - NOW + HOUR_MS - 1) / (14 * 24 * HOUR_MS))) - 1)).toBeLessThan(1e-9);
    expect(Math.abs(score / (100 * (1 - 2 ** (-points / 100))) - 1)).toBeLessThan(1e-9);
    expect(version).toEqual(expect.any(Number));
    expect(rest).toEqual({
      accountId: 'borg',
      modelVersion: 'default-1',
      stage: null,
      qualified: null,
      engaged: true,
      lastTouchAt: new Date(NOW - HOUR_MS + 1).toISOString(),
      contacts: 1,
      knownContacts: 1,
      name: 'Acme Borg',
      industry: 'retail',
      tier: 'a',
      targetList: true,
      owner: 'kim',
      met: null,
      missing: null,
      lacksContacts: null,
    });
  });

  const filters: readonly (readonly [string, string, readonly string[]])[] = [
    ['by score, the highest first, when nothing is said', '?minScore=5', ['echo', 'delta', 'Acme-2', 'acme', 'borg']],
    ['a lowest score', '?minScore=20', ['echo', 'delta']],
    ['a highest score', '?maxScore=20&engaged=true', ['Acme-2', 'acme', 'borg']],
    ['both, with decimals', '?minScore=12.5&maxScore=20.25', ['Acme-2', 'acme']],
    ['none so high', '?minScore=100', []],
    ['engaged', '?engaged=true&sort=accountId', ['Acme-2', 'acme', 'borg', 'delta', 'echo']],
    ['not engaged', '?engaged=false&targetList=true', ['quiet']],
    ['on the target list', '?targetList=true', ['borg', 'quiet']],
    ['not on it, or nobody said', '?targetList=false&minScore=5', ['echo', 'delta', 'Acme-2', 'acme']],
    ['a tier', '?tier=a', ['acme', 'borg']],
    ['an owner', '?owner=kim', ['Acme-2', 'borg']],
    ['an industry', '?industry=retail', ['echo', 'borg']],
    ['an industry in other letters', '?industry=Retail', []],
    ['the beginning of a name or id, in any case', '?search=aCmE', ['Acme-2', 'acme', 'borg']],
    ['several filters together', '?search=acme&owner=kim&tier=a', ['borg']],
    ['by score, the lowest first', '?sort=score&minScore=5', ['borg', 'acme', 'Acme-2', 'delta', 'echo']],
    ['by the last touch', '?sort=lastTouchAt&minScore=5', ['borg', 'acme', 'Acme-2', 'delta', 'echo']],
    ['by the last touch, the latest first', '?sort=-lastTouchAt&minScore=5', ['echo', 'delta', 'Acme-2', 'acme', 'borg']],
    ['by id, backwards', '?sort=-accountId&minScore=5', ['echo', 'delta', 'borg', 'acme', 'Acme-2']],
    ['only so many', '?limit=2', ['echo', 'delta']],
    ['an odd tier', `?tier=${encodeURIComponent('=1+1&%')}`, []],
  ];
  test.each(filters)('filters and sorts: %s', async (_case, query, ids) => {
    expect(idsOf(await list(query))).toEqual(ids);
  });

  const orders = ['-score', 'score', '-lastTouchAt', 'lastTouchAt', 'accountId', '-accountId'];
  test.each(orders)('page by page by %s is the whole list, all of one instant', async (sort) => {
    const whole = await list(`?sort=${sort}&limit=500`);
    const paged: ListedAnswer[] = [];
    for (let cursor = ''; ;) {
      const page = await list(`?sort=${sort}&limit=2${cursor}`);
      expect(page.data.length).toBeLessThanOrEqual(2);
      paged.push(...page.data);
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(paged.map(({ accountId }) => accountId)).toEqual(idsOf(whole));
    expect(whole.data).toHaveLength(ACCOUNTS.length + HOSTILE.length);
    expect(new Set(paged.map(({ asOf }) => asOf)).size).toBe(1);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=2.5', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['limit=0x10', 'limit'],
    ['limit=1e2', 'limit'],
    ['sort=name', 'sort'],
    ['sort=constructor', 'sort'],
    ['minScore=-1', 'minScore'],
    ['minScore=101', 'minScore'],
    ['maxScore=NaN', 'maxScore'],
    ['maxScore=Infinity', 'maxScore'],
    ['engaged=1', 'engaged'],
    ['engaged=TRUE', 'engaged'],
    ['targetList=', 'targetList'],
    [`tier=${'a'.repeat(129)}`, 'tier'],
    ['owner=a&owner=b', 'owner'],
    ['search=', 'search'],
    ['cursor=x', 'cursor'],
    ['cursor=', 'cursor'],
    [`cursor=${'a'.repeat(3000)}`, 'cursor'],
  ];
  test.each(wrong)('refuses %s and names the parameter', async (query, parameter) => {
    const problem = await expectProblem(await running.server.fetch(`/v1/accounts?${query}`), 400, 'invalid_request');
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: `#/${parameter}` }]);
    expect(problem.detail).toMatch(new RegExp(`^${parameter} `));
  });

  it('refuses a parameter that it does not know, rather than not to filter', async () => {
    const problem = await expectProblem(await running.server.fetch('/v1/accounts?minscore=50'), 400, 'invalid_request');
    expect(problem.detail).toContain('"minscore"');
  });

  it('names every parameter at fault', async () => {
    const problem = await expectProblem(await running.server.fetch('/v1/accounts?limit=0&engaged=2&sort=x'), 400, 'invalid_request');
    expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual(['#/engaged', '#/limit', '#/sort']);
  });

  const place = { asOf: NOW, sort: '-score', key: 5, accountId: 'acme' };
  const forged: readonly (readonly [string, unknown])[] = [
    ['an instant beyond all calendars', { ...place, asOf: 1e300 }],
    ['an instant that is none', { ...place, asOf: null }],
    ['a negative instant', { ...place, asOf: -1 }],
    ['an instant two hours ago', { ...place, asOf: NOW - 2 * HOUR_MS }],
    ['an instant an hour ahead', { ...place, asOf: NOW + HOUR_MS }],
    ['a key of another sort', { ...place, key: 'acme' }],
    ['a sort that is none', { ...place, sort: 'name' }],
    ['an id that is a number', { ...place, accountId: 7 }],
    ['a list', [place]],
    ['null', null],
  ];
  test.each(forged)('refuses a forged cursor: %s', async (_case, value) => {
    const cursor = Buffer.from(JSON.stringify(value)).toString('base64url');
    const problem = await expectProblem(await running.server.fetch(`/v1/accounts?cursor=${cursor}`), 400, 'invalid_request');
    expect(problem.errors).toMatchObject([{ in: 'query', pointer: '#/cursor' }]);
  });

  it('refuses the cursor of a list in another order', async () => {
    const { nextCursor } = await list('?limit=2');
    const response = await running.server.fetch(`/v1/accounts?sort=accountId&cursor=${nextCursor}`);
    expect((await expectProblem(response, 400, 'invalid_request')).errors).toMatchObject([{ pointer: '#/sort' }]);
  });
});

describe('the list as CSV', () => {
  const fetchCsv = (query: string, accept = 'text/csv'): Promise<Response> =>
    running.server.fetch(`/v1/accounts${query}`, { headers: { accept } });

  it('has the same fields and accounts', async () => {
    const response = await fetchCsv('?minScore=5');
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('vary')).toMatch(/accept/i);
    const lines = (await response.text()).split('\n');
    expect(lines[0]).toBe(Object.keys((await list('?limit=1')).data[0]!).join(','));
    expect(lines.slice(1, -1).map((line) => line.split(',', 1)[0])).toEqual(['echo', 'delta', 'Acme-2', 'acme', 'borg']);
    expect(lines.at(-2)).toMatch(/^borg,[\d.]+,[\d.]+,[\dT:.Z-]+,\d+,default-1,,,true,[\dT:.Z-]+,1,1,Acme Borg,retail,a,true,kim,,,$/);
  });

  it('gives spreadsheets no formula, and quotes what needs it', async () => {
    const text = await (await fetchCsv('?tier=hostile&sort=accountId')).text();
    for (const { csv, csvName } of HOSTILE) {
      expect(text).toMatch(new RegExp(`^${RegExp.escape(csv)},.*,${RegExp.escape(csvName)},,hostile,,,,,$`, 'm'));
    }
  });

  it('links to the next page, with all parameters', async () => {
    const ids: string[] = [];
    for (let query: string | null = '?limit=2&sort=accountId&minScore=5'; query !== null;) {
      const response = await fetchCsv(query);
      const lines = (await response.text()).split('\n').slice(1, -1);
      ids.push(...lines.map((line) => line.split(',', 1)[0]!));
      query = /^<\/v1\/accounts(\?.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1] ?? null;
    }
    expect(ids).toEqual(['Acme-2', 'acme', 'borg', 'delta', 'echo']);
  });

  const preferences: readonly (readonly [string, string])[] = [
    ['text/csv', 'text/csv; charset=utf-8'],
    ['text/csv, */*;q=0.1', 'text/csv; charset=utf-8'],
    ['application/json;q=0.5, text/csv', 'text/csv; charset=utf-8'],
    ['application/json, text/csv;q=0.5', 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['text/html', 'application/json; charset=utf-8'],
  ];
  test.each(preferences)('for Accept: %s comes %s', async (accept, type) => {
    expect((await fetchCsv('?limit=1', accept)).headers.get('content-type')).toBe(type);
  });

  it('says of errors what it says of them in JSON', async () => {
    await expectProblem(await fetchCsv('?limit=0'), 400, 'invalid_request');
  });
});
