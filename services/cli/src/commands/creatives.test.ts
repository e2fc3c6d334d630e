import { afterEach, describe, expect, it } from 'vitest';
import { startRecordingServer, TEST_KEY, type RecordingServer } from '../testing/recording-server.ts';
import { runCli } from '../testing/run-cli.ts';

const rate = { value: 0.025, low: 0.01, high: 0.06, method: 'clustered_wilson', confidence: 0.95, reason: null };
const nothing = { value: null, low: null, high: null, method: null, confidence: 0.95, reason: 'no_impressions' };
const ROW = {
  campaignId: 'spring',
  creativeId: 'blue',
  impressions: 12_000,
  clicks: 300,
  clickRate: rate,
  points: 1234.56,
  pointsPerAccountReached: 2.5,
  accountsReached: 480,
  contactsReached: 900,
};
const PAGE = { data: [ROW, { ...ROW, creativeId: 'gr\u001b[2Jeen', clickRate: nothing }], nextCursor: null };
const difference = { value: -0.01, low: -0.03, high: 0.012 };
const COMPARISON = { ...PAGE, differences: [{ creativeId: 'green', against: 'blue', clickRate: difference, accountsOfBoth: 7 }] };

let server: RecordingServer;
afterEach(() => server.close());

async function run(...args: string[]) {
  server = await startRecordingServer({
    answers: {
      'GET /v1/creatives': { status: 200, body: PAGE },
      'GET /v1/creatives/compare': { status: 200, body: COMPARISON },
    },
  });
  return runCli(['creatives', '--url', server.url, '--key', TEST_KEY, ...args]).ended;
}

describe('touchstone creatives', () => {
  it('lists what they did, and asks for what was said', async () => {
    const { code, stdout } = await run('--campaign', 'spring', '--from', '2026-03-01', '--tier', 'a', '--sort=-clickRate');
    expect(code).toBe(0);
    expect(server.requests.at(-1)).toBe('GET /v1/creatives?campaignId=spring&from=2026-03-01&tier=a&sort=-clickRate&limit=20');
    expect(stdout).toMatch(/spring\s+blue\s+12,000\s+300\s+2\.50 %\s+1\.00 % to 6\.00 %\s+1,234\.6\s+2\.50\s+480\s+900/);
    expect(stdout).not.toContain('\u001b[2J');
  });

  it('shows creatives side by side', async () => {
    const { stdout } = await run('--campaign', 'spring', '--compare', 'blue,green');
    expect(server.requests.at(-1)).toBe('GET /v1/creatives/compare?campaignId=spring&creativeIds=blue%2Cgreen');
    expect(stdout).toContain('click rate of green less that of blue: -1.00 % (-3.00 % to 1.20 %); 7 accounts saw both');
  });

  it('compares only within a campaign', async () => {
    const { code, stderr } = await run('--compare', 'blue,green');
    expect(code).toBe(2);
    expect(stderr).toContain('--compare needs --campaign');
  });

  it('prints the answer itself on demand', async () => {
    expect(JSON.parse((await run('--json')).stdout)).toEqual(PAGE);
  });
});
