import { creativesOf, type LogEntry } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectProblem } from './problem.ts';
import { eventually, openTemporaryServer, type TemporaryServer } from './temporary-server.ts';

const NOW = Date.now();
const DAY_MS = 86_400_000;
const TODAY = Math.floor(NOW / DAY_MS);
const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

interface Rate {
  value: number | null;
  low: number | null;
  high: number | null;
  method: string | null;
  reason: string | null;
}
interface Row {
  campaignId: string | null;
  creativeId: string | null;
  impressions: number;
  clicks: number;
  touches: number;
  minutes: number;
  points: number;
  pointsPerAccountReached: number;
  accountsReached: number;
  accountsClicked: number;
  contactsReached: number;
  contactsClicked: number;
  clickRate: Rate;
}
interface Answer {
  from: string;
  to: string;
  asOf: string;
  modelVersion: string;
  data: Row[];
  nextCursor: string | null;
}

/** Thirty accounts, every second of tier a; blue is clicked more than green, and a few accounts saw both. Some of it is late, some named by nobody known. */
const TOUCHES = Array.from({ length: 900 }, (_, i) => {
  const account = i % 30;
  const creativeId = i % 7 === 0 ? null : account % 2 === (i % 50 === 49 ? 1 : 0) ? 'blue' : 'green';
  return {
    id: `touch-${i}`,
    accountId: `account-${account}`,
    contactId: i % 11 === 0 ? null : `contact-${i % 3}`,
    kind: i % 13 === 0 ? 'web_visit' : i % (creativeId === 'blue' ? 5 : 17) === 0 ? 'ad_click' : 'ad_impression',
    occurredAt: NOW - (i % 45) * DAY_MS - 60_000,
    minutes: i % 13 === 0 ? 3 : 0,
    campaignId: i % 19 === 0 ? 'autumn' : 'spring',
    ...(creativeId !== null && { creativeId }),
  };
});
const ENTRIES: LogEntry[] = TOUCHES.map((record, offset) => ({ offset, appendedAt: NOW, record }));

let running: TemporaryServer;
const get = (query = ''): Promise<Answer> => running.server.get<Answer>(`/v1/creatives${query}`);

beforeAll(async () => {
  running = await openTemporaryServer();
  await running.server.post(
    '/v1/accounts',
    Array.from({ length: 30 }, (_, i) => ({
      id: `account-${i}`,
      tier: i % 2 === 0 ? 'a' : 'b',
      attributes: { region: i < 10 ? 'emea' : 'apac' },
    })),
  );
  await running.server.post('/v1/touches', TOUCHES);
  // Sent again: nothing counts twice.
  await running.server.post('/v1/touches', TOUCHES.slice(0, 100));
  await eventually(
    () => get(`?from=${dayText(TODAY - 60)}`),
    ({ data }) => data.reduce((sum, { touches }) => sum + touches, 0) === TOUCHES.length,
  );
});
afterAll(() => running.close());

function expectAsDefined(
  answer: Answer,
  question: { from: number; to: number; byCampaign?: boolean; accounts?: (id: string) => boolean },
): void {
  const expected = creativesOf(ENTRIES, { ...question, asOf: Date.parse(answer.asOf) });
  const keyOf = (one: { campaignId: string | null; creativeId: string | null }): string => `${one.campaignId} ${one.creativeId}`;
  const byKey = new Map(expected.map((one) => [keyOf(one), one]));
  expect(answer.data.map(keyOf).sort()).toEqual([...byKey.keys()].sort());
  for (const row of answer.data) {
    const { accountsClicked, accountsReached, clickers, clicks, contacts, impressions, minutes, points, touches } = byKey.get(keyOf(row))!;
    expect(row).toMatchObject({ accountsClicked, accountsReached, clicks, impressions, touches, minutes });
    expect([row.contactsReached, row.contactsClicked]).toEqual([contacts, clickers]);
    expect(Math.abs(row.points / points - 1)).toBeLessThan(1e-9);
    expect(row.pointsPerAccountReached).toBe(row.points / row.accountsReached);
    expect(row.clickRate.value).toBe(impressions === 0 ? null : clicks / impressions);
    if (impressions === 0) continue;
    expect(row.clickRate.low!).toBeLessThanOrEqual(clicks / impressions);
    expect(row.clickRate.high!).toBeGreaterThanOrEqual(clicks / impressions);
  }
}

