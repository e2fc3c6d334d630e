import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS_TOPIC } from '@touchstone/event-log';
import { findKafka } from '@touchstone/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkExact } from '../chaos/stage/check-exact.ts';
import type { ServiceProcess } from '../chaos/stage/service-process.ts';
import { Stage } from '../chaos/stage/stage.ts';
import { followStream } from '../support/follow-stream.ts';
import { startLoad } from '../support/load-client.ts';
import { createRandom } from '../support/random.ts';
import { pathOf, type ServedAccount } from '../support/served-accounts.ts';
import { until } from '../support/settle.ts';
import { KEY } from '../support/start-server.ts';

const found = await findKafka({ own: true });
const ACCOUNTS = Array.from({ length: 50 }, (_, i) => `account-${i}`);
const WITHIN_MS = 60_000;

/** Ingest, aggregator and query as processes of their own, on a real broker and ClickHouse over HTTP: the way of a touch, and of a model. */
describe.skipIf(found.kind === 'none')('services as processes', () => {
  let stage: Stage;
  let ingests: ServiceProcess[];
  let query: ServiceProcess;
  const acked = new Set<string>();

  beforeAll(async () => {
    stage = await Stage.open();
    // All at once, in an order that is nobody's business.
    [query, ...ingests] = await Promise.all([
      stage.start('query'),
      stage.start('ingest'),
      stage.start('ingest'),
      stage.start('aggregator'),
    ]);
    ingests.pop();
    await Promise.all([query, ...ingests].map((process) => process.becomesReady()));
  }, 120_000);
  afterAll(() => stage?.close());

  test('a touch that either ingest takes is in the score, and on the stream', async () => {
    const stream = followStream(query.url);
    await until(Date.now() + WITHIN_MS, 'the stream is open', async () => stream.counts.connections > 0);
    const told: { accountId: string; version: number }[] = [];
    for (const [number, { url }] of ingests.entries()) {
      const accountId = `either-${number}`;
      await post(url, '/v1/touches', [{ id: `either-${number}`, accountId, contactId: 'c', kind: 'meeting', minutes: 30 }]);
      await until(Date.now() + WITHIN_MS, `${accountId} is told`, async () => stream.latest.has(accountId));
      // Whoever was told a version is never answered an older one.
      const { version } = stream.latest.get(accountId)!;
      const account = await get<ServedAccount>(query.url, pathOf(accountId));
      expect(account.version).toBeGreaterThanOrEqual(version);
      expect(account.windows['24h']!.touches).toBe(1);
      told.push({ accountId, version });
    }
    expect(told).toHaveLength(2);
    await stream.stop();
  });

  test('readers are never answered less than they were told, while touches flow', { timeout: 120_000 }, async () => {
    const stream = followStream(query.url);
    const clients = ingests.map(({ url }, i) =>
      startLoad({ url, name: `client-${i}`, accountIds: ACCOUNTS, batchMax: 50, pauseMsMax: 20, random: createRandom(i + 1) }),
    );
    const wrong: string[] = [];
    const deadline = Date.now() + 5000;
    let compared = 0;
    while (Date.now() < deadline) {
      for (const [accountId, { version }] of stream.latest) {
        const account = await get<ServedAccount>(query.url, pathOf(accountId));
        if (account.version < version) wrong.push(`${accountId}: told ${version}, answered ${account.version}`);
        compared++;
      }
      await sleep(5);
    }
    for (const client of clients) {
      await client.finish();
      for (const ids of client.acked.values()) for (const id of ids) acked.add(id);
    }
    await stage.settle();
    await stream.stop();
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(100);
    expect(stream.counts.older).toBe(0);
    expect(stage.wrong).toEqual([]);
    expect((await checkExact(stage, { acked, queryUrl: query.url })).wrong).toEqual([]);
  });

  test(
    'a model published at one ingest is in force at query, known to the other, and its version is taken',
    { timeout: 120_000 },
    async () => {
      const model = { version: 'meetings-only', rules: [{ id: 'meeting', kind: 'meeting', points: 7 }], retentionDays: 10 };
      const [one, other] = ingests as [ServiceProcess, ServiceProcess];
      expect(await send(one.url, '/v1/models', model)).toEqual({ status: 202, body: { version: 'meetings-only' } });
      await until(Date.now() + WITHIN_MS, 'the model is in force', async () => {
        const current = await get<{ version: string; rescoringTo: string | null }>(query.url, '/v1/models/current');
        return current.version === 'meetings-only' && current.rescoringTo === null;
      });
      await stage.settle();
      expect(await send(other.url, '/v1/models', { ...model, retentionDays: 20 })).toMatchObject({ status: 409 });
      // How old a touch may be follows from it as well.
      const old = { accountId: 'either-0', kind: 'meeting', occurredAt: Date.now() - 11 * 86_400_000 };
      await until(Date.now() + WITHIN_MS, 'the other ingest has the retention', async () => {
        const { body, status } = await send(other.url, '/v1/touches', old);
        return status === 400 && JSON.stringify(body).includes('too_old');
      });
      const { modelVersion, points } = await get<ServedAccount>(query.url, pathOf('either-0'));
      expect({ modelVersion, points: Math.round(points) }).toEqual({ modelVersion: 'meetings-only', points: 7 });
      await stage.settle();
      expect((await checkExact(stage, { acked, queryUrl: query.url })).wrong).toEqual([]);
    },
  );

  test('query serves the same within seconds of a restart, and streams go on where they were', { timeout: 120_000 }, async () => {
    const stream = followStream(query.url);
    await until(Date.now() + WITHIN_MS, 'the stream is open', async () => stream.counts.connections > 0);
    const before = await get<ServedAccount>(query.url, pathOf('account-1'));
    await query.kill();
    await post(ingests[0]!.url, '/v1/touches', [{ id: 'while-away', accountId: 'account-1', kind: 'meeting' }]);
    const startedAt = performance.now();
    query = await stage.start('query', { port: query.port });
    await query.becomesReady();
    const seconds = (performance.now() - startedAt) / 1000;
    console.log(`query serves ${seconds.toFixed(1)} s after its process was started`);
    const after = await get<ServedAccount>(query.url, pathOf('account-1'));
    expect(after.version).toBeGreaterThan(before.version);
    await until(
      Date.now() + WITHIN_MS,
      'the reader is told what it missed',
      async () => (stream.latest.get('account-1')?.version ?? -1) >= after.version,
    );
    expect(stream.counts).toMatchObject({ gaps: 0, older: 0 });
    await stream.stop();
  });

  test('touches are taken while ClickHouse is away, with a stored key too, and count when it is back', { timeout: 120_000 }, async () => {
    const created = await send(query.url, '/v1/keys', { name: 'a shop', scopes: ['ingest'] });
    const { key } = created.body as { key: string };
    const { url } = ingests[1]!;
    const touch = (id: string): unknown => ({ id, accountId: 'away', kind: 'meeting' });
    await until(
      Date.now() + WITHIN_MS,
      'the key is known',
      async () => (await send(url, '/v1/touches', touch('away-0'), key)).status === 202,
    );
    const isBack = stage.killStore(12_000);
    for (const id of ['away-1', 'away-2', 'away-3', 'away-4']) {
      expect((await send(url, '/v1/touches', touch(id), key)).status).toBe(202);
      await sleep(500);
    }
    // Publishing a model needs to know which versions are taken.
    expect(await send(url, '/v1/models', { version: 'while-away', rules: [] })).toMatchObject({ status: 503 });
    await isBack;
    await stage.settle();
    const { windows } = await get<ServedAccount>(query.url, pathOf('away'));
    expect(windows['24h']!.touches).toBe(5);
    expect(stage.wrong).toEqual([]);
    expect((await checkExact(stage, { acked, queryUrl: query.url })).wrong).toEqual([]);
  });

  test(
    'query that starts while ClickHouse is away waits for it, and one that does not belong to the log says why it ends',
    { timeout: 120_000 },
    async () => {
      // Long enough for a process to start, on a busy machine too.
      const isBack = stage.killStore(12_000);
      const second = await stage.start('query');
      await until(Date.now() + WITHIN_MS, 'it says what it waits for', async () =>
        second.output().includes('the store can not be reached yet'),
      );
      expect(await second.isReady()).toBe(false);
      await isBack;
      await second.becomesReady();
      expect((await checkExact(stage, { acked, queryUrl: second.url })).wrong).toEqual([]);
      expect(await second.stop()).toMatchObject({ code: 0 });

      const lost = await stage.start('query', { env: { PARTITIONS: '5' } });
      lost.expectEnd();
      expect(await lost.ended).toMatchObject({ code: 1 });
      expect(lost.output()).toContain('"code":"topic_mismatch"');
    },
  );

  test('query that stood still while the log dropped what comes next takes it from the store', { timeout: 120_000 }, async () => {
    process.kill(query.pid, 'SIGSTOP');
    // The first may still have reached it: a request to the broker was under way.
    for (let round = 0; round < 4; round++) {
      const items = Array.from({ length: 500 }, (_, i) => ({
        id: `dropped-${round}-${i}`,
        accountId: `dropped-${i % 20}`,
        kind: 'meeting',
      }));
      await post(ingests[0]!.url, '/v1/touches', items);
    }
    await stage.settle();
    const ends = await stage.kafka.ends(EVENTS_TOPIC);
    const partitions = [...ends].map(([partition, end]) => ({ partition, offset: String(end) }));
    await stage.kafka.admin.deleteTopicRecords({ topic: EVENTS_TOPIC, partitions });
    process.kill(query.pid, 'SIGCONT');
    await until(Date.now() + WITHIN_MS, 'all that was dropped is served', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask<ServedAccount>(query.url, pathOf(`dropped-${i}`))));
      return answers.every((account) => account?.windows['24h']!.touches === 100);
    });
    expect(query.output()).toContain('the ledgers are restored anew');
    await post(ingests[1]!.url, '/v1/touches', [{ id: 'dropped-after', accountId: 'dropped-0', kind: 'meeting' }]);
    await until(Date.now() + WITHIN_MS, 'it follows the log again', async () => {
      const account = await get<ServedAccount>(query.url, pathOf('dropped-0'));
      return account.windows['24h']!.touches === 101;
    });
    expect(stage.wrong).toEqual([]);
  });

  test('each stops in order when it is asked to', { timeout: 60_000 }, async () => {
    for (const service of [query, ...ingests]) expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(stage.wrong).toEqual([]);
  });
});

async function send(url: string, path: string, body: unknown, key = KEY): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

async function post(url: string, path: string, items: readonly unknown[]): Promise<void> {
  const { body, status } = await send(url, path, items);
  if (status !== 202) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
}

async function get<Answer>(url: string, path: string): Promise<Answer> {
  const answer = await ask<Answer>(url, path);
  if (answer === null) throw new Error(`GET ${path} has no answer`);
  return answer;
}

/** Null while there is no such thing. */
async function ask<Answer>(url: string, path: string): Promise<Answer | null> {
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${KEY}` } });
  if (response.status === 404) return null;
  if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
