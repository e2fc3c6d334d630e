import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { runCli } from '../testing/run-cli.ts';

const EXPERIMENT = {
  id: 'hero',
  status: 'running',
  mode: 'auto',
  metric: 'clicked',
  campaignId: 'spring',
  revision: 3,
  arms: [
    { creativeId: 'a', isOut: true },
    { creativeId: 'b\u001b', isOut: false },
  ],
  startedAt: '2026-03-01T12:00:00.123Z',
};
const RESULTS = {
  isComplete: true,
  metric: 'clicked',
  verdict: 'swap',
  reason: 'under_performer',
  recommendation: { swapOut: 'a' },
  arms: [
    {
      creativeId: 'a',
      isOut: false,
      exposed: 1200,
      accounts: 1000,
      contaminated: 3,
      impressions: 4000,
      clicks: 40,
      value: 0.0372,
      interval: { low: 0.02, high: 0.06 },
    },
  ],
};
const STEP = { revision: 3, at: '2026-03-01T12:00:00.123Z', action: 'swap', creativeId: 'a', by: 'auto', reason: 'b is better' };

let server: RecordingServer;
let directory = '';
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-cli-'));
  server = await startRecordingServer({
    answers: {
      'GET /v1/experiments': { status: 200, body: { data: [EXPERIMENT], nextCursor: null } },
      'POST /v1/experiments': { status: 201, body: EXPERIMENT },
      'POST /v1/experiments/hero/swap': { status: 200, body: EXPERIMENT },
      'GET /v1/experiments/hero/results': { status: 200, body: RESULTS },
      'GET /v1/experiments/hero/history': { status: 200, body: { data: [STEP], nextCursor: null } },
    },
  });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const run = (...args: string[]) => runCli(['experiments', ...args, '--url', server.url, '--key', TEST_KEY]).ended;

it('lists experiments, what is swapped out in brackets, and control characters as dots', async () => {
  const { code, stdout } = await run('list', '--status', 'running');
  expect(code).toBe(0);
  expect(stdout).toContain('(a) b·');
  expect(server.requests).toContain('GET /v1/experiments?limit=50&status=running');
});

it('makes one of a file, as it stands there', async () => {
  const file = join(directory, 'hero.json');
  writeFileSync(file, '{"id":"hero"}');
  expect((await run('create', file)).stdout).toContain('hero: is a draft');
  expect(server.bodies).toContain('{"id":"hero"}');
  expect((await run('create', join(directory, 'none.json'))).code).toBe(2);
});

it('swaps a creative out, with reason and revision', async () => {
  const { stdout } = await run('swap', 'hero', 'a', '--reason', 'wrong price', '--revision', '2');
  expect(stdout).toContain('hero: is running, revision 3, creatives (a) b·.');
  expect(server.bodies.map((body) => (body === '' ? null : (JSON.parse(body) as unknown)))).toContainEqual({
    creativeId: 'a',
    reason: 'wrong price',
    revision: 2,
  });
});

it('shows results and what happened', async () => {
  const results = await run('results', 'hero');
  expect(results.stdout).toContain('0.0372');
  expect(results.stdout).toContain('swap: under performer; mode auto would swap out a.');
  expect((await run('history', 'hero')).stdout).toMatch(/3 {2}2026-03-01 12:00:00Z {2}swap {2}a +auto {2}b is better/);
});
