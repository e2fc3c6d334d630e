import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../api-client.ts';
import { runCli } from '../testing/run-cli.ts';
import { startRecordingServer, TEST_KEY, type RecordingOptions, type RecordingServer } from '../testing/recording-server.ts';
import { openSource } from './open-source.ts';
import { planImport, type ReadOptions } from './plan-import.ts';
import { runImport, type ImportJob } from './run-import.ts';

const LINES = 3000;
let directory = '';
let file = '';
let server: RecordingServer;

/** Pages of 40 hosts of 13 companies, with an asset, a failed request and a line of nonsense now and then. */
function logLines(count: number, from = 0): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const at = from + index;
    const time = new Date(Date.UTC(2026, 0, 10) + at * 2000).toISOString();
    const stamp = `${time.slice(8, 10)}/Jan/2026:${time.slice(11, 19)} +0000`;
    if (at % 50 === 17) return `nonsense ${at}`;
    const status = at % 31 === 5 ? 404 : 200;
    return `h${at % 40}.c${(at % 40) % 13}.example - - [${stamp}] "GET /${at % 7 === 3 ? 'a.gif' : `p${at}`} HTTP/1.1" ${status} 1`;
  });
  return lines.map((line) => `${line}\n`).join('');
}

async function start(options: RecordingOptions = {}): Promise<void> {
  server = await startRecordingServer(options);
}

async function run({ read = {}, ...job }: Partial<ImportJob> & { read?: Partial<ReadOptions> } = {}) {
  const source = openSource(file);
  const plan = await planImport(source, { as: 'touches', zone: 'Z', ...read });
  const told: string[] = [];
  const summary = await runImport({
    source,
    plan,
    destination: {
      kind: 'server',
      client: createApiClient({ url: server.url, key: TEST_KEY }),
      concurrency: 3,
      batchItems: 100,
      patienceMs: 5000,
    },
    statePath: `${file}.touchstone-import.json`,
    rejectedPath: `${file}.rejected.ndjson`,
    isRestart: false,
    progress: { update: () => undefined, print: (line) => told.push(line), end: () => undefined },
    signal: new AbortController().signal,
    clock: () => Date.UTC(2026, 5, 1, 12, 0, 0, 789),
    ...job,
  });
  return { summary, told };
}

/** What an undisturbed import sends, in order. */
async function undisturbed(read: Partial<ReadOptions> = {}): Promise<Record<string, unknown>[]> {
  const output = join(directory, 'all.ndjson');
  await run({ destination: { kind: 'file', path: output }, statePath: null, rejectedPath: null, read });
  return ndjson(output);
}

function ndjson(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The order of ids within each account. */
function orders(items: Iterable<Record<string, unknown>>): Map<unknown, unknown[]> {
  return Map.groupBy(items, (item) => item['accountId']) as Map<unknown, unknown[]>;
}

const rejectedLines = (): number[] => ndjson(`${file}.rejected.ndjson`).map((entry) => entry['line'] as number);
const nonsenseLines = Array.from({ length: LINES / 50 }, (_, at) => at * 50 + 18);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-import-'));
  file = join(directory, 'access.log');
  writeFileSync(file, logLines(LINES));
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

describe('an import', () => {
  it('sends every visit once, in order within an account, and counts every line', async () => {
    await start();
    const expected = await undisturbed();
    const { summary } = await run();
    expect(orders(server.items)).toEqual(orders(expected));
    expect(server.items).toHaveLength(expected.length);
    expect(rejectedLines()).toEqual(nonsenseLines);
    const { lines, items, assets, failedRequests, otherMethods, rejected, accepted, outcome } = summary;
    expect({ lines, accepted, rejected, outcome }).toEqual({
      lines: LINES,
      accepted: items,
      rejected: { not_a_log_line: 60 },
      outcome: 'finished',
    });
    expect(items + assets + failedRequests + otherMethods + 60).toBe(LINES);
    expect(summary.accounts).toBe(13);
  });

  it('loses and doubles nothing when the server is busy or answers get lost', async () => {
    await start({
      fateOf: (request) => (request % 5 === 1 ? { status: 503, retryAfter: '0' } : request % 7 === 2 ? 'answer lost' : 'taken'),
    });
    const expected = await undisturbed();
    const { summary } = await run();
    expect(orders(server.byId.values())).toEqual(orders(expected));
    expect(server.items.length).toBeGreaterThan(expected.length);
    expect(summary.accepted).toBe(expected.length);
  });

  it('gives the same ids to a compressed and a longer copy', async () => {
    await start();
    const before = (await undisturbed()).map(({ id }) => id);
    file = join(directory, 'copy.log.gz');
    writeFileSync(file, Buffer.concat([gzipSync(logLines(LINES)), gzipSync(logLines(100, LINES))]));
    const after = (await undisturbed()).map(({ id }) => id);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after).size).toBe(after.length);
    expect(after.length).toBeGreaterThan(before.length);
  });

  it('writes what the server rejects to the file of rejected lines, with its own reasons', async () => {
    await start({ rejectionOf: ({ url }) => (String(url).endsWith('00') ? { code: 'too_old', message: 'older than 400 days' } : null) });
    const { summary } = await run();
    const refused = ndjson(`${file}.rejected.ndjson`).filter(({ reason }) => reason === 'too_old');
    expect(summary.rejected['too_old']).toBe(refused.length);
    expect(summary.accepted! + refused.length).toBe(summary.items);
    expect(refused.length).toBeGreaterThan(10);
    const lines = logLines(LINES).split('\n');
    for (const { line, text } of refused) expect(text).toBe(lines[(line as number) - 1]);
  });
});

