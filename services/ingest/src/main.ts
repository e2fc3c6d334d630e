import { EVENTS_TOPIC, kafkaLogOptionsOf, openKafkaLog, type EventLog } from '@touchstone/event-log';
import { Awaited, createHttpApp, createKeyRing, loadConfig, repeat, startProcess, systemClock, systemScheduler } from '@touchstone/runtime';
import { openStore, storeOptionsOf, type Store } from '@touchstone/store';
import { configSchema, SECRETS } from './config.ts';
import { KnownModels } from './known-models.ts';
import { registerIngest } from './register-ingest.ts';

/** Ingest as a process of its own, one of any number: HTTP in, Kafka out. It keeps nothing; keys and models are read from the store. */

/** The models are read anew this often: for how old a touch may be, a moment more or less does not matter. */
const MODELS_INTERVAL_MS = 3000;

const config = loadConfig(configSchema, [...SECRETS]);

await startProcess({ service: 'ingest', level: config.LOG_LEVEL }, async ({ leave, logger, metrics, shutdown }) => {
  const waiting = { logger, scheduler: systemScheduler };
  const log = new Awaited<EventLog>({ name: 'the log', ...waiting });
  const knowledge = new Awaited<Store>({ name: 'the store', ...waiting });

  shutdown.add('log', () => log.opened?.close());
  const store = await openStore(storeOptionsOf(config));
  shutdown.add('store', () => store.close());
  const keys = createKeyRing(store, { adminKey: config.TOUCHSTONE_ADMIN_KEY, makesFirst: false, metrics, logger });
  shutdown.add('keys', () => keys.stop());
  const models = new KnownModels({ loadModels: () => store.models(), partitionCount: () => config.PARTITIONS });

  const app = await createHttpApp({
    logger,
    metrics,
    keys,
    readiness: { log: () => log.readiness(), store: () => knowledge.readiness() },
    draining: () => shutdown.draining,
  });
  await registerIngest(app, {
    log: {
      append: (topic, records) => log.part.append(topic, records),
      partitionCount: (topic) => log.part.partitionCount(topic),
    },
    topic: EVENTS_TOPIC,
    clock: systemClock,
    metrics,
    model: () => models.inForce,
    modelVersions: () => models.versions(),
    deadLetters: store,
  });
  // The port is open from the beginning: whoever probes sees what is waited for.
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  shutdown.add('http', () => app.close());
  logger.info({ address }, 'listening');

  async function know(): Promise<Store> {
    await store.migrate();
    await keys.start();
    await models.refresh();
    return store;
  }

  await Promise.all([log.open(() => openKafkaLog(kafkaLogOptionsOf(config, 'ingest', logger))), knowledge.open(know)]);
  const refreshing = repeat({
    scheduler: systemScheduler,
    intervalMs: MODELS_INTERVAL_MS,
    async step() {
      try {
        await models.refresh();
      } catch (err) {
        // Whatever it is, it is no reason to take no touches.
        logger.warn({ err }, 'the models could not be read again; what is known of them stays in force');
      }
    },
    onRetry: leave,
    onFault: leave,
  });
  shutdown.add('models', () => refreshing.stop());
  logger.info({ address }, 'taking touches');
});
