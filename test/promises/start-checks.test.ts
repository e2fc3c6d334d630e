import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { freePort } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLoad } from '../support/load-client.ts';
import { TEST_PARTITIONS } from '../support/partitions.ts';
import { createRandom } from '../support/random.ts';
import { openLogOf, readEvents } from '../support/read-events.ts';
import { takeSnapshot, wrongIn } from '../support/served-accounts.ts';
import { settle } from '../support/settle.ts';
import { startServer, type Server } from '../support/start-server.ts';
import { testServers } from '../support/test-servers.ts';

const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `account-${i}`);
const YEAR_MS = 365 * 86_400_000;

/** What does not belong together must stop a start with a reason that has a name; going on would lose touches or count them twice. */
describe('a start', () => {
  const servers = testServers();
  const timeout = 120_000;

  async function load(server: Server, name: string): Promise<void> {
    const { url } = server;
    const client = startLoad({ url, name, accountIds: ACCOUNTS, batchMax: 100, pauseMsMax: 5, random: createRandom(1) });
    await sleep(300);
    await client.finish();
    await settle(server);
  }

  const template = mkdtempSync(join(tmpdir(), 'touchstone-test-'));
  beforeAll(async () => {
    const server = await startServer({ data: template, env: { PARTITIONS: String(TEST_PARTITIONS) } });
    await load(server, 'first');
    expect(await server.stop()).toBe(0);
  }, timeout);
  afterAll(() => rmSync(template, { recursive: true, force: true }));

  /** A data directory with touches in log and store, of a server that has stopped. */
  function filled(): string {
    const data = servers.directory();
    cpSync(template, data, { recursive: true });
    return data;
  }

  /** Starts a server that must not come up, with a client that tries to send it touches all the while. */
  async function failedStart(data: string): Promise<{ code: number | null; output: string; accepted: number }> {
    const port = await freePort();
    const server = await servers.start({ data, port, waitFor: 'nothing' });
    let hasEnded = false;
    const ended = server.ended.then((code) => {
      hasEnded = true;
      return code;
    });
    let accepted = 0;
    while (!hasEnded) {
      const sent = await server.post('/v1/touches', [{ accountId: 'too-early', kind: 'web_visit' }]).catch(() => null);
      accepted += sent?.accepted ?? 0;
      await sleep(1);
    }
    return { code: await ended, output: server.output(), accepted };
  }

  async function expectWhole(data: string): Promise<void> {
    const server = await servers.start({ data });
    await settle(server);
    const snapshot = await takeSnapshot(server, 500);
    await server.kill();
    expect(wrongIn(snapshot, await readEvents(data))).toEqual([]);
  }

  test('on a directory in use names the directory, and leaves the process that has it alone', { timeout }, async () => {
    const data = servers.directory();
    const first = await servers.start({ data });
    await load(first, 'before');
    const { code, output, accepted } = await failedStart(data);
    expect({ code, accepted }).toEqual({ code: 1, accepted: 0 });
    expect(output).toContain('"code":"locked"');
    expect(output).toContain(`${data} is in use by process ${first.pid}`);
    await load(first, 'after');
    const snapshot = await takeSnapshot(first, 500);
    expect(await first.stop()).toBe(0);
    expect(wrongIn(snapshot, await readEvents(data))).toEqual([]);
  });

  test('with another log than the store was written from stops as topic_made_anew', { timeout }, async () => {
    const data = filled();
    const log = join(data, 'log');
    renameSync(log, `${log}-of-before`);
    const { code, output, accepted } = await failedStart(data);
    expect({ code, accepted }).toEqual({ code: 1, accepted: 0 });
    expect(output).toContain('"code":"topic_made_anew"');
    rmSync(log, { recursive: true });
    renameSync(`${log}-of-before`, log);
    await expectWhole(data);
  });

  test('with a log that ends before what is stored stops as log_truncated', { timeout }, async () => {
    const data = filled();
    const log = join(data, 'log');
    cpSync(log, `${log}-backup`, { recursive: true });
    const server = await servers.start({ data });
    await load(server, 'second');
    expect(await server.stop()).toBe(0);
    renameSync(log, `${log}-whole`);
    cpSync(`${log}-backup`, log, { recursive: true });
    const { code, output, accepted } = await failedStart(data);
    expect({ code, accepted }).toEqual({ code: 1, accepted: 0 });
    expect(output).toContain('"code":"log_truncated"');
    rmSync(log, { recursive: true });
    renameSync(`${log}-whole`, log);
    await expectWhole(data);
  });

  test('with a store that lacks what the log no longer holds stops as records_lost', { timeout }, async () => {
    const data = filled();
    const log = await openLogOf(data);
    const { blocks } = await log.sweep(Date.now() + YEAR_MS);
    expect(blocks).toBeGreaterThan(0);
    await log.close();
    renameSync(join(data, 'store'), join(data, 'store-whole'));
    const { code, output, accepted } = await failedStart(data);
    expect({ code, accepted }).toEqual({ code: 1, accepted: 0 });
    expect(output).toContain('"code":"records_lost"');
    rmSync(join(data, 'store'), { recursive: true });
    renameSync(join(data, 'store-whole'), join(data, 'store'));
    // With its own store the log is whole again, though it is short.
    const server = await servers.start({ data });
    expect((await server.get<{ data: unknown[] }>('/v1/accounts?limit=500')).data.length).toBeGreaterThanOrEqual(ACCOUNTS.length);
  });

  test('with an empty store applies the whole log again', { timeout }, async () => {
    const data = filled();
    const extents = await openLogOf(data).then(async (log) => {
      const found = await log.extents(EVENTS_TOPIC);
      await log.close();
      return found;
    });
    expect(extents.every(({ start, end }) => start === 0 && end > 0)).toBe(true);
    rmSync(join(data, 'store'), { recursive: true });
    await expectWhole(data);
  });
});