describe('an import that was stopped', () => {
  it.each([1, 7, 15])('by kill -9 after %i requests loses and doubles nothing', async (requests) => {
    let left = requests;
    let kill = (): void => undefined;
    await start({
      onTaken: () => {
        if (--left === 0) kill();
      },
    });
    const expected = await undisturbed();
    const { child, ended } = runCli(['import', file, '--batch', '100', '--url', server.url, '--key', TEST_KEY]);
    kill = () => child.kill('SIGKILL');
    expect((await ended).code).toBeNull();
    const before = server.items.length;
    expect(before).toBeLessThan(expected.length);

    const { summary } = await run();
    expect(orders(server.byId.values())).toEqual(orders(expected));
    // What the killed process had in the air is sent twice at most: one request of each of its four lanes.
    expect(server.items.length - expected.length).toBeLessThanOrEqual(400);
    expect(rejectedLines()).toEqual(nonsenseLines);
    expect(summary).toMatchObject({ outcome: 'finished', lines: LINES, items: expected.length, rejected: { not_a_log_line: 60 } });
  });

  it('by a failure goes on after what was answered, and says so', async () => {
    await start({ fateOf: (request) => (request === 9 ? { status: 413 } : 'taken') });
    const expected = await undisturbed();
    await expect(run()).rejects.toThrow('413');
    const { summary, told } = await run();
    expect(orders(server.items)).toEqual(orders(expected));
    expect(server.items).toHaveLength(expected.length);
    expect(summary.accepted).toBe(expected.length);
    expect(told[0]).toMatch(/^Going on after [\d,]+ items/);
    expect(rejectedLines()).toEqual(nonsenseLines);
  });

  it('by Ctrl-C says that it was stopped, and goes on', async () => {
    const stop = new AbortController();
    let requests = 0;
    await start({ onTaken: () => ++requests === 4 && stop.abort() });
    const expected = await undisturbed();
    expect((await run({ signal: stop.signal })).summary.outcome).toBe('stopped');
    expect((await run()).summary.outcome).toBe('finished');
    expect(server.items).toHaveLength(expected.length);
  });

  it('keeps the shift it was begun with', async () => {
    await start({ fateOf: (request) => (request === 5 ? { status: 413 } : 'taken') });
    const read = { shiftToNow: true };
    await expect(run({ read })).rejects.toThrow('413');
    const { summary } = await run({ read, clock: () => Date.UTC(2027, 0, 1) });
    const newest = Math.max(...server.items.map(({ occurredAt }) => occurredAt as number));
    // The log's newest line is an image, two seconds after its last page: that line is now, to the second.
    expect(new Date(newest).toISOString()).toBe('2026-06-01T11:59:58.000Z');
    const plain = Math.max(...(await undisturbed()).map(({ occurredAt }) => occurredAt as number));
    expect(newest - plain).toBe(summary.shiftMs);
  });

  it('does not go on when the file has changed', async () => {
    await start({ fateOf: (request) => (request === 9 ? { status: 413 } : 'taken') });
    await expect(run()).rejects.toThrow('413');
    writeFileSync(file, `${logLines(1)}${logLines(LINES)}`);
    await expect(run()).rejects.toThrow(/has changed.*--restart/);
  });

  it('does not go on with other options', async () => {
    await start({ fateOf: (request) => (request === 9 ? { status: 413 } : 'taken') });
    await expect(run()).rejects.toThrow('413');
    await expect(run({ read: { zone: '-0400' } })).rejects.toThrow(/other options/);
  });
});

describe('a finished import', () => {
  it('sends nothing when it is run again, unless told to begin anew', async () => {
    await start();
    const { summary } = await run();
    const again = await run();
    expect(again.summary).toEqual({ ...summary, outcome: 'already_finished' });
    expect(server.items).toHaveLength(summary.items);
    expect((await run({ isRestart: true })).summary.outcome).toBe('finished');
    expect(server.items).toHaveLength(summary.items * 2);
    expect(server.byId.size).toBe(summary.items);
  });

  it('goes on with what was added to the file', async () => {
    await start();
    await run();
    appendFileSync(file, logLines(500, LINES));
    const { summary } = await run();
    expect(summary.lines).toBe(LINES + 500);
    expect(server.items).toHaveLength(summary.items);
    expect(orders(server.items).size).toBe(13);
    expect(rejectedLines()).toHaveLength(70);
  });
});

describe('a dry run', () => {
  it('counts and leaves nothing behind', async () => {
    await start();
    const { summary, told } = await run({ destination: { kind: 'nowhere' }, statePath: null, rejectedPath: null });
    expect(summary).toMatchObject({ outcome: 'dry_run', lines: LINES, accepted: null, rejected: { not_a_log_line: 60 } });
    expect(told).toHaveLength(5);
    expect(told[0]).toBe('line 18: the line is in none of the known access log formats');
    expect(existsSync(`${file}.touchstone-import.json`)).toBe(false);
    expect(server.requests).toEqual([]);
  });
});
