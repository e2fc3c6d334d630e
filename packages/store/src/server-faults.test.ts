import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChdbHttpFront } from '@touchstone/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { checkpointOf, entriesOf, leadAt, touchAt } from './test-records.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function storeAt(url: string, requestTimeoutMs = 10_000, password = ''): Promise<Store> {
  const store = await openStore({ kind: 'server', url, username: 'default', password, database: 'default', requestTimeoutMs });
  undo.push(() => store.close());
  return store;
}

async function serverThat(answers: RequestListener): Promise<string> {
  const server: Server = createServer(answers).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  undo.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const EXCEPTION_BODIES: readonly [status: number, body: string, code: string][] = [
  [500, 'Code: 252. DB::Exception: Too many parts (3000). Merges are slower than inserts. (TOO_MANY_PARTS) (version 26.7)', 'unavailable'],
  [500, 'Code: 241. DB::Exception: Memory limit (total) exceeded: would use 3 GiB. (MEMORY_LIMIT_EXCEEDED) (version 26.7)', 'unavailable'],
  [500, 'Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY) (version 26.7)', 'unavailable'],
  [500, 'Code: 999. Coordination::Exception: Session expired. (KEEPER_EXCEPTION) (version 26.7)', 'unavailable'],
  [500, 'Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES) (version 26.7)', 'unavailable'],
  [500, 'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE) (version 26.7)', 'unavailable'],
  [500, 'Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY) (version 26.7)', 'rejected'],
  [404, 'Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE) (version 26.7)', 'rejected'],
  [502, '<html><h1>502 Bad Gateway</h1></html>', 'unavailable'],
  [503, '', 'unavailable'],
];

describe('a server that fails', () => {
  it.each(EXCEPTION_BODIES)('with %i %s', async (status, body, code) => {
    const url = await serverThat((_, response) => response.writeHead(status).end(body));
    const store = await storeAt(url);
    await expect(store.positions()).rejects.toMatchObject({ name: 'StoreError', code, retriable: code === 'unavailable' });
    await expect(store.checkpoint([checkpointOf(store, [touchAt(0)])])).rejects.toMatchObject({ code });
  });

  it.each<[string, RequestListener]>([
    ['by never answering', () => {}],
    ['by stopping in the middle of an answer', (_, response) => response.writeHead(200).write('{"partition":1,')],
  ])('%s has the time it was given', async (_, answers) => {
    const store = await storeAt(await serverThat(answers), 300);
    await expect(store.positions()).rejects.toMatchObject({ code: 'unavailable', message: 'ClickHouse did not answer within 300 ms' });
  });

  it('by hanging up in the middle of an answer has not answered', async () => {
    const url = await serverThat((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"partition":1,"generation":"g","offset":5}\n', () => response.destroy());
    });
    await expect((await storeAt(url)).positions()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('by not being there is not available', async () => {
    const store = await storeAt('http://127.0.0.1:9');
    await expect(store.ping()).rejects.toMatchObject({ code: 'unavailable', retriable: true });
    await expect(store.migrate()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a server of real ClickHouse', () => {
  it('refuses a wrong password', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'touchstone-front-'));
    const front = await startChdbHttpFront({ directory, password: 'right' });
    undo.push(
      () => rmSync(directory, { recursive: true }),
      () => front.stop(),
    );
    await (await storeAt(front.url, 10_000, 'right')).ping();
    await expect((await storeAt(front.url, 10_000, 'wrong')).ping()).rejects.toMatchObject({ code: 'rejected' });
  });

  it('that is killed and comes back takes the same checkpoint again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'touchstone-front-'));
    undo.push(() => rmSync(directory, { recursive: true }));
    const first = await startChdbHttpFront({ directory });
    const store = await storeAt(first.url);
    await store.migrate();
    const early = [touchAt(0), leadAt(1)];
    await store.checkpoint([checkpointOf(store, early)]);
    await first.kill();
    const entries = [...early, touchAt(2), touchAt(3)];
    const checkpoint = checkpointOf(store, entries);
    await expect(store.checkpoint([checkpoint])).rejects.toMatchObject({ code: 'unavailable' });
    const second = await startChdbHttpFront({ directory, port: first.port });
    undo.push(() => second.stop());
    await store.checkpoint([checkpoint]);
    expect(await entriesOf(store.replay(0, 9))).toEqual(entries);
    expect((await store.positions()).get(0)?.offset).toBe(4);
  });
});
