import { setTimeout as sleep } from 'node:timers/promises';
import { AGGREGATOR_GROUP, EVENTS_TOPIC } from '@touchstone/event-log';
import { freePort } from '@touchstone/testkit';
import { describe, expect, test } from 'vitest';
import { followStream } from '../support/follow-stream.ts';
import { startLoad } from '../support/load-client.ts';
import { createRandom } from '../support/random.ts';
import { openLogOf, readEvents } from '../support/read-events.ts';
import { takeSnapshot, wrongIn } from '../support/served-accounts.ts';
import { settle } from '../support/settle.ts';
import { testServers } from '../support/test-servers.ts';

const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `account-${i}`);

describe('a server that is asked to stop', () => {
  const servers = testServers();
  const timeout = 120_000;

  test('under load ends with 0, with everything it took applied, stored and committed', { timeout }, async () => {
    const data = servers.directory();
    const port = await freePort();
    let server = await servers.start({ data, port });
    const { url } = server;
    const clients = [1, 2, 3].map((seed) =>
      startLoad({ url, name: `client-${seed}`, accountIds: ACCOUNTS, batchMax: 200, pauseMsMax: 5, random: createRandom(seed) }),
    );
    const stream = followStream(url);
    await sleep(1000);
    expect(await server.stop(), server.output()).toBe(0);
    const stopped = await openLogOf(data);
    const committed = await stopped.committed(EVENTS_TOPIC, AGGREGATOR_GROUP);
    for (const { partition, end } of await stopped.extents(EVENTS_TOPIC)) expect(committed.get(partition)?.offset).toBe(end);
    await stopped.close();
    server = await servers.start({ data, port });
    await Promise.all(clients.map((client) => client.finish()));
    await settle(server);
    const snapshot = await takeSnapshot(server, 500);
    await stream.stop();
    expect(await server.stop(), server.output()).toBe(0);

    const log = await readEvents(data);
    expect(wrongIn(snapshot, log)).toEqual([]);
    const onLog = new Set(log.map(({ record }) => ('type' in record ? '' : record.id)));
    for (const { acked } of clients) for (const ids of acked.values()) expect([...ids].filter((id) => !onLog.has(id))).toEqual([]);
    expect(stream.counts.older + stream.counts.gaps).toBe(0);

    const restarted = await servers.start({ data });
    expect(wrongIn(await takeSnapshot(restarted, 500), log)).toEqual([]);
  });

  test('while it starts ends with 0 and leaves everything as it was', { timeout }, async () => {
    const data = servers.directory();
    const first = await servers.start({ data });
    const load = startLoad({ url: first.url, name: 'a', accountIds: ACCOUNTS, batchMax: 200, pauseMsMax: 0, random: createRandom(4) });
    await sleep(300);
    await load.finish();
    await first.kill();
    const starting = await servers.start({ data, waitFor: 'alive' });
    expect(await starting.stop(), starting.output()).toBe(0);

    const server = await servers.start({ data });
    await settle(server);
    const snapshot = await takeSnapshot(server, 500);
    await server.kill();
    expect(wrongIn(snapshot, await readEvents(data))).toEqual([]);
  });
});
