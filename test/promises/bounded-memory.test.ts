import { expect, test } from 'vitest';
import { bulkyTouches } from '../support/bulky-touches.ts';
import { fillLog } from '../support/fill-log.ts';
import { readEvents } from '../support/read-events.ts';
import { takeSnapshot, wrongIn } from '../support/served-accounts.ts';
import { checkpointsOf } from '../support/server-metrics.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();
const MEGABYTE = 1024 * 1024;

/** How much memory that takes is looked at in test/extra. */
test('a backlog is applied in stretches that fit the bound on what may wait, and ends exact', { timeout: 120_000 }, async () => {
  const data = servers.directory();
  const { bytes } = await fillLog(data, bulkyTouches(20_000));
  // The timer alone would store once in five seconds, or everything at once at the end.
  const server = await servers.start({ data, env: { PENDING_MEGABYTES_MAX: '1', CHECKPOINT_INTERVAL_MS: '5000' } });
  // At most the bound, and in each of the three partitions one block of a megabyte that was let in before it was reached.
  expect(await checkpointsOf(server)).toBeGreaterThanOrEqual(Math.floor(bytes / (4 * MEGABYTE)));

  const snapshot = await takeSnapshot(server, 500);
  expect(await server.stop()).toBe(0);
  expect(wrongIn(snapshot, await readEvents(data))).toEqual([]);
});
