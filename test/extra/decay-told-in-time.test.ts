import { monitorEventLoopDelay } from 'node:perf_hooks';
import { freePort } from '@touchstone/testkit';
import { expect, test } from 'vitest';
import { addEndpoint, publishModel, receiverSettings } from '../support/alert-server.ts';
import { testServers } from '../support/test-servers.ts';
import { listenForWebhooks } from '../support/webhook-receiver.ts';

const servers = testServers();
const ACCOUNTS = 12;
const HALF_LIFE_MS = 86_400_000;
/** A meeting of an hour by the default rules. */
const POINTS = 60;
/** Points after so long. */
const after = (ms: number): number => POINTS * 2 ** (-ms / HALF_LIFE_MS);
const EXIT = after(8000);

/** The closed form: the first millisecond at which 60 x 2^(-age / half-life) is below the exit. */
function crossingOf(occurredAt: number): number {
  let at = Math.floor(occurredAt + HALF_LIFE_MS * Math.log2(POINTS / EXIT)) - 2;
  while (after(at - occurredAt) >= EXIT) at++;
  return at;
}

/** Nothing is sent but one touch an account: what comes later is the doing of time alone. */
test('a score that decays below its threshold is told within a second of the closed form, and by the record just then', async () => {
  const port = await freePort();
  const server = await servers.start({ data: servers.directory(), env: receiverSettings(port) });
  const received = new Map<string, { lagMs: number; timestamp: string }>();
  const receiver = await listenForWebhooks(port, {}, ({ body }) => {
    const { data, timestamp } = JSON.parse(body) as { timestamp: string; data: { accountId: string; direction: string; cause: string } };
    if (data.direction === 'down') received.set(data.accountId, { lagMs: Date.now() - Date.parse(timestamp), timestamp });
  });
  const { model } = await server.get<{ model: object }>('/v1/models/current');
  await publishModel(server, {
    ...model,
    version: 'one-day',
    decay: { kind: 'exponential', halfLifeDays: 1 },
    thresholds: [{ id: 'hot', metric: 'points', enter: after(6000), exit: EXIT }],
  } as { version: string });
  await addEndpoint(server, { name: 'receiver', url: `http://127.0.0.1:${port}/` });

  const occurredAt = new Map<string, number>();
  const now = Date.now();
  for (let i = 0; i < ACCOUNTS; i++) occurredAt.set(`account-${i}`, now - i * 130);
  const touches = [...occurredAt].map(([accountId, at]) => ({ accountId, contactId: 'ada', kind: 'meeting', minutes: 60, occurredAt: at }));
  expect((await server.post('/v1/touches', touches)).rejected).toEqual([]);
  const stalls = monitorEventLoopDelay({ resolution: 10 });
  stalls.enable();
  await expect.poll(() => received.size, { timeout: 60_000, interval: 50 }).toBe(ACCOUNTS);
  receiver.close();

  interface Told {
    readonly data: readonly { readonly accountId: string; readonly at: string; readonly cause: string; readonly previousValue: number }[];
  }
  // In the store a moment later.
  await expect.poll(async () => (await server.get<Told>('/v1/alerts?direction=down')).data.length, { timeout: 10_000 }).toBe(ACCOUNTS);
  const { data } = await server.get<Told>('/v1/alerts?direction=down');
  for (const { accountId, at, cause } of data) {
    const expected = new Date(crossingOf(occurredAt.get(accountId)!)).toISOString();
    expect([accountId, cause, at, received.get(accountId)!.timestamp]).toEqual([accountId, 'decay', expected, expected]);
  }
  const lags = [...received.values()].map(({ lagMs }) => lagMs);
  expect(Math.min(...lags)).toBeGreaterThanOrEqual(0);
  // This is the promise: it is looked for what is due five times a second. A machine that let this process stand longer is not to blame on the server.
  stalls.disable();
  expect(Math.max(...lags), lags.join(' ')).toBeLessThan(1000 + stalls.max / 1e6);
});
