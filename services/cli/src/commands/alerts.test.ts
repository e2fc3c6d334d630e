import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { runCli } from '../testing/run-cli.ts';
import { alertWords } from './alert-words.ts';

const ALERT = {
  id: 'alr_1',
  type: 'account.threshold.crossed',
  accountId: 'acme.example',
  ruleId: 'hot',
  direction: 'up',
  at: '2026-03-01T12:00:00.123Z',
  metric: 'score',
  threshold: 50,
  previousValue: 48.26,
  currentValue: 51.3,
  previousStage: null,
  currentStage: null,
  cause: 'touch',
  late: false,
  owner: 'eve',
  reach: { engagedContacts: 2, coverage: 0.5, missingRoles: ['champion'] },
  reasons: [
    { contactId: 'ada', role: 'champion', points: 60.04 },
    { contactId: null, role: null, points: 3 },
  ],
  state: 'open',
  snoozedUntil: '2026-03-08T12:00:00.000Z',
};
const RULE = { ruleId: 'hot', kind: 'threshold', told: 1200, heldBack: 3, acked: 4, useful: 3, notUseful: 1, precision: 0.75 };
const TEST = {
  modelVersion: 'm1',
  accounts: 12_345,
  data: [
    { ruleId: 'hot', kind: 'threshold', stage: null, accountsIn: 1234, enter: 5, leave: 2, examples: ['a', 'b'] },
    { ruleId: 'stages', kind: 'stages', stage: 'aware', accountsIn: 7, enter: 0, leave: 0, examples: [] },
  ],
};

let server: RecordingServer;
let directory = '';
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-cli-'));
  server = await startRecordingServer({
    answers: {
      'GET /v1/alerts': { status: 200, body: { data: [ALERT, { id: 'alr_\u001b', accountId: 'x' }], nextCursor: null } },
      ...Object.fromEntries(
        ['ack', 'snooze', 'useful', 'not-useful'].map((action) => [`POST /v1/alerts/alr_1/${action}`, { status: 200, body: ALERT }]),
      ),
      'GET /v1/alert-rules': { status: 200, body: { data: [RULE, { ...RULE, ruleId: 'old', kind: null, precision: null }] } },
      'POST /v1/alert-rules/test': { status: 200, body: TEST },
    },
  });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const run = (...args: readonly string[]) => runCli(args, { TOUCHSTONE_URL: server.url, TOUCHSTONE_KEY: TEST_KEY }).ended;

test.each([
  [{}, 'score 51.3, at least 50.0 (was 48.3)'],
  [{ direction: 'down', type: 'account.threshold.recovered', late: true }, 'score 51.3, below 50.0 (was 48.3) (late)'],
  [{ direction: 'down', type: 'account.threshold.recovered', threshold: null }, 'no longer watched by hot: score 51.3'],
  [{ type: 'account.mqa.entered' }, 'qualified (MQA)'],
  [{ type: 'account.mqa.exited' }, 'no longer qualified'],
  [{ type: 'account.mqa.exited', missing: ['pts', 'exclude'] }, 'no longer qualified, not met: pts, exclude'],
  [{ type: 'account.stage.changed', previousStage: null, currentStage: 'sales' }, 'stage none -> sales'],
  [{ type: 'account.surge.detected', metric: 'touches', previousValue: 4 }, 'surge: touches 51.3 (was 4.0)'],
  [{ type: 'account.surge.detected', direction: 'down' }, 'surge is over'],
  [{ type: 'account.coverage.changed' }, 'committee: hot began, missing: champion'],
  [{ type: 'account.of.tomorrow' }, 'account.of.tomorrow'],
])('%o is told in words', (changes, words) => {
  expect(alertWords({ ...ALERT, ...changes })).toBe(words);
});

