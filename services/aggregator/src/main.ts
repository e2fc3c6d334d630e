import { kafkaLogOptionsOf, openKafkaLog, type EventLog } from '@touchstone/event-log';
import { Awaited, createHttpApp, loadConfig, startProcess, systemScheduler } from '@touchstone/runtime';
import { openStore, storeOptionsOf, type Store } from '@touchstone/store';
import { Aggregator } from './aggregator.ts';
import { configSchema, SECRETS } from './config.ts';

/** The aggregator as a process of its own, one of any number: they share the partitions. It serves health and metrics only. */

const HOUR_MS = 3_600_000;
const MEGABYTE = 1024 * 1024;

/** The lease lasts two thirds of a session: what is published in its last moment is given up before another can own the partition. */
const LEASE_LEFT = 3;

const config = loadConfig(configSchema, [...SECRETS]);

await startProcess({ service: 'aggregator', level: config.LOG_LEVEL }, async ({ leave, logger, metrics, shutdown }) => {
  const waiting = { logger, scheduler: systemScheduler };
  const log = new Awaited<EventLog>({ name: 'the log', ...waiting });
  const store = new Awaited<Store>({ name: 'the store', ...waiting });
  const aggregator = new Awaited<Aggregator>({ name: 'log and store to be compared', ...waiting });

  // The port is open from the beginning: whoever probes sees what is waited for.
  const app = await createHttpApp({
    logger,
    metrics,
    keys: { verify: () => null },
    readiness: {
      log: () => log.readiness(),
      store: () => store.readiness(),
      ledgers: () => aggregator.opened?.readiness() ?? aggregator.readiness(),
    },
    draining: () => shutdown.draining,
  });
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  shutdown.add('http', () => app.close());
  logger.info({ address }, 'listening');

  shutdown.add('log', () => log.opened?.close());
  const openedStore = await openStore(storeOptionsOf(config));
  shutdown.add('store', () => openedStore.close());
  const deliveryTimeoutMs = Math.floor(config.KAFKA_SESSION_TIMEOUT_MS / LEASE_LEFT);
  await Promise.all([
    log.open(() => openKafkaLog({ ...kafkaLogOptionsOf(config, 'aggregator', logger), deliveryTimeoutMs })),
    store.open(async () => {
      await openedStore.migrate();
      return openedStore;
    }),
  ]);
  const made = new Aggregator({
    log: log.part,
    store: openedStore,
    metrics,
    logger,
    scheduler: systemScheduler,
    onFatal: leave,
    publishIntervalMs: config.PUBLISH_INTERVAL_MS,
    checkpointIntervalMs: config.CHECKPOINT_INTERVAL_MS,
    dedupeHorizonMs: config.DEDUPE_HORIZON_HOURS * HOUR_MS,
    // Nobody asks this process for figures of creatives: query keeps them.
    creativeDays: 0,
    pendingBytesMax: config.PENDING_MEGABYTES_MAX * MEGABYTE,
    snapshotsDirectory: config.SNAPSHOTS_DIRECTORY,
  });
  shutdown.add('aggregator', () => made.stop());
  await aggregator.open(async () => {
    await made.prepare();
    return made;
  });
  await made.start();
  logger.info({ address, partitions: made.partitionsHeld }, 'serving');
});
