import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { READ_ONLY, startStoreProxy, TOO_MANY_PARTS, type StoreProxy } from './start-store-proxy.ts';

let server: Server;
let proxy: StoreProxy;
/** Statements that reached the server. */
let seen: string[];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push(new URL(request.url!, 'http://127.0.0.1').searchParams.get('query') ?? body);
      response.end('done');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startStoreProxy({ to: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

afterEach(async () => {
  await proxy.close();
  server.close();
  server.closeAllConnections();
});

const select = (): Promise<Response> => fetch(proxy.url, { method: 'POST', body: 'SELECT 1' });
const insert = (): Promise<Response> =>
  fetch(`${proxy.url}/?query=${encodeURIComponent('INSERT INTO t')}`, { method: 'POST', body: 'rows' });

describe('startStoreProxy', () => {
  it('passes statements and answers', async () => {
    expect(await (await select()).text()).toBe('done');
    expect(await (await insert()).text()).toBe('done');
    expect(seen).toEqual(['SELECT 1', 'INSERT INTO t']);
  });

  it.each([[READ_ONLY], [TOO_MANY_PARTS]])('answers what writes with an exception: $code $name', async (exception) => {
    proxy.set({ kind: 'exception', exception, statements: 'writing' });
    const answer = await insert();
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([500, String(exception.code)]);
    expect(await answer.text()).toContain(exception.name);
    expect((await select()).status).toBe(200);
    expect(proxy.faults.get('exception')).toBe(1);
    expect(seen).toEqual(['SELECT 1']);
  });

  it('stops by itself after so many', async () => {
    proxy.set({ kind: 'exception', exception: READ_ONLY, statements: 'all' }, 2);
    expect([(await select()).status, (await insert()).status, (await select()).status]).toEqual([500, 500, 200]);
  });

  it('loses the answer of what was carried out', async () => {
    proxy.set({ kind: 'lose-answers' });
    await expect(insert()).rejects.toThrow('fetch failed');
    expect(seen).toEqual(['INSERT INTO t']);
    expect((await select()).status).toBe(200);
  });

  it('answers nothing during a stall and cuts what waited', async () => {
    proxy.set({ kind: 'stall' });
    const waiting = select();
    await expect.poll(() => proxy.faults.get('stall')).toBe(1);
    proxy.set({ kind: 'pass' });
    await expect(waiting).rejects.toThrow('fetch failed');
    expect(seen).toEqual([]);
    expect((await select()).status).toBe(200);
  });

  it('takes nothing during an outage', async () => {
    proxy.set({ kind: 'outage' });
    await expect(select()).rejects.toThrow('fetch failed');
    proxy.set({ kind: 'pass' });
    expect((await select()).status).toBe(200);
  });
});
