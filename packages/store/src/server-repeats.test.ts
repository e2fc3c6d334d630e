import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChdbHttpFront } from '@touchstone/testkit';
import type { ChdbHttpFront, GeneratedEntry } from '@touchstone/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClickHouseStore } from './click-house-store.ts';
import { jsonRows } from './json-rows.ts';
import { ServerTransport } from './server-transport.ts';
import { checkpointOf, entriesOf, leadAt, touchAt } from './test-records.ts';
import { gatewayTo, listenWith, pass, SIGNED } from './test-server.ts';
import type { Exchange, TestServer } from './test-server.ts';

/** What the transport sends again by itself, what it leaves to callers, and that the end is the same. */
const root = mkdtempSync(join(tmpdir(), 'touchstone-repeats-'));
let front: ChdbHttpFront;
let gateway: TestServer;
let handle: (exchange: Exchange) => Promise<void> = pass;
let statements: string[] = [];
let partition = 0;
let entries: GeneratedEntry[];
let transport: ServerTransport;
let store: ClickHouseStore;

beforeAll(async () => {
  front = await startChdbHttpFront({ directory: root });
  gateway = await gatewayTo(front.url, (exchange) => {
    statements.push(exchange.statement);
    return handle(exchange);
  });
  const options = { url: gateway.url, username: 'default', password: '', database: 'default', requestTimeoutMs: 1500 };
  transport = new ServerTransport({ ...options, pageTimeoutMs: 1500 });
  store = new ClickHouseStore(transport);
  await store.migrate();
});

beforeEach(() => {
  handle = pass;
  partition++;
  entries = [touchAt(0, {}, partition), leadAt(1, 'lead', partition), touchAt(2, {}, partition)];
  statements = [];
});

afterAll(async () => {
  await store.close();
  gateway.close();
  await front.stop();
  rmSync(root, { recursive: true });
});

const sent = (begin: string) => statements.filter((statement) => statement.includes(begin)).length;
const stored = () => entriesOf(store.replay(partition, 9));
const position = async () => (await store.positions()).get(partition)?.offset;

const drop = ({ response }: Exchange): Promise<void> => Promise.resolve(void response.destroy());

/** Another way of failing for the first so many of the statements that have `part` in them. */
function failing(part: string, times: number, fail: (exchange: Exchange) => Promise<void>): (exchange: Exchange) => Promise<void> {
  let left = times;
  return (exchange) => (exchange.statement.includes(part) && left-- > 0 ? fail(exchange) : pass(exchange));
}

/** Done, and nobody hears of it. */
const afterApply = async ({ forward, response }: Exchange): Promise<void> => {
  await forward();
  response.destroy();
};

const blackholed = async ({ forward }: Exchange): Promise<void> => {
  await forward();
};

describe('a broken connection', () => {
  it.each([
    ['before an insert is done', drop],
    ['after an insert is done', afterApply],
  ])('%s has it sent once more, and counted once', async (_, fail) => {
    handle = failing('INSERT INTO touches', 1, fail);
    await store.checkpoint([checkpointOf(store, entries)]);
    expect(sent('INSERT INTO touches')).toBe(2);
    expect(await stored()).toEqual(entries);
  });

  it('in each insert of a checkpoint leaves the position behind all rows', async () => {
    for (const table of ['touches', 'facts', 'positions']) {
      handle = failing(`INSERT INTO ${table}`, 1, afterApply);
      await store.checkpoint([checkpointOf(store, entries)]);
    }
    expect(await stored()).toEqual(entries);
    expect(await position()).toBe(3);
  });

  it('of a read has it sent once more', async () => {
    handle = failing('FROM positions', 1, drop);
    expect(await position()).toBe(undefined);
    expect(sent('FROM positions')).toBe(2);
  });

  it('in the middle of an answer has it sent once more', async () => {
    await store.checkpoint([checkpointOf(store, entries)]);
    handle = failing('FROM touches WHERE', 3, async ({ forward, response }) => {
      const { body } = await forward();
      response.writeHead(200, { ...SIGNED, 'content-length': body.length + 1 }).write(body, () => response.destroy());
    });
    await expect(stored()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stored()).toEqual(entries);
  });

  it('again is for the caller', async () => {
    handle = failing('INSERT INTO touches', 2, drop);
    await expect(store.checkpoint([checkpointOf(store, entries)])).rejects.toMatchObject({ code: 'unavailable' });
    expect(sent('INSERT INTO touches')).toBe(2);
    expect(sent('INSERT INTO positions')).toBe(0);
  });

  it('of a change of the schema is for the caller, who asks first what is there', async () => {
    const change = 'CREATE TABLE IF NOT EXISTS more (x Int8) ENGINE = Memory';
    handle = failing('more', 1, drop);
    await expect(transport.command(change)).rejects.toMatchObject({ code: 'unavailable' });
    expect(sent('more')).toBe(1);
  });

  it('of sockets kept open while the server was restarted is not noticed', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => transport.read('SELECT sleep(0.05) FORMAT Null')));
    expect(answers).toHaveLength(10);
    let isBroken = true;
    const before = gateway.connections();
    // Every kept socket is reset when it is used; a new one is not.
    handle = (exchange) => (isBroken && gateway.connections() === before ? drop(exchange) : pass(exchange));
    expect(await position()).toBe(undefined);
    isBroken = false;
    expect(sent('FROM positions')).toBe(2);
  });
});

