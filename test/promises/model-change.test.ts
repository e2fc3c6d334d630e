import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@touchstone/testkit';
import { describe, expect, test } from 'vitest';
import { followStream } from '../support/follow-stream.ts';
import { startLoad } from '../support/load-client.ts';
import { createRandom } from '../support/random.ts';
import { readEvents } from '../support/read-events.ts';
import { readList, takeSnapshot, wrongIn } from '../support/served-accounts.ts';
import { settle, until } from '../support/settle.ts';
import { checkpointsOf } from '../support/server-metrics.ts';
import type { Server } from '../support/start-server.ts';
import { neverTold, wrongStreamed } from '../support/streamed-scores.ts';
import { testServers } from '../support/test-servers.ts';
import { watchList, type ListWatch } from '../support/watch-list.ts';

const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `account-${i}`);

const meetings = {
  version: 'meetings-only',
  decay: { kind: 'exponential', halfLifeDays: 2 },
  rules: [{ id: 'meeting', kind: 'meeting', points: 7, pointsPerMinute: 0.25, maxMinutes: 30, dailyCap: 3 }],
  roles: { champion: 3 },
};
const campaigns = {
  version: 'campaigns',
  halfScorePoints: 1000,
  rules: [
    { id: 'spring', kind: 'web_visit', where: { campaignId: 'spr*' }, points: 2 },
    { id: 'unknown', kind: 'podcast', points: 0.3 },
  ],
  roles: { decision_maker: 2, user: 0.5 },
  reachWindowDays: 2,
};
const flat = { version: 'flat', decay: { kind: 'exponential', halfLifeDays: 10_000 }, rules: [{ id: 'all', kind: 'ad_click', points: 1 }] };

describe('a new model', () => {
  const servers = testServers();
  const timeout = 120_000;

  test('takes over at once, while touches flow, and rescores everything', { timeout }, async () => {
    const data = servers.directory();
    const server = await servers.start({ data });
    const load = startLoad({ url: server.url, name: 'a', accountIds: ACCOUNTS, batchMax: 100, pauseMsMax: 15, random: createRandom(1) });
    const list = watchList(server.url);
    const stream = followStream(server.url);
    await seen(list, 'default-1');
    for (const model of [meetings, campaigns]) {
      await publish(server, model);
      await seen(list, model.version);
    }
    // One overtakes the other, and a former one comes back.
    await publish(server, flat);
    await publish(server, meetings);
    await inForce(server, meetings.version);
    await load.finish();
    await settle(server);
    const snapshot = await takeSnapshot(server, 500);
    await list.finish();
    const untold = await neverTold(stream, snapshot.list);
    await stream.stop();
    expect(await server.stop()).toBe(0);

    const log = await readEvents(data);
    expect(list.mixed).toEqual([]);
    expect(list.modelVersions.slice(0, 3)).toEqual(['default-1', 'meetings-only', 'campaigns']);
    expect(list.modelVersions.at(-1)).toBe('meetings-only');
    expect(list.pages).toBeGreaterThan(20);
    expect(wrongIn(snapshot, log)).toEqual([]);
    expect(untold).toEqual([]);
    expect(wrongStreamed(stream.latest, log)).toEqual([]);

    const restarted = await servers.start({ data });
    expect(wrongIn(await takeSnapshot(restarted, 500), log)).toEqual([]);
  });

  test('is in force for all, readers of the stream too, when the process is killed while it rescores', { timeout }, async () => {
    const data = servers.directory();
    const port = await freePort();
    const random = createRandom(2);
    let server = await servers.start({ data, port });
    const list = watchList(server.url);
    const stream = followStream(server.url);
    const load = startLoad({ url: server.url, name: 'a', accountIds: ACCOUNTS, batchMax: 100, pauseMsMax: 5, random });
    await sleep(500);
    await load.finish();
    for (const [model, when] of [
      [meetings, 'once it is stored'],
      [campaigns, 'at once'],
      [flat, 'once it is stored'],
      [campaigns, 'a little later'],
    ] as const) {
      const checkpoints = await checkpointsOf(server);
      await publish(server, model);
      if (when === 'once it is stored') await anotherCheckpoint(server, checkpoints);
      if (when === 'a little later') await sleep(200);
      await server.kill();
      server = await servers.start({ data, port });
      await inForce(server, model.version);
      expect(await neverTold(stream, await readList(server, 500)), `killed ${when}, after ${model.version} was published`).toEqual([]);
    }
    await settle(server);
    const snapshot = await takeSnapshot(server, 500);
    await list.finish();
    const untold = await neverTold(stream, snapshot.list);
    await stream.stop();
    await server.kill();

    const log = await readEvents(data);
    expect(list.mixed).toEqual([]);
    expect(wrongIn(snapshot, log)).toEqual([]);
    expect(untold).toEqual([]);
    expect(wrongStreamed(stream.latest, log)).toEqual([]);
  });
});

async function publish(server: Server, model: { readonly version: string }): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await server.fetch('/v1/models', { method: 'POST', headers, body: JSON.stringify(model) });
  expect([response.status, await response.text()]).toEqual([202, JSON.stringify({ version: model.version })]);
}

async function seen(list: ListWatch, version: string): Promise<void> {
  await until(Date.now() + 60_000, `the list is of ${version}`, async () => list.modelVersions.at(-1) === version);
}

async function inForce(server: Server, version: string): Promise<void> {
  await until(Date.now() + 60_000, `${version} is in force`, async () => {
    const current = await server.get<{ version: string; takeover: Record<string, number> }>('/v1/models/current');
    return current.version === version;
  });
}

async function anotherCheckpoint(server: Server, before: number): Promise<void> {
  await until(Date.now() + 20_000, 'what was applied is stored', async () => (await checkpointsOf(server)) > before);
}