describe('GET /v1/creatives', () => {
  it('gives of each creative what a recomputation gives, for the last 30 days', async () => {
    const answer = await get();
    // Not what was today when this began: midnight may have passed.
    const today = Math.floor(Date.parse(answer.asOf) / DAY_MS);
    expect(answer).toMatchObject({ from: dayText(today - 29), to: dayText(today), modelVersion: 'default-1', nextCursor: null });
    expectAsDefined(answer, { from: today - 29, to: today });
    const impressions = answer.data.map((row) => row.impressions);
    expect(impressions).toEqual(impressions.toSorted((one, other) => other - one));
    expect(answer.data[0]!.clickRate.method).toBe('clustered_wilson');
  });

  it('takes other days, campaigns together, and accounts of a segment', async () => {
    const days = { from: TODAY - 40, to: TODAY - 5 };
    const query = `from=${dayText(days.from)}&to=${dayText(days.to)}`;
    expectAsDefined(await get(`?${query}`), days);
    expectAsDefined(await get(`?${query}&groupBy=campaign`), { ...days, byCampaign: true });
    const isTierA = (id: string): boolean => Number(id.slice(8)) % 2 === 0;
    expectAsDefined(await get(`?${query}&tier=a`), { ...days, accounts: isTierA });
    expectAsDefined(await get(`?${query}&attribute=region:emea`), { ...days, accounts: (id) => Number(id.slice(8)) < 10 });
    expect((await get(`?${query}&tier=nobody`)).data).toEqual([]);
    expect((await get('?campaignId=spring&creativeId=blue')).data.map(({ creativeId }) => creativeId)).toEqual(['blue']);
  });

  it('pages in any order, without a repetition', async () => {
    const whole = (await get('?sort=-clickRate')).data;
    const seen: Row[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Answer = await get(`?sort=-clickRate&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.data);
      cursor = page.nextCursor;
    }
    expect(seen.map(({ campaignId, creativeId }) => [campaignId, creativeId])).toEqual(
      whole.map(({ campaignId, creativeId }) => [campaignId, creativeId]),
    );
    await expectProblem(await running.server.fetch('/v1/creatives?cursor=nonsense'), 400, 'invalid_request');
  });

  it('comes as CSV', async () => {
    const response = await running.server.fetch('/v1/creatives?campaignId=autumn', { headers: { accept: 'text/csv' } });
    const [head, ...rows] = (await response.text()).trim().split('\n');
    expect(response.headers.get('content-type')).toContain('text/csv');
    expect(head).toContain('campaignId,creativeId,impressions,clicks,clickRate,clickRateLow,clickRateHigh,clickRateMethod,touches');
    expect(rows).toHaveLength((await get('?campaignId=autumn')).data.length);
  });

  it.each([
    ['a campaign that never was', '?campaignId=winter', 404, 'not_found', "campaign 'winter'"],
    ['a creative that never was', '?campaignId=spring&creativeId=red', 404, 'not_found', "creative 'red'"],
    ['days that are not kept', `?from=${dayText(TODAY - 90)}`, 400, 'invalid_request', 'kept for 90 days'],
    ['days to come', `?to=${dayText(TODAY + 3)}`, 400, 'invalid_request', 'to must not be after'],
    [
      'days that end before they begin',
      `?from=${dayText(TODAY)}&to=${dayText(TODAY - 1)}`,
      400,
      'invalid_request',
      'from must not be after to',
    ],
    ['no day', '?from=yesterday', 400, 'invalid_request', 'from'],
    ['an attribute without a value', '?attribute=region', 400, 'invalid_request', 'region:emea'],
    ['an unknown parameter', '?campaign=spring', 400, 'invalid_request', 'campaign'],
  ])('refuses %s', async (_what, query, status, code, detail) => {
    const problem = await expectProblem(await running.server.fetch(`/v1/creatives${query}`), status, code);
    expect(JSON.stringify(problem)).toContain(detail);
  });

  it('shows a click within the time that scores take', async () => {
    const before = (await get('?campaignId=spring&creativeId=green')).data[0]!;
    const touch = { accountId: 'account-1', contactId: 'late', kind: 'ad_click', campaignId: 'spring', creativeId: 'green' };
    await running.server.post('/v1/touches', [{ ...touch, id: 'one-more', occurredAt: Date.now() }]);
    const after = await eventually(
      async () => (await get('?campaignId=spring&creativeId=green')).data[0]!,
      ({ clicks }) => clicks > before.clicks,
    );
    expect(after).toMatchObject({
      clicks: before.clicks + 1,
      contactsReached: before.contactsReached + 1,
      impressions: before.impressions,
    });
    // A role counts for all of a contact's touches, at once.
    await running.server.post('/v1/contacts', [{ id: 'late', accountId: 'account-1', role: 'decision_maker' }]);
    await eventually(
      async () => (await get('?campaignId=spring&creativeId=green')).data[0]!.points - after.points,
      (more) => more > 0.9,
    );
  });
});

describe('GET /v1/creatives/compare', () => {
  interface Comparison extends Omit<Answer, 'nextCursor'> {
    differences: { creativeId: string; against: string; clickRate: Rate; accountsOfBoth: number }[];
  }

  it('shows creatives side by side, with the difference and its interval', async () => {
    const answer = await running.server.get<Comparison>('/v1/creatives/compare?campaignId=spring&creativeIds=green,blue');
    expect(answer.data.map(({ creativeId }) => creativeId)).toEqual(['green', 'blue']);
    const [green, blue] = answer.data as [Row, Row];
    const [difference] = answer.differences;
    expect(difference).toMatchObject({ creativeId: 'blue', against: 'green', clickRate: { method: 'mover', reason: null } });
    expect(difference!.clickRate.value).toBeCloseTo(blue.clickRate.value! - green.clickRate.value!, 12);
    // One account in five clicks every time: by impressions the difference would be sure, by accounts it is not.
    expect(difference!.clickRate.low!).toBeLessThan(0);
    expect(difference!.clickRate.high!).toBeGreaterThan(difference!.clickRate.value!);
    expect(difference!.accountsOfBoth).toBeGreaterThan(0);
  });

  it.each([
    ['one creative alone', '?campaignId=spring&creativeIds=blue', 400, 'at least 2'],
    ['a creative with itself', '?campaignId=spring&creativeIds=blue,blue', 400, 'each creative once'],
    ['no campaign', '?creativeIds=blue,green', 400, 'campaignId'],
    ['an unknown campaign', '?campaignId=winter&creativeIds=blue,green', 404, "campaign 'winter'"],
    ['an unknown creative', '?campaignId=spring&creativeIds=blue,red', 404, "creative 'red'"],
  ])('refuses %s', async (_what, query, status, detail) => {
    const code = status === 404 ? 'not_found' : 'invalid_request';
    const problem = await expectProblem(await running.server.fetch(`/v1/creatives/compare${query}`), status, code);
    expect(JSON.stringify(problem)).toContain(detail);
  });
});

describe('what creatives did', () => {
  it('is the same after a kill, from the stored touches', async () => {
    const days = `?from=${dayText(TODAY - 60)}`;
    const countsOf = ({ data }: Answer): unknown[] =>
      data.map(({ clickRate: _, points, pointsPerAccountReached: __, ...counts }) => ({ ...counts, isWorth: points > 0 }));
    const before = countsOf(await get(days));
    await running.restart();
    expect(countsOf(await get(days))).toEqual(before);
  });

  it('stands in the metrics, of the scrape before', async () => {
    const line = 'touchstone_creative_impressions{campaign="spring",creative="blue"}';
    const text = await eventually(
      async () => (await running.server.fetch('/metrics')).text(),
      (metrics) => metrics.includes(line),
    );
    expect(text).toMatch(/touchstone_creative_click_rate_low\{campaign="spring",creative="blue"\} 0\.\d+/);
  });
});
