import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startLoad } from '../support/load-client.ts';
import { createRandom } from '../support/random.ts';
import { readEvents } from '../support/read-events.ts';
import { takeSnapshot, wrongIn } from '../support/served-accounts.ts';
import { metricOf } from '../support/server-metrics.ts';
import { settle } from '../support/settle.ts';
import type { Server } from '../support/start-server.ts';
import { testServers } from '../support/test-servers.ts';

const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `account-${i}`);

describe('snapshots of the ledgers', () => {
  const servers = testServers();

  test('change no score, whether they are used, damaged, of long ago or gone', { timeout: 120_000 }, async () => {
    const data = servers.directory();
    const directory = join(data, 'snapshots');
    let server = await servers.start({ data });
    await loadInto(server, 1);
    expect(await server.stop()).toBe(0);
    const written = readdirSync(directory);
    expect(written.length).toBeGreaterThan(0);

    // What comes after the snapshots is killed away from memory, and replayed.
    server = await servers.start({ data });
    expect(await outcomes(server)).toEqual({ used: written.length, foreign: 0, broken: 0 });
    await loadInto(server, 2);
    await server.kill();

    server = await servers.start({ data });
    expect(await outcomes(server)).toEqual({ used: written.length, foreign: 0, broken: 0 });
    await stopExact(server, data);

    const [one, two, three] = readdirSync(directory).map((name) => join(directory, name)) as [string, string, string];
    truncateSync(one, 1000);
    writeFileSync(two, 'something else');
    rmSync(three);
    server = await servers.start({ data });
    expect(await outcomes(server)).toEqual({ used: written.length - 3, foreign: 0, broken: 2 });
    await stopExact(server, data);

    rmSync(directory, { recursive: true });
    server = await servers.start({ data });
    expect(await outcomes(server)).toEqual({ used: 0, foreign: 0, broken: 0 });
    await stopExact(server, data);
  });
});

/** Compares what is served with a recomputation from the log, for which the server must have stopped. */
async function stopExact(server: Server, data: string): Promise<void> {
  await settle(server);
  const served = await takeSnapshot(server, 500);
  expect(await server.stop()).toBe(0);
  expect(wrongIn(served, await readEvents(data))).toEqual([]);
}

async function loadInto(server: Server, seed: number): Promise<void> {
  const load = startLoad({
    url: server.url,
    name: `load-${seed}`,
    accountIds: ACCOUNTS,
    batchMax: 200,
    pauseMsMax: 5,
    random: createRandom(seed),
  });
  await new Promise((resolve) => setTimeout(resolve, 700));
  await load.finish();
  await settle(server);
}

async function outcomes(server: Server): Promise<Record<string, number>> {
  const of = (outcome: string): Promise<number> => metricOf(server, `touchstone_snapshots_total{outcome="${outcome}"}`);
  return { used: await of('used'), foreign: await of('foreign'), broken: await of('broken') };
}
