import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { runCli } from '../testing/run-cli.ts';

const PERIOD = { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' };
const velocity = { thisMonth: 24, lastMonth: 40, lastMonthToPoint: 20, value: -40, paced: 20, projected: null };
const flow = { balanceAtStart: 12, entered: 30, left: 25, balance: 17, conversion: 0.6, meanDays: 9.5, medianDays: null, stalled: 4 };
const part = { opportunities: 3, amount: 1200, percentOfAmount: 75 };
const basis = { opportunities: 4, amount: 1600, influenced: part, responded: part, sourced: part, groups: [] };
const credit = { first: 1, last: 0, linear: 0.5, u_shaped: 0.5, w_shaped: 0.6, time_decay: 0.25 };

const ANSWERS = {
  'GET /v1/lvr': {
    status: 200,
    body: {
      month: '2026-04',
      timeZone: 'UTC',
      qualifiedBy: 'mqa',
      ...velocity,
      reasons: { value: null, paced: null, projected: 'less than a day of the month is over' },
      segments: [{ segment: null, ...velocity }],
    },
  },
  'GET /v1/journey': {
    status: 200,
    body: {
      ...PERIOD,
      data: [{ stage: 'engaged', name: null, ...flow }],
      unstaged: { opportunities: 3, reason: 'nobody told' },
      groups: [{ group: 'true', data: [{ stage: 'engaged', name: null, ...flow }] }],
    },
  },
  'GET /v1/influence': { status: 200, body: { ...PERIOD, currency: 'EUR', pipeline: basis, revenue: basis } },
  'GET /v1/attribution': {
    status: 200,
    body: {
      ...PERIOD,
      by: 'campaign',
      currency: 'EUR',
      data: [
        { key: 'spring', isAttributed: true, touches: 2, opportunities: 1, credit, amount: { w_shaped: 600 } },
        { key: null, isAttributed: false, touches: 0, opportunities: 1, credit, amount: { w_shaped: 500 } },
      ],
    },
  },
};

let server: RecordingServer;

beforeEach(async () => {
  server = await startRecordingServer({ answers: ANSWERS });
});
afterEach(() => server.close());

it('attribution shows all lines, however many pages they come in', async () => {
  const line = (key: string) => ({ key, isAttributed: true, touches: 1, opportunities: 1, credit, amount: { linear: 1 } });
  const pages = [
    { ...PERIOD, by: 'campaign', currency: 'EUR', data: [line('first')], nextCursor: 'abc' },
    { ...PERIOD, by: 'campaign', currency: 'EUR', data: [line('second')], nextCursor: null },
  ];
  const paged = await startRecordingServer({
    answers: {
      get 'GET /v1/attribution'() {
        return { status: 200, body: pages.shift() };
      },
    },
  });
  const env = { TOUCHSTONE_URL: paged.url, TOUCHSTONE_KEY: TEST_KEY };
  const { code, stdout } = await runCli(['attribution'], env).ended;
  await paged.close();
  expect({ code, requests: paged.requests }).toEqual({ code: 0, requests: ['GET /v1/attribution', 'GET /v1/attribution?cursor=abc'] });
  expect(stdout).toContain('first');
  expect(stdout).toContain('second');
});

it('kpis tells money a day in its currency', async () => {
  const kpi = { title: 'Sales velocity', unit: 'currency_per_day', currency: 'USD', value: 5000, ...PERIOD, timeZone: 'UTC', figures: {} };
  const one = await startRecordingServer({ answers: { 'GET /v1/kpis/sales_velocity': { status: 200, body: kpi } } });
  const { code, stdout } = await runCli(['kpis', 'sales_velocity'], { TOUCHSTONE_URL: one.url, TOUCHSTONE_KEY: TEST_KEY }).ended;
  await one.close();
  expect(code).toBe(0);
  expect(stdout).toContain('USD/day');
});

it.each([
  [
    ['lvr', '--month', '2026-04', '--segment-by', 'tier'],
    '/v1/lvr?month=2026-04&segmentBy=tier',
    ['2026-04', '(none)', '-40.0 %', 'Not told: less than a day'],
  ],
  [
    ['journey', '--journey', 'accounts', '--by', 'targetList'],
    '/v1/journey?by=targetList&journey=accounts',
    ['engaged', '60.0 %', 'true', 'Left out: 3, as nobody told.'],
  ],
  [['influence', '--from', PERIOD.from], `/v1/influence?from=${encodeURIComponent(PERIOD.from)}`, ['sourced', '3 of 4', '75.0 %']],
  [['attribution', '--model', 'w_shaped'], '/v1/attribution?model=w_shaped', ['spring', 'unattributed', '600', 'EUR by w_shaped']],
])('%j shows it', async (args, request, told) => {
  const env = { TOUCHSTONE_URL: server.url, TOUCHSTONE_KEY: TEST_KEY };
  const { code, stderr, stdout } = await runCli(args, env).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(server.requests).toEqual([`GET ${request}`]);
  for (const text of told) expect(stdout).toContain(text);
  const json = await runCli([...args, '--json'], env).ended;
  expect(JSON.parse(json.stdout)).toEqual(ANSWERS[`GET ${request.split('?')[0]}` as keyof typeof ANSWERS].body);
});
