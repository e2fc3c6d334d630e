import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChdbHttpFront } from '@touchstone/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';
import { checkpointOf, entriesOf, leadAt, touchAt } from './test-records.ts';
import { gatewayTo, listenWith, pass, SIGNED } from './test-server.ts';

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function storeAt(url: string, requestTimeoutMs = 10_000, password = '', pageTimeoutMs = requestTimeoutMs): Promise<Store> {
  const store = await openStore({
    kind: 'server',
    url,
    username: 'default',
    password,
    database: 'default',
    requestTimeoutMs,
    pageTimeoutMs,
  });
  undo.push(() => store.close());
  return store;
}

async function serverThat(answers: RequestListener): Promise<string> {
  const server = await listenWith(answers);
  undo.push(() => server.close());
  return server.url;
}

async function startFront(password = ''): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-front-'));
  undo.push(() => rmSync(directory, { recursive: true }));
  const front = await startChdbHttpFront({ directory, password });
  undo.push(() => front.stop());
  return front.url;
}

const ROW = '{"partition":1,"generation":"g","offset":5}\n';
const FAULTS: readonly [what: string, status: number, body: string, code: string, headers?: Record<string, string>][] = [
  ['an exception that passes', 500, 'Code: 252. DB::Exception: Too many parts (3000). (TOO_MANY_PARTS) (version 26.7)', 'unavailable'],
  ['an exception about the statement', 404, 'Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)', 'rejected'],
  ['an exception about the user', 403, 'Code: 497. DB::Exception: Not enough privileges. (ACCESS_DENIED)', 'denied'],
  [
    'an exception that is called a success',
    200,
    'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)',
    'unavailable',
    { 'x-clickhouse-exception-code': '241' },
  ],
  ['rows with an exception behind them', 200, `${ROW}Code: 241. DB::Exception: Memory. (MEMORY_LIMIT_EXCEEDED)\n`, 'unavailable'],
  [
    'rows with a marked exception behind them',
    200,
    `${ROW}\r\n__exception__\r\nabc\r\nCode: 60. DB::Exception: Gone. (UNKNOWN_TABLE)\n50 abc\r\n__exception__\r\n`,
    'rejected',
    { 'x-clickhouse-exception-tag': 'abc' },
  ],
  ['a last row without its end', 200, `${ROW}{"partition":2,"gen`, 'unavailable'],
  ['the page of a gateway', 502, '<html><h1>502 Bad Gateway</h1></html>', 'unavailable'],
  ['nothing but a status', 503, '', 'unavailable'],
  ['a page of somebody else', 404, '<html>Not found</html>', 'rejected'],
];

describe('a server that fails', () => {
  it.each(FAULTS)('with %s', async (_, status, body, code, headers = {}) => {
    const url = await serverThat((_request, response) => response.writeHead(status, { ...SIGNED, ...headers }).end(body));
    const store = await storeAt(url);
    await expect(store.positions()).rejects.toMatchObject({ name: 'StoreError', code, retriable: code !== 'rejected' });
    if (status === 200 && headers['x-clickhouse-exception-code'] === undefined) return;
    await expect(store.checkpoint([checkpointOf(store, [touchAt(0)])])).rejects.toMatchObject({ code });
  });

  it('by not being ClickHouse has acknowledged nothing, whatever its status', async () => {
    const store = await storeAt(await serverThat((_, response) => response.writeHead(200).end('<html>Back soon</html>')));
    await expect(store.checkpoint([checkpointOf(store, [touchAt(0)])])).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.ping()).rejects.toMatchObject({
      code: 'unavailable',
      message: 'ClickHouse did not answer: what answered is not ClickHouse',
    });
  });

  it.each<[string, RequestListener]>([
    ['by never answering', () => {}],
    ['by stopping in the middle of an answer', (_, response) => response.writeHead(200, SIGNED).write(ROW)],
  ])('%s has the time it was given', async (_, answers) => {
    const store = await storeAt(await serverThat(answers), 300);
    const expected = { code: 'unavailable', message: 'ClickHouse did not answer within 300 ms' };
    await expect(store.positions()).rejects.toMatchObject(expected);
    await expect(entriesOf(store.replay(0, 10))).rejects.toMatchObject(expected);
    await expect(store.checkpoint([checkpointOf(store, [touchAt(0)])])).rejects.toMatchObject(expected);
  });

  it('by stopping in the middle of an answer is not waited for as long as for a page', async () => {
    const url = await serverThat((_, response) => response.writeHead(200, SIGNED).write(ROW));
    const store = await storeAt(url, 300, '', 10 * 60_000);
    await expect(store.positions()).rejects.toMatchObject({ message: 'ClickHouse did not answer within 300 ms' });
  });

  it('by hanging up in the middle of an answer has not answered', async () => {
    const url = await serverThat((_, response) => {
      response.writeHead(200, { ...SIGNED, 'content-length': 100 }).write(ROW, () => response.destroy());
    });
    await expect((await storeAt(url)).positions()).rejects.toMatchObject({ code: 'unavailable' });
  });

  const EXCEPTION = 'Code: 241. DB::Exception: Memory limit (total) exceeded: would use 3 GiB. (MEMORY_LIMIT_EXCEEDED) (version 24.8)\n';
  it.each([
    ['of other columns', Buffer.from(EXCEPTION)],
    // As many as there are, and no rows.
    ['of as many columns', Buffer.from(`\u000e\0${EXCEPTION}`)],
  ])('by an exception among the rows of a replay, that reads as a block %s, hides none of them', async (_, exception) => {
    const gateway = await gatewayTo(await startFront(), async (exchange) => {
      const { body, headers, status } = await exchange.forward();
      const isPage = exchange.statement.includes('FROM touches WHERE') && exchange.statement.endsWith('Native');
      const { 'content-length': _length, ...rest } = headers;
      exchange.response.writeHead(status, rest).end(isPage ? Buffer.concat([body, exception]) : body);
    });
    undo.push(() => gateway.close());
    const store = await storeAt(gateway.url);
    await store.migrate();
    await store.checkpoint([checkpointOf(store, [touchAt(0), touchAt(1)])]);
    await expect(entriesOf(store.replay(0, 2))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('by not being there is not available', async () => {
    const store = await storeAt('http://127.0.0.1:9');
    await expect(store.ping()).rejects.toMatchObject({ code: 'unavailable', retriable: true });
    await expect(store.migrate()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a server that does not let the user in', () => {
  it('refuses the start, and later says so for as long as it lasts', async () => {
    let isRotated = false;
    const front = await startFront('right');
    const gateway = await gatewayTo(front, (exchange) => {
      if (isRotated) exchange.request.headers.authorization = 'Basic other';
      return pass(exchange);
    });
    undo.push(() => gateway.close());
    const refused = { code: 'refused', retriable: false, message: expect.stringContaining('AUTHENTICATION_FAILED') };
    await expect((await storeAt(gateway.url, 10_000, 'wrong')).migrate()).rejects.toMatchObject(refused);
    const store = await storeAt(gateway.url, 10_000, 'right');
    await store.migrate();
    isRotated = true;
    const denied = { code: 'denied', retriable: true, message: expect.stringContaining('AUTHENTICATION_FAILED') };
    const checkpoint = checkpointOf(store, [touchAt(0)]);
    await expect(store.checkpoint([checkpoint])).rejects.toMatchObject(denied);
    await expect(store.ping()).rejects.toMatchObject(denied);
    isRotated = false;
    await store.checkpoint([checkpoint]);
    expect((await store.positions()).get(0)?.offset).toBe(1);
  });
});

it('a server that is killed and comes back takes the same checkpoint again', async () => {
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
