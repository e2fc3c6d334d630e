import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChdbHttpFront } from '@touchstone/testkit';
import type { ChdbHttpFront } from '@touchstone/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { jsonRows } from './json-rows.ts';
import { migrate, readMigrations } from './migrate.ts';
import { ServerTransport } from './server-transport.ts';
import type { ServerOptions } from './server-options.ts';
import { describeStore } from './store.contract.ts';
import { checkpointOf, entriesOf, leadAt, touchAt } from './test-records.ts';
import { gatewayTo, pass } from './test-server.ts';
import type { Asked } from './test-server.ts';

const root = mkdtempSync(join(tmpdir(), 'touchstone-store-'));
let front: ChdbHttpFront;
let databases = 0;
const undo: (() => unknown)[] = [];

beforeAll(async () => {
  front = await startChdbHttpFront({ directory: root, username: 'ada', password: 'pä ss' });
});

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

afterAll(async () => {
  await front.stop();
  rmSync(root, { recursive: true });
});

const optionsAt = (url: string): ServerOptions => ({
  url,
  username: 'ada',
  password: 'pä ss',
  database: `test_${++databases}`,
  requestTimeoutMs: 20_000,
});

describeStore('a server', async () => new ServerTransport(optionsAt(front.url)));

describe('a server transport', () => {
  /** What is sent on the way to the front. */
  async function recorded(): Promise<{ url: string; asked: (Asked & { readonly encoding: string | undefined })[] }> {
    const asked: (Asked & { readonly encoding: string | undefined })[] = [];
    const gateway = await gatewayTo(front.url, (exchange) => {
      asked.push({ ...exchange, encoding: exchange.request.headers['content-encoding'] });
      return pass(exchange);
    });
    undo.push(() => gateway.close());
    return { url: gateway.url, asked };
  }

  function opened(options: ServerOptions): { transport: ServerTransport; store: ClickHouseStore } {
    const transport = new ServerTransport(options);
    const store = new ClickHouseStore(transport);
    undo.push(() => store.close());
    return { transport, store };
  }

  it.each(['gzip', 'zstd'] as const)('sends and takes rows as %s', async (compression) => {
    const { asked, url } = await recorded();
    const { store } = opened({ ...optionsAt(url), compression });
    await store.migrate();
    const entries = [touchAt(0, { url: 'https://a.example/'.repeat(100) }), leadAt(1), touchAt(2)];
    await store.checkpoint([checkpointOf(store, entries)]);
    expect(await entriesOf(store.replay(0, 9))).toEqual(entries);
    const inserts = asked.filter(({ statement }) => statement.startsWith('INSERT INTO touches'));
    expect(inserts.map(({ encoding }) => encoding)).toEqual([compression]);
    await expect(store.timeline('a'.repeat(10), 1)).resolves.toEqual([]);
  });

  it('gives each statement an id of ours, and each read an end in the server', async () => {
    const { asked, url } = await recorded();
    const { store } = opened(optionsAt(url));
    await store.migrate();
    await store.positions();
    await entriesOf(store.replay(0, 5));
    const ids = asked.map(({ settings }) => settings.get('query_id'));
    expect(ids.every((id) => /^touchstone-[\w-]{36}$/.test(id ?? ''))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    const limits = asked.map(({ settings, statement }) => [/^\s*(\w+)/.exec(statement)?.[1], settings.get('max_execution_time')]);
    expect(new Set(limits.map(([verb, limit]) => `${verb} ${limit}`))).toEqual(
      new Set(['SELECT 20', 'CREATE null', 'ALTER null', 'INSERT null', 'SELECT 30']),
    );
  });

  it('does without the end of a read when the user may not set it', async () => {
    let refusals = 0;
    const gateway = await gatewayTo(front.url, async (exchange) => {
      if (!exchange.settings.has('max_execution_time')) return pass(exchange);
      refusals++;
      exchange.response.writeHead(500, { 'x-clickhouse-exception-code': '164' });
      exchange.response.end(
        "Code: 164. DB::Exception: Cannot modify 'max_execution_time' setting in readonly mode. (READONLY) (version 26.7)",
      );
    });
    undo.push(() => gateway.close());
    const { store } = opened(optionsAt(gateway.url));
    await store.migrate();
    expect((await store.positions()).size).toBe(0);
    expect(refusals).toBe(1);
  });

  it('on a cluster asks for what was acknowledged, where state is read from it, and inserts what will be', async () => {
    const options = optionsAt(front.url);
    // The engine here has no cluster, so the tables are made without one; the settings it takes.
    await opened(options).store.migrate();
    const { asked, url } = await recorded();
    const { store, transport } = opened({ ...options, url, cluster: 'main' });
    const entries = [touchAt(0), leadAt(1)];
    await store.checkpoint([checkpointOf(store, entries)]);
    await store.checkpoint([checkpointOf(store, entries)]);
    const score = { accountId: 'a', partition: 0, version: 1, modelVersion: 'm', asOf: 0, points: 1, score: 1, engaged: true };
    await store.saveScores([score]);
    expect(await entriesOf(store.replay(0, 9))).toEqual(entries);
    await store.positions();
    await store.models();
    await store.apiKeys();
    await store.timeline('a', 1);
    await store.history('a', 0, 1);
    await store.ping();
    const seen = asked.map(({ statement, settings }) => ({
      what: /^INSERT INTO (\w+)/.exec(statement)?.[1] ?? /FROM (\w+)/.exec(statement.replace('FROM (SELECT offset ', ''))?.[1] ?? 'ping',
      isInsert: statement.startsWith('INSERT'),
      quorum: settings.get('insert_quorum'),
      parallel: settings.get('insert_quorum_parallel'),
      sequential: settings.get('select_sequential_consistency'),
    }));
    const quorumOf = new Map(seen.filter(({ isInsert }) => isInsert).map(({ what, quorum, parallel }) => [what, [quorum, parallel]]));
    expect(Object.fromEntries(quorumOf)).toEqual({
      touches: ['auto', '0'],
      facts: ['auto', '0'],
      positions: ['auto', '0'],
      account_scores: [null, null],
    });
    const lagging = seen.filter(({ isInsert, sequential }) => !isInsert && sequential !== '1').map(({ what }) => what);
    expect(lagging).toEqual(['touches', 'score_history', 'ping']);
    expect(asked.filter(({ statement }) => /FROM touches\s+WHERE account_id/.test(statement))).toHaveLength(1);
    const tokens = asked.map(({ settings }) => settings.get('insert_deduplication_token')).filter((token) => token !== null);
    expect(new Set(tokens).size).toBe(7);
    expect(transport.cluster).toBe('main');
  });

  it('on a cluster makes the database and every table on all of it', async () => {
    const asked: Asked[] = [];
    const gateway = await gatewayTo(front.url, async ({ response, ...exchange }) => {
      asked.push(exchange);
      response.writeHead(200, { 'x-clickhouse-summary': '{}' }).end();
    });
    undo.push(() => gateway.close());
    const { store } = opened({ ...optionsAt(gateway.url), cluster: 'main' });
    await store.migrate();
    const changes = asked.filter(({ statement }) => /^\s*(CREATE|ALTER)/.test(statement));
    // What fills a table is no change of it.
    const made = readMigrations().flatMap(({ statements }) => statements.filter((statement) => !/^\s*INSERT/.test(statement)));
    expect(changes).toHaveLength(made.length + 2);
    for (const { settings, statement } of changes) {
      expect(statement).toContain("ON CLUSTER 'main'");
      expect(settings.get('distributed_ddl_task_timeout')).toBe('24');
      expect(settings.has('database')).toBe(!statement.includes('DATABASE'));
    }
    expect(
      asked
        .filter(({ statement }) => statement.startsWith('INSERT INTO schema_migrations'))
        .map(({ settings }) => settings.get('insert_quorum')),
    ).toEqual(readMigrations().map(() => 'auto'));
  });

  it.each([
    ['a CA file that is not there', { caFile: join(root, 'none.pem') }, 'The CA file can not be read'],
    ['a name that no cluster has', { cluster: "x' y" }, 'is no name of a cluster'],
  ])('does not begin with %s', (_, options, message) => {
    expect(() => new ServerTransport({ ...optionsAt(front.url), ...options })).toThrow(message);
  });
});

describe('processes that migrate one database', () => {
  it('at the same time all succeed, with each migration applied once', async () => {
    const options = optionsAt(front.url);
    const transports = Array.from({ length: 4 }, () => new ServerTransport(options));
    await Promise.all(transports.map((transport) => migrate(transport, readMigrations())));
    const [transport] = transports;
    const rows = jsonRows<{ number: number }>(
      await transport!.read('SELECT number FROM schema_migrations FINAL ORDER BY number FORMAT JSONEachRow'),
    );
    expect(rows.map(({ number }) => number)).toEqual(readMigrations().map(({ number }) => number));
    await Promise.all(transports.map((one) => one.close()));
  });

  it('go on when another was faster with a statement that fails now', async () => {
    const options = optionsAt(front.url);
    const transport = new ServerTransport(options);
    undo.push(() => transport.close());
    const other = new ServerTransport(options);
    undo.push(() => other.close());
    const more = { number: 9000, name: '9000-more.sql', checksum: 'c', statements: ['CREATE TABLE more (x Int8) ENGINE = Memory'] };
    const all = [...readMigrations(), more];
    await migrate(other, readMigrations());
    const late: typeof transport.command = async (statement, params) => {
      if (statement.includes('TABLE more')) await migrate(other, all);
      await transport.command(statement, params);
    };
    const slow = new Proxy(transport, {
      get: (target, name) => (name === 'command' ? late : bound(target, name as keyof ServerTransport)),
    });
    await expect(migrate(slow, all)).resolves.toBeUndefined();
    // And still fails when nobody was.
    const failing = { ...more, number: 9001, name: '9001-again.sql' };
    await expect(migrate(transport, [...all, failing])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('ALREADY_EXISTS'),
    });
  });
});

function bound<Name extends keyof ServerTransport>(transport: ServerTransport, name: Name): ServerTransport[Name] {
  const value = transport[name];
  return typeof value === 'function' ? (value.bind(transport) as ServerTransport[Name]) : value;
}
