import { kafkaLogOptionsOf, openKafkaLog, type EventLog } from '@touchstone/event-log';
import { Awaited, createHttpApp, createKeyRing, loadConfig, startProcess, systemClock, systemScheduler } from '@touchstone/runtime';
import { openStore, storeOptionsOf, type Store } from '@touchstone/store';
import { configSchema, SECRETS } from './config.ts';
import { Experiments } from './experiments/experiments.ts';
import { kpiSettingsOf } from './kpis/kpi-settings.ts';
import { LedgerReplica } from './ledger-replica.ts';
import { LiveFeed } from './live-feed.ts';
import { registerQuery } from './query.ts';

/** Query as a process of its own, one of any number: a read replica of all ledgers, and the stream of published scores and alerts. */

const HOUR_MS = 3_600_000;

const startedAt = performance.now();
const config = loadConfig(configSchema, [...SECRETS]);

await startProcess({ service: 'query', level: config.LOG_LEVEL }, async ({ leave, logger, metrics, shutdown }) => {
  const waiting = { logger, scheduler: systemScheduler };
  const log = new Awaited<EventLog>({ name: 'the log', ...waiting });
  const knowledge = new Awaited<Store>({ name: 'the store', ...waiting });

  shutdown.add('log', () => log.opened?.close());
  const store = await openStore(storeOptionsOf(config));
  shutdown.add('store', () => store.close());
  const keys = createKeyRing(store, { adminKey: config.TOUCHSTONE_ADMIN_KEY, makesFirst: false, metrics, logger });
  shutdown.add('keys', () => keys.stop());
  const replica = new LedgerReplica({
    store,
    metrics,
    logger,
    scheduler: systemScheduler,
    dedupeHorizonMs: config.DEDUPE_HORIZON_HOURS * HOUR_MS,
    creativeDays: config.CREATIVE_DAYS,
    keptAlerts: () => feed.keptAlerts(),
    onFatal: leave,
  });
  shutdown.add('replica', () => replica.stop());
  const feed: LiveFeed = new LiveFeed({
    ledgers: replica.ledgers,
    metrics,
    scheduler: systemScheduler,
    onAlert: (partition, alert) => replica.takeAlert(partition, alert),
  });
  shutdown.add('feed', () => feed.stop());

  const experiments = new Experiments({
    ledgers: replica.ledgers,
    feed,
    store,
    keys,
    metrics,
    scheduler: systemScheduler,
    logger,
    readiness: () => replica.readiness(),
  });
  shutdown.add('experiments', () => experiments.stop());

  // The port is open from the beginning: whoever probes sees what is waited for.
  const app = await createHttpApp({
    logger,
    metrics,
    keys,
    readiness: {
      log: () => log.readiness(),
      store: () => knowledge.readiness(),
      ledgers: () => replica.readiness(),
      experiments: () => experiments.readiness(),
    },
    draining: () => shutdown.draining,
  });
  await registerQuery(app, {
    ledgers: replica.ledgers,
    feed,
    experiments,
    store,
    keys,
    metrics,
    clock: systemClock,
    modelStatus: () => replica.modelStatus,
    readiness: () => replica.readiness(),
    kpiSettings: kpiSettingsOf(config),
  });
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  shutdown.add('http', () => app.close());
  logger.info({ address, docs: `${address}/docs` }, 'listening');

  async function know(): Promise<Store> {
    await store.migrate();
    await keys.start();
    return store;
  }

  await Promise.all([log.open(() => openKafkaLog(kafkaLogOptionsOf(config, 'query', logger))), knowledge.open(know)]);
  // First the feed, then the replica: whatever is on the topics of scores and alerts now is of versions that the replica has applied when it is ready.
  await feed.start(log.part, leave);
  await replica.start(log.part);
  await experiments.start(log.part, leave);
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  logger.info({ address, seconds }, 'serving');
});
