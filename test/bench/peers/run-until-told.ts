import { Aggregator, type BlockRun } from '@touchstone/aggregator';
import { openKafkaLog, type RecordBlock } from '@touchstone/event-log';
import { createLogger, createMetrics, systemScheduler, type LogLevel } from '@touchstone/runtime';
import { peersJob } from './peers-job.ts';
import { logOnlyStore, openPeersStore } from './peers-store.ts';

/** Runs the comparison's job by its environment: see peers-entry.ts. */

const PARTITIONS = 8;
const HORIZON_MS = 48 * 3_600_000;
const PENDING_BYTES_MAX = 192 * 1024 * 1024;
const DELIVERY_TIMEOUT_MS = 3000;

let isTold = false;

export async function runUntilTold(): Promise<void> {
  const BROKERS = setting('BROKERS').split(',');
  const TOPIC = setting('TOPIC');
  const OUTPUT_TOPIC = setting('OUTPUT_TOPIC');
  const APP_ID = setting('APP_ID');
  /** Between two checkpoints. */
  const COMMIT_MS = Number(setting('COMMIT_MS'));
  const isStored = setting('STORE', 'log') === 'chdb';
  /** Between two publications besides those of the checkpoints, which are often enough. */
  const PUBLISH_MS = Number(setting('PUBLISH_MS', '60000'));

  const logger = createLogger({ service: 'peers', level: setting('LOG_LEVEL', 'warn') as LogLevel });
  const leave = (cause: unknown): never => {
    logger.fatal({ err: cause }, 'it can not go on');
    process.exit(1);
  };
  const topic = { partitions: PARTITIONS, replicationFactor: 1, isForeign: true } as const;
  const [log, store] = await Promise.all([
    openKafkaLog({
      brokers: BROKERS,
      clientId: APP_ID,
      topics: { [TOPIC]: { ...topic, cleanup: 'delete' }, [OUTPUT_TOPIC]: { ...topic, cleanup: 'compact' } },
      deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
      // A start after a kill waits so long until the group has given the dead one up.
      sessionTimeoutMs: Number(setting('KAFKA_SESSION_TIMEOUT_MS', '10000')),
    }),
    isStored ? openPeersStore(setting('STATE_DIR'), PARTITIONS) : logOnlyStore(PARTITIONS),
  ]);

  const publishesFirstBacklog = setting('BACKLOG', 'held') === 'published';
  const job = peersJob({ touches: TOPIC, scores: OUTPUT_TOPIC, group: APP_ID }, { storesTouches: isStored, publishesFirstBacklog });
  const aggregator = new Aggregator({
    job: { ...job, openRun: (partition) => tellingFirst(job.openRun(partition)) },
    log,
    store,
    metrics: createMetrics({ ofProcess: false }),
    logger,
    scheduler: systemScheduler,
    onFatal: leave,
    publishIntervalMs: PUBLISH_MS,
    checkpointIntervalMs: COMMIT_MS,
    dedupeHorizonMs: HORIZON_MS,
    creativeDays: 0,
    pendingBytesMax: PENDING_BYTES_MAX,
  });

  process.once('SIGTERM', () => {
    aggregator
      .stop()
      .then(() => log.close())
      .then(() => store.close())
      .then(() => process.exit(0), leave);
  });
  await aggregator.prepare();
  await aggregator.start();
}

function setting(name: string, fallback?: string): string {
  const value = process.env[name] ?? fallback;
  if (value !== undefined) return value;
  console.error(`${name} is not set`);
  return process.exit(2);
}

/** The first block of any partition tells the comparison that reading has begun. */
function tellingFirst(run: BlockRun): BlockRun {
  const open = run.open.bind(run);
  return Object.assign(run, {
    open(block: RecordBlock) {
      tellFirst();
      open(block);
    },
  });
}

function tellFirst(): void {
  if (!isTold) console.log(`FIRST_RECORD ${Date.now()}`);
  isTold = true;
}
