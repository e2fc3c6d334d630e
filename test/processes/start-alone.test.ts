import { freePort } from '@touchstone/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { startService, type ServiceName, type ServiceProcess } from '../chaos/stage/service-process.ts';
import { KEY } from '../support/start-server.ts';

/** Who starts many processes at once can not choose their order: each waits for what it needs, and says so. */
describe.each(['ingest', 'query'] as const)('%s with neither log nor store', (service) => {
  const timeout = 60_000;
  const started: ServiceProcess[] = [];
  afterEach(async () => {
    for (const process of started.splice(0)) await process.kill();
  });

  async function start(env: Record<string, string>): Promise<ServiceProcess> {
    const process = await startService({ service, env });
    started.push(process);
    return process;
  }

  test('is alive, not ready, and says what it waits for', { timeout }, async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const process = await start({ KAFKA_BROKERS: nobody, CLICKHOUSE_URL: `http://${nobody}`, TOUCHSTONE_ADMIN_KEY: KEY });
    await expect.poll(() => statusOf(`${process.url}/healthz`), { timeout: 20_000 }).toBe(200);
    const read = async (): Promise<unknown> => (await fetch(`${process.url}/readyz`)).json();
    await expect
      .poll(read, { timeout: 20_000 })
      .toMatchObject({ status: 503, checks: { store: { ready: false, detail: expect.stringMatching(/^waits for the store: /) } } });
    expect(await read()).toMatchObject({ checks: { log: { ready: false, detail: expect.stringMatching(/^waits for the log/) } } });
    expect(process.output()).toContain('the store can not be reached yet; it is tried again');

    for (const { path, ...init } of REQUESTS[service]) {
      const response = await fetch(process.url + path, {
        ...init,
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      });
      expect({ path, status: response.status, body: await response.json() }).toMatchObject({
        path,
        status: 503,
        body: { code: 'not_ready' },
      });
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await statusOf(`${process.url}/metrics`)).toBe(200);
    expect(await process.stop()).toEqual({ code: 0, signal: null });
  });

  test('does not start without settings, and names all that are missing', { timeout }, async () => {
    const process = await start({ KAFKA_BROKERS: '', CLICKHOUSE_URL: '', TOUCHSTONE_ADMIN_KEY: '', LOG_LEVEL: 'loud' });
    expect(await process.ended).toEqual({ code: 2, signal: null });
    const names = [...process.output().matchAll(/^ {2}- (\w+): /gm)].map(([, name]) => name!);
    expect(new Set(names)).toEqual(new Set(['CLICKHOUSE_URL', 'KAFKA_BROKERS', 'LOG_LEVEL', 'TOUCHSTONE_ADMIN_KEY']));
  });
});

const touch = JSON.stringify({ accountId: 'acme', kind: 'web_visit' });
const REQUESTS: Readonly<Record<Exclude<ServiceName, 'aggregator' | 'notifier'>, readonly ({ readonly path: string } & RequestInit)[]>> = {
  ingest: [
    { path: '/v1/touches', method: 'POST', body: touch },
    { path: '/v1/accounts', method: 'POST', body: JSON.stringify({ id: 'acme', updatedAt: 1 }) },
  ],
  query: [{ path: '/v1/accounts' }, { path: '/v1/accounts/acme' }, { path: '/v1/models/current' }, { path: '/v1/stream' }],
};

async function statusOf(address: string): Promise<number | null> {
  const response = await fetch(address).catch(() => null);
  await response?.arrayBuffer();
  return response?.status ?? null;
}