describe('alerts', () => {
  it('are listed, without what could move the cursor', async () => {
    const { stdout, code } = await run('alerts', 'list', '--owner', 'eve', '--since', '2026-03-01T00:00:00Z', '--state', 'open');
    expect([code, stdout.split('\n')]).toEqual([
      0,
      [
        'when                  account       what                                  rule  cause  owner  state  id',
        '2026-03-01 12:00:00Z  acme.example  score 51.3, at least 50.0 (was 48.3)  hot   touch  eve    open   alr_1',
        '                      x                                                                              alr_·',
        '',
      ],
    ]);
    expect(server.requests).toEqual(['GET /v1/alerts?owner=eve&from=2026-03-01T00%3A00%3A00Z&state=open&limit=20']);
    await run('alerts');
    expect(server.requests.at(-1)).toBe('GET /v1/alerts?limit=20');
  });

  it('are acted upon', async () => {
    const { stdout } = await run('alerts', 'ack', 'alr_1', '--by', 'eve', '--note', 'called');
    expect(stdout).toBe('acme.example, score 51.3, at least 50.0 (was 48.3): is acknowledged.\n');
    expect((await run('alerts', 'snooze', 'alr_1', '--for', '7d')).stdout).toMatch(/: is put off until 2026-03-08 12:00:00Z\.\n$/);
    await run('alerts', 'not-useful', 'alr_1');
    expect(server.requests).toEqual(['ack', 'snooze', 'not-useful'].map((action) => `POST /v1/alerts/alr_1/${action}`));
    expect(server.bodies.map((text) => JSON.parse(text) as unknown)).toEqual([{ by: 'eve', note: 'called' }, { for: '7d' }, {}]);
  });

  it.each([
    [['snooze', 'alr_1']],
    [['snooze', 'alr_1', '--for', '1d', '--until', '2026-03-01T00:00:00Z']],
    [['list', '--state', 'closed']],
  ])('are refused with a wrong command line: %o', async (args) => {
    const { code, stderr } = await run('alerts', ...args);
    expect([code, server.requests]).toEqual([2, []]);
    expect(stderr).toMatch(/^error: /);
  });

  it('are followed as they come, through a connection that breaks', async () => {
    const asked: (string | undefined)[] = [];
    const streams = createServer((request, response) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const of = (id: string): string => `id: ${id}\nevent: alert\ndata: ${JSON.stringify({ ...ALERT, id })}\n\n`;
      if (asked.length === 1) response.end(`id: 0\nevent: hello\ndata: {}\n\n${of('alr_1')}`);
      else response.write(`event: gap\ndata: {}\n\n${of('alr_2')}`);
    });
    streams.listen(0, '127.0.0.1');
    await once(streams, 'listening');
    const url = `http://127.0.0.1:${(streams.address() as AddressInfo).port}`;
    const { child, ended } = runCli(['alerts', 'follow', '--account', 'acme.example'], { TOUCHSTONE_URL: url, TOUCHSTONE_KEY: TEST_KEY });
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('alr_2')) child.kill('SIGTERM');
    });
    const { stderr, stdout } = await ended;
    streams.closeAllConnections();
    streams.close();
    const said =
      '2026-03-01 12:00:00Z  acme.example  score 51.3, at least 50.0 (was 48.3)  by ada (champion) 60.0, nobody known 3.0  owner eve';
    expect(stdout).toBe(`${said}  alr_1\n${said}  alr_2\n`);
    expect(asked).toEqual([undefined, 'alr_1']);
    expect(stderr).toMatch(/goes on where it broke/);
    expect(stderr).toMatch(/touchstone alerts list/);
  });
});

describe('rules', () => {
  it('are listed with their precision', async () => {
    expect((await run('rules')).stdout.split('\n')).toEqual([
      'rule  kind              alerts  held back  acked  useful  not useful  precision',
      'hot   threshold          1,200          3      4       3           1       75 %',
      'old   not in the model   1,200          3      4       3           1',
      '',
    ]);
  });

  it('are tried on the accounts as they are, and published by nobody', async () => {
    const file = join(directory, 'model.json');
    writeFileSync(file, '{"version":"m2","rules":[],"thresholds":[{"id":"hot","metric":"score","enter":50}]}');
    const { code, stdout } = await run('rules', 'test', file);
    expect([code, stdout.split('\n').slice(2)]).toEqual([
      0,
      [
        'rule           kind       would be in  newly  no longer  such as',
        'hot            threshold        1,234      5          2  a b',
        'stages: aware  stages               7      0          0',
        '',
      ],
    ]);
    expect(stdout).toContain('on 12,345 accounts, scored by model m1:');
    expect(server.requests).toEqual(['POST /v1/alert-rules/test']);
    writeFileSync(file, '{"version":"m2","rules":[],"thresholds":[{"id":"hot","metric":"luck","enter":50}]}');
    expect(await run('rules', 'test', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/thresholds/0/metric: ') as string,
    });
  });
});
