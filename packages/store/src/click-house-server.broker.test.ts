import { randomUUID } from 'node:crypto';
import { startClickHouseServer } from '@touchstone/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { ServerTransport } from './server-transport.ts';
import type { ServerOptions } from './server-options.ts';
import { describeStore } from './store.contract.ts';

/** The store's contract on a server as users run it; `server-transport.test.ts` has the same on chDB behind HTTP. */
const server = await startClickHouseServer();
const databases: string[] = [];

function options(): ServerOptions {
  const database = `touchstone_test_${randomUUID().replaceAll('-', '')}`;
  databases.push(database);
  const { password, url, username } = server;
  return { url, username, password, database, requestTimeoutMs: 30_000 };
}

describe('a ClickHouse server', () => {
  afterAll(async () => {
    const transport = new ServerTransport({ ...options(), database: 'default' });
    for (const database of databases) await transport.command('DROP DATABASE IF EXISTS {database:Identifier} SYNC', { database });
    await transport.close();
    await server.stop();
  });

  describeStore('itself', async () => new ServerTransport(options()));
  describeStore('itself, with compressed rows', async () => new ServerTransport({ ...options(), compression: 'zstd' }));

  it('does not let in who has another password', async () => {
    const store = new ClickHouseStore(new ServerTransport({ ...options(), password: randomUUID() }));
    await expect(store.migrate()).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('AUTHENTICATION_FAILED') });
    await store.close();
  });
});
