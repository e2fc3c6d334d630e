import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { encodeAlert, encodeExperimentRecord, type ExperimentRecord } from '@touchstone/codec';
import type { Alert } from '@touchstone/engine';
import { ALERTS_TOPIC, EXPERIMENTS_TOPIC, NOTIFIER_GROUP, openEmbeddedLog, type EmbeddedLog } from '@touchstone/event-log';
import { createLogger, createMetrics, systemScheduler } from '@touchstone/runtime';
import { openStore, type Store } from '@touchstone/store';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Notifier } from './notifier.ts';
import { alertOf } from './test-alerts.ts';
import { createSecret } from './webhook-secret.ts';

/** The notifier on a real log, a real store and a real receiver. */

const directory = mkdtempSync(join(tmpdir(), 'touchstone-notifier-'));
const secret = createSecret();
const received: string[] = [];
const decisions: Record<string, unknown>[] = [];
const faults: unknown[] = [];
let receiver: Server;
let port: number;
let log: EmbeddedLog;
let store: Store;
let notifier: Notifier;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      // Throws for a signature that is not right.
      new Webhook(secret).verify(body, request.headers as Record<string, string>);
      const message = JSON.parse(body) as { type: string; data: Record<string, unknown> };
      if (message.type === 'experiment.decision.changed') decisions.push(message.data);
      else received.push(String(request.headers['webhook-id']));
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  ({ port } = receiver.address() as AddressInfo);
  log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    topics: { [ALERTS_TOPIC]: { partitions: 4 }, [EXPERIMENTS_TOPIC]: { partitions: 1 } },
    sweepIntervalMs: 0,
    freeBytesMin: 0,
  });
  store = await openStore({ kind: 'chdb', directory: join(directory, 'store') });
  await store.migrate();
  const now = Date.now();
  await store.saveEndpoint({
    id: 'ep_1',
    revision: 0,
    name: 'CRM',
    kind: 'webhook',
    url: `http://localhost:${port}/hook`,
    secrets: [secret],
    filter: '{}',
    ownerBudget: 150,
    state: 'active',
    stateReason: '',
    createdAt: now,
    updatedAt: now,
  });
});

afterAll(async () => {
  await notifier.stop();
  await log.close();
  await store.close();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(directory, { recursive: true });
});

async function start(): Promise<void> {
  notifier = new Notifier({
    store,
    settings: {
      PUBLIC_URL: 'https://touchstone.example',
      NOTIFY_ALLOW_PRIVATE: ['127.0.0.0/8', '::1/128'],
      NOTIFY_ALLOW_HTTP: true,
      NOTIFY_PORTS: [port],
      NOTIFY_OWNER_BUDGET: 20,
    },
    scheduler: systemScheduler,
    metrics: createMetrics({ ofProcess: false }),
    logger: createLogger({ service: 'test', level: 'silent' }),
    onFatal: (cause) => void faults.push(cause),
  });
  await notifier.start(log);
}

const append = (alerts: readonly Alert[]): Promise<void> =>
  log.append(
    ALERTS_TOPIC,
    alerts.map((alert) => ({ key: Buffer.from(alert.accountId), value: encodeAlert(alert) })),
  );
const numbered = (number: number): Alert => alertOf({ id: `alr_${number}`, accountId: `a${number}`, at: Date.now() });

it('each alert arrives once, through a restart and a topic that has it twice; the position is committed', async () => {
  await start();
  const first = Array.from({ length: 100 }, (_, i) => numbered(i));
  for (const alert of first) await append([alert]);
  await vi.waitUntil(() => received.length === 100, { timeout: 20_000 });
  await notifier.stop();
  const committed = await log.committed(ALERTS_TOPIC, NOTIFIER_GROUP);
  expect([...committed.values()].reduce((sum, { offset }) => sum + offset, 0)).toBe(100);

  await append([...first.slice(0, 10), ...Array.from({ length: 50 }, (_, i) => numbered(100 + i))]);
  await start();
  await vi.waitUntil(() => received.length >= 150, { timeout: 20_000 });
  // Beyond the budget of the hour, if this runs within one.
  await append([numbered(200), numbered(201)]);
  await vi.waitUntil(async () => (await store.deliveriesOf('alr_201')).length > 0, { timeout: 20_000 });
  const [told] = await store.toldCounts(['ep_1'], 0);
  expect([150, 152]).toContain(told?.told);
  await vi.waitUntil(() => received.length >= told!.told, { timeout: 20_000 });
  expect([new Set(received).size, received.length]).toEqual([told!.told, told!.told]);
  expect(faults).toEqual([]);
});

it('each step of an experiment that changed something arrives once, through a restart', async () => {
  const arms = [{ creativeId: 'a' }, { creativeId: 'b' }];
  const none = {
    experimentId: 'hero',
    by: 'key_1',
    at: Date.now(),
    definition: null,
    creativeId: null,
    weights: null,
    reason: null,
    evidence: null,
  };
  const steps: readonly Partial<ExperimentRecord>[] = [
    { action: 'create', expectedRevision: 0, definition: JSON.stringify({ id: 'hero', campaignId: 'spring', arms }) },
    { action: 'start', expectedRevision: 1 },
    { action: 'swap', expectedRevision: 2, by: 'auto', creativeId: 'a', reason: 'b is better' },
    // Decided at the same time by another process: it changes nothing.
    { action: 'swap', expectedRevision: 2, by: 'auto', creativeId: 'b' },
  ];
  for (const [index, step] of steps.entries()) {
    const value = encodeExperimentRecord({ ...none, id: `step-${index}`, ...step } as ExperimentRecord);
    await log.append(EXPERIMENTS_TOPIC, [{ key: Buffer.from('hero'), value }]);
  }
  await vi.waitUntil(() => decisions.length >= 2, { timeout: 20_000 });
  await notifier.stop();
  await start();
  await log.append(EXPERIMENTS_TOPIC, [
    { key: null, value: encodeExperimentRecord({ ...none, id: 'last', action: 'undo', expectedRevision: 3 }) },
  ]);
  await vi.waitUntil(() => decisions.length >= 3, { timeout: 20_000 });
  expect(decisions.map(({ action, creativeId }) => [action, creativeId])).toEqual([
    ['start', null],
    ['swap', 'a'],
    ['undo', 'a'],
  ]);
  expect(decisions[1]).toMatchObject({
    experimentId: 'hero',
    by: 'auto',
    reason: 'b is better',
    arms: [{ isOut: true }, { isOut: false }],
  });
  expect(faults).toEqual([]);
});
