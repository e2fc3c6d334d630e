import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { runCli } from './testing/run-cli.ts';
import { startRecordingServer, TEST_KEY, type RecordingServer } from './testing/recording-server.ts';

const ACCOUNT = {
  accountId: 'acme.example',
  score: 43.26,
  points: 81.74,
  engaged: true,
  lastTouchAt: '2026-01-31T13:45:10.123Z',
  asOf: '2026-02-01T00:00:00.000Z',
  modelVersion: 'default-1',
  stage: 'sales',
  qualified: false,
  windows: {
    '24h': {
      touches: 3,
      minutes: 4.5,
      byKind: { web_visit: 2, call: 1 },
      contacts: 2,
      newContacts: 1,
      previous: { touches: 9, minutes: 1, contacts: 1, newContacts: 0 },
    },
  },
  reach: {
    contacts: 2,
    knownContacts: 5,
    roles: { wanted: ['champion', 'influencer'], covered: ['champion'], missing: ['influencer'] },
    byCampaign: { launch: 1 },
  },
};

let directory = '';
let server: RecordingServer;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-cli-'));
  server = await startRecordingServer({
    answers: {
      'GET /v1/accounts': {
        status: 200,
        body: { data: [ACCOUNT, { accountId: 'bad\u001b[2Jname', score: 1, points: 2 }], nextCursor: null },
      },
      'GET /v1/accounts/acme.example': { status: 200, body: ACCOUNT },
      'GET /v1/accounts/nobody': { status: 404, body: { title: 'Not found', detail: "There is no account 'nobody'" } },
      'GET /v1/models/current': { status: 200, body: { version: 'm1', model: { version: 'm1', rules: [] } } },
      'POST /v1/models': { status: 202, body: { version: 'm2' } },
      'POST /v1/keys': {
        status: 201,
        body: { id: 'k1', name: 'importer', scopes: ['ingest'], key: 'sk_new', createdAt: '2026-01-01T00:00:00.000Z' },
      },
      'GET /v1/keys': { status: 403, body: { title: 'Forbidden', detail: 'needs the scope admin' } },
      'DELETE /v1/keys/k1': { status: 204 },
    },
  });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const run = (args: readonly string[], key = TEST_KEY) =>
  runCli(args, { TOUCHSTONE_URL: server.url, ...(key === '' ? {} : { TOUCHSTONE_KEY: key }) }).ended;

function saved(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('failures say in one line what to do', () => {
  const rows: [what: string, args: string[], key: string, code: number, said: RegExp][] = [
    [
      'no server',
      ['accounts', '--url', 'http://127.0.0.1:9'],
      TEST_KEY,
      1,
      /^error: No server answers at http:\/\/127\.0\.0\.1:9 .*pnpm@12 start.*--url/,
    ],
    ['no key', ['accounts'], '', 2, /^error: No API key\..*--key or TOUCHSTONE_KEY/],
    ['a key the server does not know', ['accounts'], 'sk_wrong', 2, /^error: .* does not know this API key \(401\)/],
    ['a key without the scope', ['keys', 'list'], TEST_KEY, 2, /^error: .*403: Forbidden: needs the scope admin/],
    ['an account that is not there', ['account', 'nobody'], TEST_KEY, 1, /404: Not found: There is no account 'nobody'/],
    ['no url', ['accounts', '--url', 'localhost:8080'], TEST_KEY, 2, /^error: --url 'localhost:8080' is not an http/],
    ['a file that is not there', ['import', '/nowhere/x.log'], TEST_KEY, 2, /^error: Can not read \/nowhere\/x\.log/],
    ['an unknown option', ['import', 'x.log', '--formt', 'csv'], TEST_KEY, 2, /unknown option '--formt'[^]*Did you mean --format/],
    ['an unknown command', ['improt'], TEST_KEY, 2, /unknown command 'improt'[^]*Did you mean import/],
    ['a number out of range', ['simulate', '--rate', '0'], TEST_KEY, 2, /--rate <n>.*0\.1 to 50000/],
    ['a key that may do nothing', ['keys', 'create', '--name', 'x'], TEST_KEY, 2, /^error: Say what the key may do/],
    [
      'a shift of standard input',
      ['import', '-', '--format', 'ndjson', '--shift-to-now'],
      TEST_KEY,
      2,
      /^error: --shift-to-now reads the input twice/,
    ],
  ];
  test.each(rows)('%s', async (_, args, key, code, said) => {
    const ended = await run(args, key);
    expect(ended.stderr).toMatch(said);
    expect(ended.code).toBe(code);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('accounts', () => {
  it('lists the best, without what could move the cursor', async () => {
    const { stdout, code } = await run(['accounts', '--limit', '2']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        '#  account       score  points  engaged  last touch',
        '1  acme.example   43.3    81.7  yes      2026-01-31 13:45:10Z',
        '2  bad·[2Jname     1.0     2.0',
        '',
      ].join('\n'),
    );
    expect(server.requests).toContain('GET /v1/accounts?limit=2&sort=-score');
  });

  it('shows one', async () => {
    const { stdout } = await run(['account', 'acme.example']);
    expect(stdout).toContain('score 43.3 of 100, 81.7 points');
    expect(stdout).toContain('engaged, stage sales, not qualified, last touch 2026-01-31');
    expect(stdout).toMatch(/24h\s+3 \(9\)\s+4\.5 \(1\.0\)\s+2 \(1\)\s+1 \(0\)\s+web_visit 2, call 1/);
    expect(stdout).toContain('covered: champion; missing: influencer');
  });
});

describe('model', () => {
  it('shows the one in force', async () => {
    expect(JSON.parse((await run(['model', 'show'])).stdout)).toEqual({ version: 'm1', rules: [] });
  });

  it('lists all problems of a file with their places, and publishes none of it', async () => {
    const model = {
      version: 'm 2',
      halfScorePoints: -1,
      rules: [
        { id: 'a', kind: 'call', point: 3 },
        { id: 'a/b', kind: 'Call', dailyCap: 0 },
      ],
    };
    const { stderr, code } = await run(['model', 'publish', saved('model.json', JSON.stringify(model))]);
    expect(code).toBe(1);
    for (const pointer of [
      '/version: ',
      '/halfScorePoints: ',
      '/rules/0/point: there is no such field',
      '/rules/1/kind: ',
      '/rules/1/dailyCap: ',
    ]) {
      expect(stderr).toContain(pointer);
    }
    expect(server.requests).toEqual([]);
  });

  it('publishes a valid one', async () => {
    const { stdout, code } = await run(['model', 'publish', saved('model.json', '{"version":"m2","rules":[]}')]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Model m2 is published/)]);
  });

  it('says when a file is no JSON', async () => {
    const { stderr, code } = await run(['model', 'validate', saved('model.json', '{"version":')]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/model\.json is no JSON: /)]);
  });
});

