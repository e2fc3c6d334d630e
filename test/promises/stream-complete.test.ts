import { freePort } from '@touchstone/testkit';
import { expect, test } from 'vitest';
import { bulkyTouches } from '../support/bulky-touches.ts';
import { fillLog } from '../support/fill-log.ts';
import { followStream } from '../support/follow-stream.ts';
import { readEvents } from '../support/read-events.ts';
import { readList } from '../support/served-accounts.ts';
import { checkpointsOf } from '../support/server-metrics.ts';
import { settle, until } from '../support/settle.ts';
import { neverTold, wrongStreamed } from '../support/streamed-scores.ts';
import { testServers } from '../support/test-servers.ts';

const servers = testServers();

test('a reader of the stream is told every score, though the process was killed after it had stored what it had not told', async () => {
  const data = servers.directory();
  const port = await freePort();
  const env = { PENDING_MEGABYTES_MAX: '1', CHECKPOINT_INTERVAL_MS: '5000' };
  let server = await servers.start({ data, port, env });
  const stream = followStream(server.url);
  await settle(server);
  await until(Date.now() + 20_000, 'the stream has begun', async () => stream.latest.size > 0);
  await server.kill();

  // So many that it takes a second or two: that it is killed in the midst must not depend on how soon this process looks.
  await fillLog(data, bulkyTouches(25_000));
  server = await servers.start({ data, port, env, waitFor: 'alive' });
  await until(Date.now() + 60_000, 'some of the backlog is stored', async () => (await checkpointsOf(server)) >= 2);
  expect((await server.fetch('/readyz')).status).toBe(503);
  await server.kill();

  server = await servers.start({ data, port, env });
  const untold = await neverTold(stream, await readList(server, 500));
  await stream.stop();
  await server.kill();
  expect(untold).toEqual([]);
  expect(wrongStreamed(stream.latest, await readEvents(data))).toEqual([]);
  expect(stream.counts.older + stream.counts.gaps).toBe(0);
}, 120_000);
