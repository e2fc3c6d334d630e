import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { runCli } from '../testing/run-cli.ts';

const none = { touches: 0, worth: 0, points: 0 };
const ANSWER = {
  accountId: 'acme.example',
  asOf: '2026-11-27T09:00:00.000Z',
  version: 1742,
  modelVersion: 'default-1',
  points: 50,
  score: 29.289,
  touches: 12,
  touchesWithoutRule: 0,
  parts: [
    {
      contactId: 'ada',
      role: 'decision_maker',
      ruleId: 'meeting',
      kind: 'meeting',
      campaignId: null,
      touches: 1,
      worth: 45,
      decay: 0.5,
      multiplier: 1.5,
      points: 33.75,
      capped: none,
    },
    {
      contactId: null,
      role: null,
      ruleId: 'ad_click',
      kind: 'ad_click',
      campaignId: 'sp\u001b[2Jring',
      touches: 8,
      worth: 10,
      decay: 1,
      multiplier: 1,
      points: 10,
      capped: { touches: 3, worth: 6, points: 6 },
    },
  ],
  rest: { parts: 2, touches: 3, worth: 8, points: 6.25, capped: none },
  rounding: [],
  nearest: {
    thresholds: [
      {
        id: 'hot',
        metric: 'points',
        value: 50,
        enter: 100,
        exit: 80,
        reached: false,
        missing: 50,
        pointsMissing: 50,
        wouldDo: [
          { ruleId: 'meeting', kind: 'meeting', touches: 2, lasting: { minutes: 120, touches: 1 }, dailyCap: null },
          { ruleId: 'form_fill', kind: 'form_fill', touches: 4, lasting: null, dailyCap: 2 },
        ],
      },
      { id: 'warm', metric: 'score', value: 29.289, enter: 20, exit: 20, reached: true, missing: 0, pointsMissing: 0, wouldDo: [] },
    ],
    qualification: {
      qualified: false,
      candidate: true,
      actNow: false,
      near: false,
      criteria: [
        { id: 'points', metric: 'points', value: 50, atLeast: 60, met: false },
        { id: 'people', metric: 'contacts.30d', value: 2, atLeast: 2, met: true },
      ],
      criteriaMissing: 1,
      contactsMissing: 1,
    },
  },
};

let server: RecordingServer;
beforeEach(async () => {
  const byKind = {
    ...ANSWER,
    rest: null,
    parts: [{ kind: 'meeting', touches: 1, worth: 2, decay: 1, multiplier: 1, points: 50, capped: none }],
    nearest: { thresholds: [], qualification: null },
  };
  server = await startRecordingServer({
    answers: {
      'GET /v1/accounts/acme.example/explain': { status: 200, body: ANSWER },
      'GET /v1/accounts/by-kind/explain': { status: 200, body: byKind },
      'GET /v1/accounts/silent/explain': { status: 200, body: { ...byKind, points: 0, parts: [] } },
      'GET /v1/accounts/nobody/explain': { status: 404, body: { title: 'Not found', detail: 'no touch or fact has named this account' } },
    },
  });
});
afterEach(() => server.close());

const run = (...args: string[]) => runCli(['explain', ...args], { TOUCHSTONE_URL: server.url, TOUCHSTONE_KEY: TEST_KEY }).ended;

describe('explain', () => {
  it('shows who and what brought the points, and what is missing', async () => {
    const { code, stdout } = await run('acme.example');
    expect(code).toBe(0);
    expect(stdout).toBe(
      `acme.example
score 29.3, 50.0 points from 12 touches, as of 2026-11-27 09:00:00Z, model default-1

points  of all  contact       role            rule      campaign    touches  worth   left  role x
  33.8    68 %  ada           decision_maker  meeting                     1   45.0   50 %     1.5
  10.0    20 %  nobody known                  ad_click  sp·[2Jring        8   10.0  100 %
   6.3    13 %  2 more                                                    3    8.0

Daily caps took 3 touches of these: 6.0 points.

hot (points 100): 50.0 missing; 1 meeting of 120 min, or 4 form_fill would do
warm (score 20): reached, at 29.3
not qualified: it takes 1 more of: points at 50.0 of 60.0, and 1 more engaged contact
`,
    );
    expect(server.requests).toContain('GET /v1/accounts/acme.example/explain?limit=20');
  });

  it('passes on the instant, the view and the limit', async () => {
    const { stdout } = await run('by-kind', '--at', '2026-03-01T09:30:00+01:00', '--by', 'kind', '--limit', '5');
    expect(stdout).toMatch(/points {2}of all {2}kind .*\n +50\.0 +100 % +meeting/);
    expect(server.requests.at(-1)).toBe('GET /v1/accounts/by-kind/explain?limit=5&at=2026-03-01T09%3A30%3A00%2B01%3A00&groupBy=kind');
  });

  it('says when there is nothing to show', async () => {
    expect((await run('silent')).stdout).toContain('No touch of it is worth a point.');
    expect(await run('nobody')).toMatchObject({ code: 1, stderr: expect.stringContaining('no touch or fact has named this account') });
    expect(await run('acme.example', '--by', 'owner')).toMatchObject({ code: 2 });
  });

  it('prints the answer as JSON', async () => {
    expect(JSON.parse((await run('acme.example', '--json')).stdout)).toEqual(ANSWER);
  });
});