describe('keys', () => {
  it('prints a new key alone on standard output, for scripts', async () => {
    const { stdout, stderr, code } = await run(['keys', 'create', '--name', 'importer', '--scope', 'ingest']);
    expect([code, stdout]).toEqual([0, 'sk_new\n']);
    expect(stderr).toContain('not shown again');
  });

  it('revokes one', async () => {
    expect((await run(['keys', 'revoke', 'k1'])).stdout).toBe('Key k1 is revoked.\n');
    expect(server.requests).toEqual(['DELETE /v1/keys/k1']);
  });
});

describe('import from the command line', () => {
  it('guesses the format of each file, and prints the summary as JSON', async () => {
    const files = {
      'a.txt': 'h.acme.example [29:23:53:25] "GET / HTTP/1.0" 200 1\n',
      'b.txt.gz': gzipSync('accountId;kind\nacme;call\nacme;call\n'),
      'c.txt': '{"accountId":"acme","kind":"call"}\n{"accountId":\n[]\n',
    };
    const read: unknown[] = [];
    for (const [name, content] of Object.entries(files)) {
      const { stdout } = await run(
        ['import', saved(name, content), '--dry-run', '--json', '--quiet', '--log-start', '1995-08-29'].slice(0, name === 'a.txt' ? 7 : 5),
      );
      const { format, lines, items, rejected } = JSON.parse(stdout) as Record<string, unknown>;
      read.push([format, lines, items, rejected]);
    }
    expect(read).toEqual([
      ['access-log', 1, 1, {}],
      ['csv', 3, 2, {}],
      ['ndjson', 3, 2, { not_json: 1 }],
    ]);
  });

  it('passes NDJSON on as it is, with an id where there is none', async () => {
    const file = saved('touches.ndjson', '{"id":"1","kind":"call" ,"x":1e2}\n{ "kind":"call"}\n{}\n');
    const { stderr } = await run(['import', file, '--output', '-']);
    const output = await run(['import', file, '--output', '-', '--quiet']);
    const [first, second, third] = output.stdout.split('\n');
    expect(first).toBe('{"id":"1","kind":"call" ,"x":1e2}');
    expect(second).toMatch(/^\{"id":"[\w-]{22}","kind":"call"\}$/);
    expect(third).toMatch(/^\{"id":"[\w-]{22}"\}$/);
    expect(stderr).toContain('touches  ');
  });

  it('says when gzip data is cut', async () => {
    const { stderr, code } = await run([
      'import',
      saved('a.gz', gzipSync('{"kind":"call"}\n'.repeat(5000)).subarray(0, 100)),
      '--format',
      'ndjson',
      '--dry-run',
    ]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Can not read .*a\.gz to its end: its gzip data ends early\./)]);
  });

  it('finishes with its state and its rejected lines beside the file', async () => {
    const file = saved('touches.ndjson', '{"kind":"call"}\nnonsense\n');
    const { stdout, code } = await run(['import', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/accepted +1\n[^]*rejected +1 +see .*touches\.ndjson\.rejected\.ndjson\n {2}not_json +1/);
    expect(JSON.parse(readFileSync(`${file}.rejected.ndjson`, 'utf8'))).toEqual({
      line: 2,
      reason: 'not_json',
      message: 'the line is not JSON',
      text: 'nonsense',
    });
    expect((await run(['import', file])).stdout).toMatch(/is imported already; nothing was sent/);
  });
});