describe('an exception', () => {
  it('is for the caller, who may send the checkpoint again', async () => {
    handle = failing('INSERT INTO positions', 1, async ({ response }) => {
      response.writeHead(500).end('Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS) (version 26.7)');
    });
    const checkpoint = checkpointOf(store, entries);
    await expect(store.checkpoint([checkpoint])).rejects.toMatchObject({ code: 'unavailable' });
    expect(sent('INSERT INTO positions')).toBe(1);
    await store.checkpoint([checkpoint]);
    expect(await stored()).toEqual(entries);
  });

  it('about another insert that waits for its replicas has the insert sent until it is alone', async () => {
    handle = failing('INSERT INTO facts', 4, async ({ response }) => {
      const text = 'Quorum for previous write has not been satisfied yet. (UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE) (version 26.7)';
      response.writeHead(500).end(`Code: 286. DB::Exception: ${text}`);
    });
    await store.checkpoint([checkpointOf(store, entries)]);
    expect(sent('INSERT INTO facts')).toBe(5);
    expect(sent('INSERT INTO touches')).toBe(1);
    handle = failing('INSERT INTO facts', Number.POSITIVE_INFINITY, async ({ response }) => {
      response.writeHead(500).end('Code: 286. DB::Exception: Not yet. (UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE) (version 26.7)');
    });
    await expect(store.checkpoint([checkpointOf(store, entries)])).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a timeout of an insert that was done', () => {
  it('is no loss and no double when the checkpoint is sent again, also with more in it', async () => {
    for (const table of ['touches', 'positions']) {
      handle = failing(`INSERT INTO ${table}`, 1, blackholed);
      await expect(store.checkpoint([checkpointOf(store, entries)])).rejects.toMatchObject({
        code: 'unavailable',
        message: 'ClickHouse did not answer within 1500 ms',
      });
      expect(sent(`INSERT INTO ${table}`)).toBe(1);
      statements = [];
    }
    const more = [...entries, touchAt(3, {}, partition)];
    await store.checkpoint([checkpointOf(store, more)]);
    expect(await stored()).toEqual(more);
    const rows = await transport.read('SELECT offset FROM touches FINAL WHERE partition = {partition:UInt16} FORMAT JSONEachRow', {
      partition,
    });
    expect(jsonRows(rows)).toHaveLength(3);
  });
});

describe('an outage', () => {
  it('gathers no more than so many statements and sockets, refuses nothing unhandled, and lets a store be closed', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const hole = await listenWith(() => {});
    const options = { url: hole.url, username: 'default', password: '', database: 'default', requestTimeoutMs: 700, pageTimeoutMs: 60_000 };
    const lost = new ClickHouseStore(new ServerTransport(options));
    try {
      const asked = Array.from({ length: 200 }, () => lost.positions());
      const checkpoints = Array.from({ length: 100 }, () => lost.checkpoint([checkpointOf(lost, entries)]));
      const settled = Promise.allSettled([...asked, ...checkpoints]);
      await expect.poll(() => hole.connections()).toBeGreaterThanOrEqual(16);
      await sleep(50);
      expect(hole.connections()).toBeLessThanOrEqual(20);
      const results = await settled;
      const messages = results.map((result) => (result.status === 'rejected' ? (result.reason as Error).message : 'answered'));
      const count = (message: string) => messages.filter((one) => one === message).length;
      expect(count('ClickHouse did not answer within 700 ms')).toBe(128);
      expect(count('64 statements wait for ClickHouse already')).toBe(172);
      // A page has a minute, a store that is being closed has not.
      const page = expect(entriesOf(lost.replay(0, 9))).rejects.toMatchObject({ code: 'closed' });
      await lost.close();
      await page;
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
      hole.close();
    }
  });

  it('of reads leaves the way open to checkpoints', async () => {
    handle = (exchange) => (exchange.statement.startsWith('SELECT') ? Promise.resolve() : pass(exchange));
    const reads = Promise.allSettled(Array.from({ length: 100 }, () => store.models()));
    await store.checkpoint([checkpointOf(store, entries)]);
    handle = pass;
    await reads;
    expect(await stored()).toEqual(entries);
  });
});
