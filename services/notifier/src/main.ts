import { kafkaLogOptionsOf, openKafkaLog, type EventLog } from '@touchstone/event-log';
import { Awaited, createHttpApp, createKeyRing, loadConfig, startProcess, systemClock, systemScheduler } from '@touchstone/runtime';
import { openStore, storeOptionsOf, type Store } from '@touchstone/store';
import { configSchema, SECRETS } from './config.ts';
import { Notifier } from './notifier.ts';

/** The notifier as a process of its own, one of any number: they share the partitions of the alerts topic. */

const config = loadConfig(configSchema, [...SECRETS]);

await startProcess({ service: 'notifier', level: config.LOG_LEVEL }, async ({ leave, logger, metrics, shutdown }) => {
  const waiting = { logger, scheduler: systemScheduler };
  const log = new Awaited<EventLog>({ name: 'the log', ...waiting });
  const knowledge = new Awaited<Store>({ name: 'the store', ...waiting });

  shutdown.add('log', () => log.opened?.close());
  const store = await openStore(storeOptionsOf(config));
  shutdown.add('store', () => store.close());
  const keys = createKeyRing(store, { adminKey: config.TOUCHSTONE_ADMIN_KEY, makesFirst: false, metrics, logger });
  shutdown.add('keys', () => keys.stop());
  const notifier = new Notifier({ store, settings: config, scheduler: systemScheduler, metrics, logger, onFatal: leave });
  shutdown.add('notifier', () => notifier.stop());

  // The port is open from the beginning: whoever probes sees what is waited for.
  const app = await createHttpApp({
    logger,
    metrics,
    keys,
    readiness: { log: () => log.readiness(), store: () => knowledge.readiness(), alerts: () => notifier.readiness() },
    draining: () => shutdown.draining,
  });
  notifier.registerRoutes(app, systemClock);
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  shutdown.add('http', () => app.close());
  logger.info({ address, docs: `${address}/docs` }, 'listening');

  async function know(): Promise<Store> {
    await store.migrate();
    await keys.start();
    return store;
  }

  await Promise.all([log.open(() => openKafkaLog(kafkaLogOptionsOf(config, 'notifier', logger))), knowledge.open(know)]);
  await notifier.start(log.part);
  logger.info({ address }, 'alerts are followed');
});
