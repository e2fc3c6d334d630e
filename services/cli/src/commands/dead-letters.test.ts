import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { runCli } from '../testing/run-cli.ts';

const LETTER = {
  partition: 3,
  offset: 1742,
  appendedAt: '2026-03-01T12:00:00.123Z',
  reason: 'in_the_future',
  detail: 'occurredAt is over an hour ahead',
  replayedAt: null,
  key: 'acme.example',
  valueBytes: 40,
  record: { type: 'touch', id: 't-1', kind: 'call', accountId: 'acme.example' },
  preview: '..t-1',
};
const UNREADABLE = {
  ...LETTER,
  offset: 9,
  reason: 'malformed',
  key: null,
  record: null,
  preview: 'GET / \u001b[2J',
  replayedAt: LETTER.appendedAt,
};
const OUTCOME = { replayed: [{ partition: 3, offset: 1742 }], skipped: [], remaining: false, before: '2026-03-01T13:00:00.000Z' };
const REPLAY = 'POST /v1/dead-letters/replay';

let server: RecordingServer;
const answers: Record<string, { status: number; body: unknown }> = {};
beforeEach(async () => {
  for (const path of Object.keys(answers)) delete answers[path];
  Object.assign(answers, {
    'GET /v1/dead-letters': { status: 200, body: { data: [LETTER, UNREADABLE], nextCursor: null } },
    'GET /v1/dead-letters/3/1742': { status: 200, body: LETTER },
    'GET /v1/dead-letters/3/9': { status: 200, body: UNREADABLE },
    [REPLAY]: { status: 202, body: OUTCOME },
  });
  server = await startRecordingServer({ answers });
});
afterEach(() => server.close());

const run = (...args: readonly string[]) =>
  runCli(['dead-letters', ...args], { TOUCHSTONE_URL: server.url, TOUCHSTONE_KEY: TEST_KEY }).ended;
const sent = (): unknown[] => server.bodies.map((text) => JSON.parse(text) as unknown);

describe('dead-letters list', () => {
  it('shows place, reason and what each says, without what could move the cursor', async () => {
    const { stdout, code } = await run('list');
    expect([code, stdout]).toEqual([
      0,
      [
        'place   taken by the log      reason         key           record',
        '3/1742  2026-03-01 12:00:00Z  in_the_future  acme.example  touch call t-1',
        '3/9     2026-03-01 12:00:00Z  malformed                    GET / ·[2J',
        '',
      ].join('\n'),
    ]);
    expect(server.requests).toEqual(['GET /v1/dead-letters?state=open&limit=50']);
  });

  it('passes filters on, and reads page after page', async () => {
    answers['GET /v1/dead-letters'] = { status: 200, body: { data: Array.from({ length: 200 }, () => LETTER), nextCursor: 'more' } };
    const { stdout } = await run('list', '--reason', 'malformed', '--partition', '0', '--state', 'all', '--limit', '250', '--json');
    expect((JSON.parse(stdout) as unknown[])[0]).toEqual(LETTER);
    expect(server.requests).toEqual([
      'GET /v1/dead-letters?state=all&reason=malformed&partition=0&limit=200',
      'GET /v1/dead-letters?state=all&reason=malformed&partition=0&limit=50&cursor=more',
    ]);
  });

  it('says when there are none', async () => {
    answers['GET /v1/dead-letters'] = { status: 200, body: { data: [], nextCursor: null } };
    expect((await run('list')).stdout).toBe('No dead letters are open.\n');
  });
});

describe('dead-letters show', () => {
  it('shows why it was set aside and what it says', async () => {
    const { stdout } = await run('show', '3/1742');
    expect(stdout).toMatch(/^dead letter 3\/1742, taken by the log at 2026-03-01 12:00:00Z\nreason {4}in_the_future\n/);
    expect(stdout).toMatch(/state {5}open\nkey {7}acme\.example\nvalue {5}40 bytes\nrecord\n\{\n {2}"type": "touch",\n/);
  });

  it('shows the first bytes of what can not be read, without what could move the cursor', async () => {
    expect((await run('show', '3/9')).stdout).toMatch(
      /state {5}replayed at 2026-03-01 12:00:00Z\nkey {7}\(none\)\nvalue .*\nbegins {4}GET \/ ·\[2J\n$/,
    );
  });
});

describe('dead-letters replay', () => {
  it('of places sends them', async () => {
    const { stdout, code } = await run('replay', '3/1742', '0/0', '--force');
    expect([code, stdout]).toEqual([0, '1 dead letter is on the log again.\n']);
    const items = [
      { partition: 3, offset: 1742 },
      { partition: 0, offset: 0 },
    ];
    expect(sent()).toEqual([{ items, force: true }]);
  });

  it('of a reason goes on until none remain, up to the time of the first call', async () => {
    let calls = 0;
    Object.defineProperty(answers, REPLAY, {
      configurable: true,
      enumerable: true,
      get: () => ({ status: 202, body: { ...OUTCOME, remaining: ++calls < 3 } }),
    });
    const { stdout } = await run('replay', '--reason', 'unknown_schema', '--partition', '3');
    expect(stdout).toBe('3 dead letters are on the log again.\n');
    const open = { partition: 3, reason: 'unknown_schema' };
    expect(sent()).toEqual([{ open }, { open: { ...open, before: OUTCOME.before } }, { open: { ...open, before: OUTCOME.before } }]);
  });

  it('of all, as JSON', async () => {
    const { stdout } = await run('replay', '--all', '--json');
    expect(JSON.parse(stdout)).toEqual({ replayed: OUTCOME.replayed, skipped: [] });
    expect(sent()).toEqual([{ open: {} }]);
  });

  it('names what was left out, and fails then', async () => {
    const skipped = [
      { partition: 1, offset: 2, code: 'already_replayed' },
      { partition: 1, offset: 3, code: 'not_found' },
    ];
    answers[REPLAY] = { status: 202, body: { ...OUTCOME, skipped } };
    const { stdout, stderr, code } = await run('replay', '3/1742', '1/2', '1/3');
    expect([code, stdout]).toEqual([1, '1 dead letter is on the log again.\n']);
    expect(stderr).toContain('2 dead letters are left out:\n  1/2: was replayed before; --force replays it again\n  1/3: there is no such');
  });

  test.each([
    [['replay'], /Say which: places such as 3\/1742/],
    [['replay', '1/2', '--all'], /Give either places, or/],
    [['replay', '--reason', 'malformed', '--force'], /--force goes with places only/],
    [['replay', '1-2'], /partition and offset, as in 3\/1742/],
    [['show', '1/2/3'], /partition and offset, as in 3\/1742/],
    [['list', '--state', 'closed'], /Allowed choices are open, replayed, all/],
  ])('%j is a wrong command line', async (args, said) => {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(said)]);
    expect(server.requests).toEqual([]);
  });
});
