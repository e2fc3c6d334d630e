import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { differences, freePort, referenceOf } from '@touchstone/testkit';
import { recomputeAccessLog, type Recomputed } from '../support/recompute-access-log.ts';
import { startImport, type ImportSummary, type RunningImport } from '../support/run-import.ts';
import { pathOf, readList, type ListedAccount, type ServedAccount } from '../support/served-accounts.ts';
import { metricOf } from '../support/server-metrics.ts';
import { settle } from '../support/settle.ts';
import { startServer, type Server } from '../support/start-server.ts';

/**
 * Imports an access log into a fresh server and holds every account against a recomputation from the file that shares no code with the
 * import, the engine or the server: `node test/extra/verify-import.ts FILE`. Counts must be equal, points good to 1e-9; after the import,
 * after a restart, and after import and server were killed with -9 half-way and the import was run again, and then once more from its
 * beginning.
 */

const PARTITIONS = 8;
const DAY_MS = 86_400_000;
const PAGE = 500;
const TOP = 10;
/** Accounts that show that the rest is applied. */
const OURS = /^settled-/;
/** Share of the touches after which the import is disturbed, twice. */
const KILLED_AT = 0.3;

export interface Verdict {
  readonly wrong: readonly string[];
  readonly accounts: number;
}

export async function verifyImport(file: string, print: (line: string) => void): Promise<Verdict> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-verify-'));
  const servers: Server[] = [];
  const start = async (data: string, port?: number): Promise<Server> => {
    const options = { data: join(directory, data), env: { PARTITIONS: String(PARTITIONS) } };
    const server = await startServer(port === undefined ? options : { ...options, port });
    servers.push(server);
    return server;
  };
  const bytes = readFileSync(file);
  const expected = recomputeAccessLog((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
  const wrong: string[] = [];
  const check = async (when: string, server: Server, shiftMs: number): Promise<void> => {
    const found = await wrongAccounts(server, expected, shiftMs);
    print(`${when}: ${found.length === 0 ? `all ${expected.accounts} accounts agree` : `${found.length} differences`}`);
    wrong.push(...found.map((line) => `${when}: ${line}`));
  };

  try {
    let server = await start('undisturbed');
    const startedAt = Date.now();
    const summary = await startImport({ file, url: server.url, directory }).summary;
    await settle(server, PARTITIONS);
    wrong.push(...wrongSummary(summary, expected), ...wrongShift(summary, expected, startedAt));
    for (const line of describe(file, summary, await topAccounts(server))) print(line);
    await check('after the import', server, summary.shiftMs);
    await server.stop();
    server = await start('undisturbed');
    await check('after a restart', server, summary.shiftMs);
    await server.kill();

    const resumed = await importWithKills(start, { file, directory: mkdtempSync(join(directory, 'import-')), visits: expected.visits });
    const [together, alone] = resumed.killedAt;
    await check(
      `after kill -9 of import and server at ${together} touches, the import again, and kill -9 of the server at ${alone} more`,
      resumed.server,
      resumed.shiftMs,
    );
    const again = await startImport({ file, url: resumed.server.url, directory, arguments: ['--restart'] }).summary;
    await settle(resumed.server, PARTITIONS);
    await check(`after the whole file was sent once more (${again.accepted} touches)`, resumed.server, resumed.shiftMs);
    await resumed.server.kill();
    return { wrong, accounts: expected.accounts };
  } finally {
    await Promise.all(servers.map((one) => one.kill()));
    rmSync(directory, { recursive: true, force: true });
  }
}

interface KilledImport {
  readonly file: string;
  readonly directory: string;
  readonly visits: number;
}

/** Import and server are killed together, and the import run again; then the server alone is killed, and the import goes on by itself. */
async function importWithKills(
  start: (data: string, port?: number) => Promise<Server>,
  { file, directory, visits }: KilledImport,
): Promise<{ server: Server; shiftMs: number; killedAt: readonly [together: number, alone: number] }> {
  const port = await freePort();
  // Small requests, one after another, so that there is a middle.
  const run = (url: string): RunningImport => startImport({ file, url, directory, arguments: ['--batch', '50', '--concurrency', '1'] });
  let server = await start('killed', port);
  const first = run(server.url);
  const together = await acceptedAtLeast(server, visits * KILLED_AT, first);
  await Promise.all([first.kill(), server.kill()]);

  server = await start('killed', port);
  const second = run(server.url);
  const alone = await acceptedAtLeast(server, visits * KILLED_AT, second);
  await server.kill();
  server = await start('killed', port);
  const { shiftMs } = await second.summary;
  await settle(server, PARTITIONS);
  return { server, shiftMs, killedAt: [together, alone] };
}

/** Waits until the server has accepted so many touches; how many it has. */
async function acceptedAtLeast(server: Server, least: number, running: RunningImport): Promise<number> {
  let hasEnded = false;
  running.summary.catch(() => {}).finally(() => (hasEnded = true));
  for (;;) {
    const accepted = await metricOf(server, 'touchstone_ingest_items_total{endpoint="touches",outcome="accepted"}');
    if (accepted >= least) return accepted;
    if (hasEnded) throw new Error(`the import was over at ${accepted} touches, before it could be disturbed`);
    await sleep(2);
  }
}

/** Every account of the file, and no other, at two instants. */
async function wrongAccounts(server: Server, expected: Recomputed, shiftMs: number): Promise<string[]> {
  const reference = referenceOf(expected.touches(shiftMs));
  const listed = (await readList(server, PAGE)).map(({ accountId }) => accountId).filter((accountId) => !OURS.test(accountId));
  const unknown = new Set(listed).difference(new Set(reference.accountIds));
  const wrong = [...unknown].map((accountId) => `${accountId} is served, but the file does not name it`);
  const now = Date.now();
  for (const accountId of reference.accountIds) {
    for (const at of [now, now + 10 * DAY_MS]) {
      const response = await server.fetch(`${pathOf(accountId)}?at=${at}`);
      const served = response.status === 200 ? ((await response.json()) as ServedAccount) : null;
      const view = reference.view(accountId, at)!;
      // The version is an offset of the log, of which the file knows nothing.
      wrong.push(...differences({ ...view, version: served?.version ?? -1 }, served));
    }
  }
  return wrong;
}

function wrongSummary(summary: ImportSummary, expected: Recomputed): string[] {
  const rejected = Object.values(summary.rejected).reduce((sum, count) => sum + count, 0);
  const pairs = {
    lines: [summary.lines, expected.lines],
    visits: [summary.items, expected.visits],
    accepted: [summary.accepted, expected.visits],
    unresolved: [summary.unresolved, expected.unresolved],
    assets: [summary.assets, expected.assets],
    'failed requests': [summary.failedRequests, expected.failed],
    'other methods': [summary.otherMethods, expected.otherMethods],
    rejected: [rejected, expected.rejected],
    accounts: [summary.accounts, expected.accounts],
  };
  return Object.entries(pairs)
    .filter(([, [told, right]]) => told !== right)
    .map(([name, [told, right]]) => `the import tells ${told} ${name}, the file has ${right}`);
}

/** The newest line is now: between the start of the import and its end, to the second. */
function wrongShift({ shiftMs }: ImportSummary, { newestAt }: Recomputed, startedAt: number): string[] {
  const newest = newestAt + shiftMs;
  const isNow = newest >= startedAt - 1000 && newest <= Date.now();
  return isNow ? [] : [`the newest line is at ${new Date(newest).toISOString()}, which is not when it was imported`];
}

async function topAccounts(server: Server): Promise<ListedAccount[]> {
  return (await readList(server, PAGE)).filter(({ accountId }) => !OURS.test(accountId)).slice(0, TOP);
}

function describe(file: string, summary: ImportSummary, top: readonly ListedAccount[]): string[] {
  const rejected = Object.entries(summary.rejected).map(([reason, count]) => `${reason} ${count}`);
  return [
    `${basename(file)}: lines read ${summary.lines}, visits ${summary.items}, unresolved ${summary.unresolved}, ` +
      `rejected ${rejected.length === 0 ? 0 : rejected.join(', ')}, accounts ${summary.accounts}`,
    `left out: assets ${summary.assets}, failed requests ${summary.failedRequests}, other methods ${summary.otherMethods}`,
    `imported in ${summary.seconds.toFixed(1)} s; the top ${top.length}:`,
    ...top.map(
      ({ accountId, score, points, contacts }, index) =>
        `${String(index + 1).padStart(4)}  ${accountId.padEnd(28)} score ${score.toFixed(2).padStart(6)}  points ${points.toFixed(1).padStart(7)}  contacts ${contacts}`,
    ),
  ];
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    console.error('usage: node test/extra/verify-import.ts FILE');
    process.exit(2);
  }
  const { wrong, accounts } = await verifyImport(file, console.log);
  for (const line of wrong.slice(0, 50)) console.log(`  ${line}`);
  console.log(wrong.length === 0 ? `VERDICT: every one of ${accounts} accounts agrees` : `VERDICT: ${wrong.length} differences`);
  process.exit(wrong.length === 0 ? 0 : 1);
}
