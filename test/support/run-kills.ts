import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@touchstone/testkit';
import type { LogEntry } from '@touchstone/testkit';
import { followStream } from './follow-stream.ts';
import { startLoad, type LoadClient } from './load-client.ts';
import { createRandom, type Random } from './random.ts';
import { readEvents } from './read-events.ts';
import { pathOf, takeSnapshot, wrongIn, type ServedAccount } from './served-accounts.ts';
import { settle } from './settle.ts';
import type { Server, ServerOptions } from './start-server.ts';
import { neverTold, wrongStreamed } from './streamed-scores.ts';
import { watchAccounts } from './watch-accounts.ts';

export interface KillOptions {
  readonly data: string;
  readonly start: (options: ServerOptions) => Promise<Server>;
  readonly kills: number;
  readonly clients: number;
  readonly accounts: number;
  readonly batchMax: number;
  readonly pauseMsMax: number;
  readonly seed: number;
}

export interface KillReport {
  /** Everything that is not as promised, one line each. */
  readonly wrong: readonly string[];
  readonly kills: number;
  /** Distinct touches answered 202. */
  readonly acked: number;
  /** Touches sent again because nobody had answered, or though somebody had. */
  readonly sentAgain: { readonly unanswered: number; readonly answered: number };
  /** Touches that are on the log though one with their id is before them. */
  readonly repeatedOnLog: number;
  /** From the start of a process until it was ready, milliseconds, in the order of the starts. */
  readonly recoveriesMs: readonly number[];
  readonly answersWatched: number;
  readonly stream: { readonly events: number; readonly connections: number; readonly older: number; readonly gaps: number };
}

/** What a process is at when it is killed. Most of the time it serves; the others come by turns. */
const LIVES = ['serving', 'restoring', 'serving', 'starting', 'serving', 'serving', 'serving'] as const;

/**
 * Kills a server under load, again and again, with clients that send again what was not answered and readers that come back; then looks
 * whether every touch answered 202 counts once, by three ways that share nothing: what the clients know, what the log says, what is stored.
 */
export async function runKills(options: KillOptions): Promise<KillReport> {
  const { data, start, seed } = options;
  const random = createRandom(seed);
  const port = await freePort();
  const accountIds = Array.from({ length: options.accounts }, (_, i) => `account-${i}`);
  const launch = (): Promise<Server> => start({ data, port, waitFor: 'nothing' });

  let server = await launch();
  await server.becomes('ready');
  const { url } = server;
  const { batchMax, pauseMsMax } = options;
  const clients = Array.from({ length: options.clients }, (_, i) =>
    startLoad({ url, name: `client-${i}`, accountIds, batchMax, pauseMsMax, random: createRandom(seed * 1000 + i) }),
  );
  const watch = watchAccounts(url, accountIds, createRandom(seed * 1000 + 999));
  const stream = followStream(url);

  const recoveriesMs: number[] = [];
  for (let kill = 0; kill < options.kills; kill++) {
    await liveUntilItIsTime(server, LIVES[kill % LIVES.length]!, random);
    await server.kill();
    const startedAt = performance.now();
    server = await launch();
    const next = kill + 1 < options.kills ? LIVES[(kill + 1) % LIVES.length] : 'serving';
    if (next !== 'serving') continue;
    await server.becomes('ready');
    recoveriesMs.push(performance.now() - startedAt);
  }
  await Promise.all(clients.map((client) => client.finish()));
  await settle(server);
  await watch.finish();

  const acked = ackedBy(clients);
  const wrong = [...watch.wrong];
  const snapshot = await takeSnapshot(server, 500);
  wrong.push(...(await neverTold(stream, snapshot.list)));
  await stream.stop();
  if (stream.counts.older > 0) wrong.push(`the stream told ${stream.counts.older} scores that were older than what it had told`);
  wrong.push(...(await wrongCounts(server, acked)));
  const code = await server.stop();
  if (code !== 0) wrong.push(`the last server ended with ${code}: ${server.output()}`);

  const log = await readEvents(data);
  wrong.push(...wrongIn(snapshot, log), ...missingIn(log, acked), ...wrongStreamed(stream.latest, log));
  server = await launch();
  await server.becomes('ready');
  wrong.push(...(await wrongTimelines(server, acked)));
  await server.kill();

  let total = 0;
  for (const ids of acked.values()) total += ids.size;
  const sum = (of: (client: LoadClient) => number): number => clients.reduce((all, client) => all + of(client), 0);
  return {
    wrong,
    kills: options.kills,
    acked: total,
    sentAgain: { unanswered: sum(({ sentAgain }) => sentAgain.unanswered), answered: sum(({ sentAgain }) => sentAgain.answered) },
    repeatedOnLog: repeatedOn(log),
    recoveriesMs,
    answersWatched: watch.answers,
    stream: { ...stream.counts },
  };
}

async function liveUntilItIsTime(server: Server, life: (typeof LIVES)[number], random: Random): Promise<void> {
  if (life === 'serving') await sleep(random.whole(50, 1500));
  else if (life === 'starting') await sleep(random.whole(0, 700));
  else {
    await server.becomes('alive');
    await sleep(random.whole(0, 100));
  }
}

function ackedBy(clients: readonly LoadClient[]): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  for (const { acked } of clients) {
    for (const [accountId, ids] of acked) all.set(accountId, (all.get(accountId) ?? new Set()).union(ids));
  }
  return all;
}

function repeatedOn(log: readonly LogEntry[]): number {
  const ids = log.flatMap(({ record }) => ('type' in record ? [] : [record.id]));
  return ids.length - new Set(ids).size;
}

/** All touches are of the last days, so the longest window counts them all. */
async function wrongCounts(server: Server, acked: ReadonlyMap<string, ReadonlySet<string>>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [accountId, ids] of acked) {
    const { windows } = await server.get<ServedAccount>(pathOf(accountId));
    const counted = windows['90d']!.touches;
    if (counted !== ids.size) wrong.push(`${accountId}: ${ids.size} touches were answered 202, ${counted} count`);
  }
  return wrong;
}

function missingIn(log: readonly LogEntry[], acked: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const onLog = new Set(log.flatMap(({ record }) => ('type' in record ? [] : [record.id])));
  return [...acked.values()].flatMap((ids) => [...ids.difference(onLog)]).map((id) => `${id} was answered 202, but is not on the log`);
}

/** What is stored: each touch once, and no other. */
async function wrongTimelines(server: Server, acked: ReadonlyMap<string, ReadonlySet<string>>): Promise<string[]> {
  const wrong: string[] = [];
  for (const [accountId, ids] of acked) {
    const stored = await readTimeline(server, accountId);
    const distinct = new Set(stored);
    if (stored.length !== distinct.size) wrong.push(`${accountId}: ${stored.length - distinct.size} touches are in the timeline twice`);
    for (const id of ids.difference(distinct)) wrong.push(`${id} was answered 202, but is not in the timeline of ${accountId}`);
    for (const id of distinct.difference(ids)) wrong.push(`${id} is in the timeline of ${accountId}, but was never sent`);
  }
  return wrong;
}

async function readTimeline(server: Server, accountId: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const place: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { data: { id: string }[]; nextCursor: string | null } = await server.get(`${pathOf(accountId)}/timeline?limit=500${place}`);
    ids.push(...page.data.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return ids;
}
