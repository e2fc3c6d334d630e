import { expect, test } from 'vitest';
import { bulkyTouches } from '../support/bulky-touches.ts';
import { fillLog } from '../support/fill-log.ts';
import { peakMemory } from '../support/memory-of.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();
const MEGABYTE = 1024 * 1024;

/** Fills a log, starts a server with it and gives the most memory the server takes until all is applied, both in megabytes. */
async function applyBacklog(touches: number): Promise<{ backlog: number; peak: number }> {
  const data = servers.directory();
  const { bytes } = await fillLog(data, bulkyTouches(touches));
  const env = { PENDING_MEGABYTES_MAX: '32', CHECKPOINT_INTERVAL_MS: '5000' };
  const server = await servers.start({ data, env, waitFor: 'nothing' });
  const peak = await peakMemory(server.pid, server.becomes('ready'));
  await server.kill();
  return { backlog: bytes / MEGABYTE, peak };
}

test('a backlog three times as large takes no more memory', async () => {
  const small = await applyBacklog(150_000);
  const large = await applyBacklog(450_000);
  for (const { backlog, peak } of [small, large]) console.log(`backlog ${backlog.toFixed(0)} MB: peak ${peak.toFixed(0)} MB`);
  // If all that waits were held, it would take at least as much more as the backlog is larger. Three quarters of that leave room for
  // ledgers and ids, and for how runs differ.
  expect(large.peak - small.peak).toBeLessThan((large.backlog - small.backlog) * 0.75);
});
