import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Aggregator } from '@touchstone/aggregator';
import {
  AGGREGATOR_GROUP,
  DEAD_LETTERS_RETENTION_MS,
  ALERTS_RETENTION_MS,
  ALERTS_TOPIC,
  DEAD_LETTERS_TOPIC,
  EVENTS_TOPIC,
  EXPERIMENTS_TOPIC,
  kafkaLogOptionsOf,
  lockDirectory,
  openEmbeddedLog,
  openKafkaLog,
  SCORES_TOPIC,
  type EventLog,
} from '@touchstone/event-log';
import { registerIngest } from '@touchstone/ingest';
import { Notifier } from '@touchstone/notifier';
import { Experiments, kpiSettingsOf, LiveFeed, registerQuery } from '@touchstone/query';
import {
  createHttpApp,
  createKeyRing,
  loadConfig,
  ProblemError,
  startProcess,
  systemClock,
  systemScheduler,
  type Logger,
  type Readiness,
  type ServiceProcess,
} from '@touchstone/runtime';
import { openStore, storeOptionsOf } from '@touchstone/store';
import { configSchema, SECRETS } from './config.ts';
import { showFirstKey } from './show-first-key.ts';

/** All services in one process, on one port: embedded log, ClickHouse in process or a server, state under one directory. */

const HOUR_MS = 3_600_000;
/** Scores are read by streams that come back after a moment; the store keeps them for good. */
const SCORES_RETENTION_MS = 24 * HOUR_MS;
const SCORES_RETENTION_BYTES = 256 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

const startedAt = performance.now();
const config = loadConfig(configSchema, [...SECRETS]);
const directory = resolve(config.TOUCHSTONE_DATA);
await startProcess({ service: 'standalone', level: config.LOG_LEVEL }, start);

async function start({ leave, logger, metrics, shutdown }: ServiceProcess): Promise<void> {
  const { CLICKHOUSE_URL, KAFKA_BROKERS } = config;
  if (CLICKHOUSE_URL === undefined || KAFKA_BROKERS === undefined) {
    mkdirSync(directory, { recursive: true });
    const lock = lockDirectory(directory);
    shutdown.add('data directory', () => lock.release());
  }

  const store = await openStore(
    CLICKHOUSE_URL === undefined ? { kind: 'chdb', directory: join(directory, 'store') } : storeOptionsOf({ ...config, CLICKHOUSE_URL }),
  );
  shutdown.add('store', () => store.close());
  await store.migrate();

  const log =
    KAFKA_BROKERS === undefined
      ? await openOwnLog(logger)
      : await openKafkaLog(kafkaLogOptionsOf({ ...config, KAFKA_BROKERS }, 'standalone', logger));
  shutdown.add('log', () => log.close());

  const keys = createKeyRing(store, { adminKey: config.TOUCHSTONE_ADMIN_KEY, makesFirst: true, metrics, logger });
  await keys.start();
  shutdown.add('keys', () => keys.stop());

  const aggregator = new Aggregator({
    log,
    store,
    metrics,
    logger,
    scheduler: systemScheduler,
    onFatal: leave,
    publishIntervalMs: config.PUBLISH_INTERVAL_MS,
    checkpointIntervalMs: config.CHECKPOINT_INTERVAL_MS,
    dedupeHorizonMs: config.DEDUPE_HORIZON_HOURS * HOUR_MS,
    creativeDays: config.CREATIVE_DAYS,
    pendingBytesMax: config.PENDING_MEGABYTES_MAX * MEGABYTE,
    snapshotsDirectory: join(directory, 'snapshots'),
  });
  await aggregator.prepare();
  /** Answers come from the ledgers of this process: with others sharing its log, some accounts would be missing. */
  const readiness = (): Readiness => {
    const own = aggregator.readiness();
    const missing = log.partitionCount(EVENTS_TOPIC) - aggregator.partitionsHeld;
    if (!own.ready || missing === 0) return own;
    return { ready: false, detail: `${missing} partitions are held by other processes: use the separate services to share them` };
  };
  const feed = new LiveFeed({ ledgers: aggregator.ledgers, metrics, scheduler: systemScheduler });
  await feed.start(log, leave);
  shutdown.add('feed', () => feed.stop());
  const experiments = new Experiments({
    ledgers: aggregator.ledgers,
    feed,
    store,
    keys,
    metrics,
    scheduler: systemScheduler,
    logger,
    readiness,
  });
  await experiments.start(log, leave);
  shutdown.add('experiments', () => experiments.stop());
  shutdown.add('aggregator', () => aggregator.stop());
  const settings = { ...config, PUBLIC_URL: config.PUBLIC_URL ?? `http://127.0.0.1:${config.PORT}` };
  const notifier = new Notifier({ store, settings, scheduler: systemScheduler, metrics, logger, onFatal: leave });
  shutdown.add('notifier', () => notifier.stop());

  const app = await createHttpApp({
    logger,
    metrics,
    keys,
    readiness: { ledgers: readiness, experiments: () => experiments.readiness(), alerts: () => notifier.readiness() },
    draining: () => shutdown.draining,
  });
  await registerIngest(app, {
    log,
    topic: EVENTS_TOPIC,
    clock: systemClock,
    deadLetters: store,
    metrics,
    model: () => aggregator.modelStatus.model,
    modelVersions() {
      // Until they are read from the store, any version would pass for a new one.
      const { ready, detail } = readiness();
      if (!ready) throw new ProblemError('not_ready', detail, { headers: { 'retry-after': '1' } });
      return aggregator.models;
    },
  });
  await registerQuery(app, {
    ledgers: aggregator.ledgers,
    feed,
    experiments,
    store,
    keys,
    metrics,
    clock: systemClock,
    modelStatus: () => aggregator.modelStatus,
    readiness,
    kpiSettings: kpiSettingsOf(config),
  });
  notifier.registerRoutes(app, systemClock);
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  shutdown.add('http', () => app.close());
  const firstKey = await keys.makeFirstKey();
  if (firstKey !== null) showFirstKey(firstKey, address);

  // The port is open from here, so that probes see the restore go on; touches are taken too, the log needs no ledger for that.
  await Promise.all([aggregator.start(), notifier.start(log)]);
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  logger.info({ address, docs: `${address}/docs`, data: directory, seconds }, 'serving');
}

function openOwnLog(logger: Logger): Promise<EventLog> {
  const { FREE_MEGABYTES_MIN, LOG_RETENTION_HOURS, PARTITIONS } = config;
  return openEmbeddedLog({
    directory: join(directory, 'log'),
    topics: {
      [EVENTS_TOPIC]: { partitions: PARTITIONS, retentionMs: LOG_RETENTION_HOURS * HOUR_MS, keptFor: [AGGREGATOR_GROUP] },
      [SCORES_TOPIC]: { partitions: PARTITIONS, retentionMs: SCORES_RETENTION_MS, retentionBytes: SCORES_RETENTION_BYTES },
      [ALERTS_TOPIC]: { partitions: PARTITIONS, retentionMs: ALERTS_RETENTION_MS },
      [EXPERIMENTS_TOPIC]: { partitions: 1, retentionMs: Infinity },
      [DEAD_LETTERS_TOPIC]: { partitions: PARTITIONS, retentionMs: DEAD_LETTERS_RETENTION_MS },
    },
    ...(FREE_MEGABYTES_MIN !== undefined && { freeBytesMin: FREE_MEGABYTES_MIN * MEGABYTE }),
    onEvent: (event) => {
      if (event.type === 'sweep_failed') logger.error({ err: event.cause }, 'old blocks of the log could not be dropped');
    },
  });
}
