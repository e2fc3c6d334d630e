import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Aggregator, AGGREGATOR_GROUP, EVENTS_TOPIC, SCORES_TOPIC } from '@touchstone/aggregator';
import { EventLogError, lockDirectory, openEmbeddedLog } from '@touchstone/event-log';
import { registerIngest } from '@touchstone/ingest';
import { registerQuery, ScoreFeed } from '@touchstone/query';
import {
  createHttpApp,
  createLogger,
  createMetrics,
  createShutdown,
  KeyRing,
  loadConfig,
  ProblemError,
  systemClock,
} from '@touchstone/runtime';
import { openStore } from '@touchstone/store';
import { configSchema, SECRETS } from './config.ts';
import { showFirstKey } from './show-first-key.ts';

/** All services in one process, on one port: embedded log, ClickHouse in process or a server, state under one directory. */

const HOUR_MS = 3_600_000;
/** Scores are read by streams that come back after a moment; the store keeps them for good. */
const SCORES_RETENTION_MS = 24 * HOUR_MS;
const SCORES_RETENTION_BYTES = 256 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;
/** The longest statements are pages of a replay; a server that takes longer is asked again. */
const STORE_TIMEOUT_MS = 30_000;

const startedAt = performance.now();
const config = loadConfig(configSchema, [...SECRETS]);
const logger = createLogger({ service: 'standalone', level: config.LOG_LEVEL });
const metrics = createMetrics();
let hasFailed = false;
// Whoever started this process must see by its exit code that the start failed, however well the rest was put away.
const shutdown = createShutdown({ logger, exit: (code) => process.exit(hasFailed ? 1 : code) });
shutdown.listen();

const directory = resolve(config.TOUCHSTONE_DATA);
try {
  await start();
} catch (err) {
  // A signal in the midst of the start closes what the start still works with: that it fails then is no news.
  if (!shutdown.draining) {
    hasFailed = true;
    // Expected reasons, such as a directory in use, say what to do in one line; anything else needs its stack.
    if (err instanceof EventLogError || err instanceof RangeError || (err instanceof Error && 'code' in err))
      logger.fatal({ code: (err as { code?: unknown }).code }, err.message);
    else logger.fatal({ err }, 'could not start');
  }
  await shutdown.stop('the start failed');
}

/** A part that the others count on can't go on. What is durable stays so; a new start recovers the rest. */
function leave(err: unknown): void {
  logger.fatal({ err }, 'can not go on');
  process.exit(1);
}

async function start(): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const lock = lockDirectory(directory);
  shutdown.add('data directory', () => lock.release());

  const store = await openStore(
    config.CLICKHOUSE_URL === undefined
      ? { kind: 'chdb', directory: join(directory, 'store') }
      : {
          kind: 'server',
          url: config.CLICKHOUSE_URL,
          username: config.CLICKHOUSE_USER,
          password: config.CLICKHOUSE_PASSWORD,
          database: config.CLICKHOUSE_DATABASE,
          requestTimeoutMs: STORE_TIMEOUT_MS,
        },
  );
  shutdown.add('store', () => store.close());
  await store.migrate();

  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    topics: {
      [EVENTS_TOPIC]: { partitions: config.PARTITIONS, retentionMs: config.LOG_RETENTION_HOURS * HOUR_MS, keptFor: [AGGREGATOR_GROUP] },
      [SCORES_TOPIC]: { partitions: config.PARTITIONS, retentionMs: SCORES_RETENTION_MS, retentionBytes: SCORES_RETENTION_BYTES },
    },
    ...(config.FREE_MEGABYTES_MIN !== undefined && { freeBytesMin: config.FREE_MEGABYTES_MIN * MEGABYTE }),
    onEvent: (event) => {
      if (event.type === 'sweep_failed') logger.error({ err: event.cause }, 'old blocks of the log could not be dropped');
    },
  });
  shutdown.add('log', () => log.close());

  const keys = new KeyRing({
    loadKeys: () => store.apiKeys(),
    saveKey: (row) => store.saveApiKey(row),
    adminKey: config.TOUCHSTONE_ADMIN_KEY,
    onRefreshFailed: (err) => {
      metrics.count('key_refresh_failures_total', {});
      logger.warn({ err }, 'the API keys could not be read again; the last known ones stay in force');
    },
  });
  await keys.start();
  shutdown.add('keys', () => keys.stop());

  const aggregator = new Aggregator({
    log,
    store,
    metrics,
    logger,
    clock: systemClock,
    onFatal: leave,
    publishIntervalMs: config.PUBLISH_INTERVAL_MS,
    checkpointIntervalMs: config.CHECKPOINT_INTERVAL_MS,
    dedupeHorizonMs: config.DEDUPE_HORIZON_HOURS * HOUR_MS,
    pendingBytesMax: config.PENDING_MEGABYTES_MAX * MEGABYTE,
  });
  await aggregator.prepare();
  const feed = new ScoreFeed(log, SCORES_TOPIC);
  await feed.start(leave);
  shutdown.add('feed', () => feed.stop());
  shutdown.add('aggregator', () => aggregator.stop());

  const app = await createHttpApp({
    logger,
    metrics,
    keys,
    readiness: { ledgers: () => aggregator.readiness() },
    draining: () => shutdown.draining,
  });
  await registerIngest(app, {
    log,
    topic: EVENTS_TOPIC,
    clock: systemClock,
    metrics,
    model: () => aggregator.modelStatus.model,
    modelVersions() {
      // Until they are read from the store, any version would pass for a new one.
      const { ready, detail } = aggregator.readiness();
      if (!ready) throw new ProblemError('not_ready', detail, { headers: { 'retry-after': '1' } });
      return aggregator.models;
    },
  });
  await registerQuery(app, {
    ledgers: aggregator.ledgers,
    feed,
    store,
    keys,
    metrics,
    clock: systemClock,
    modelStatus: () => aggregator.modelStatus,
    readiness: () => aggregator.readiness(),
  });
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  shutdown.add('http', () => app.close());
  const firstKey = await keys.makeFirstKey();
  if (firstKey !== null) showFirstKey(firstKey, address);

  // The port is open from here, so that probes see the restore go on; touches are taken too, the log needs no ledger for that.
  await aggregator.start();
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  logger.info({ address, docs: `${address}/docs`, data: directory, seconds }, 'serving');
}
