import { findKafka, startKafkaBroker } from '@touchstone/testkit';
import { KEY } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import type { Sizes } from '../options.ts';
import { runTask } from '../start-task.ts';
import type { PostRun } from '../tasks/post-requests.ts';
import type { Format } from '../workload/requests.ts';

interface Way {
  readonly label: string;
  readonly format: Format;
  readonly touchesPerRequest: number;
  readonly connections: number;
  readonly touches: (sizes: Sizes) => number;
}

const WAYS: readonly Way[] = [
  { label: 'single touches', format: 'single', touchesPerRequest: 1, connections: 64, touches: (sizes) => sizes.ingestSingle },
  { label: 'arrays of 500', format: 'array', touchesPerRequest: 500, connections: 8, touches: (sizes) => sizes.ingestBatched },
  { label: 'NDJSON of 5,000', format: 'ndjson', touchesPerRequest: 5000, connections: 4, touches: (sizes) => sizes.ingestBatched },
];

/** Touches that are durable, over HTTP, while the server applies, publishes and stores them: on the embedded log, then on Kafka. */
export async function benchIngest(context: BenchContext): Promise<Section> {
  const { sizes } = context;
  const figures: Figure[] = [];
  for (const way of WAYS) figures.push(...(await measure(context, way, '', {})));
  const kafka = await onKafka(async (env) => {
    for (const way of WAYS) figures.push(...(await measure(context, way, 'on Kafka, ', env)));
  });
  return {
    title: 'Durable ingest over HTTP',
    text:
      'From the first request to the last 202; a touch is answered only when it is on disk, or taken by the broker. Each run posts ' +
      `${sizes.ingestSingle.toLocaleString('en-GB')} touches one by one, or ${sizes.ingestBatched.toLocaleString('en-GB')} in batches, ` +
      'from another process. Meanwhile the server applies, publishes and stores them. The lag is the time from the last 202 until every ' +
      `score is up to date. CPU is user and system time of all threads, what follows the last 202 included. ${kafka}`,
    figures,
  };
}

/** @returns what is to be said of it */
async function onKafka(step: (env: Readonly<Record<string, string>>) => Promise<void>): Promise<string> {
  const broker = await startKafkaBroker();
  if (broker === null) {
    const found = await findKafka({ own: true });
    return `Kafka is left out, because there is no broker: ${found.kind === 'none' ? found.reason : 'none could be started'}.`;
  }
  try {
    await step({ KAFKA_BROKERS: broker.brokers, KAFKA_REPLICATION_FACTOR: '1' });
    return 'The broker runs on the same cores, as the only replica.';
  } finally {
    await broker.close();
  }
}

async function measure(
  { makeDirectory, sizes }: BenchContext,
  way: Way,
  where: string,
  env: Readonly<Record<string, string>>,
): Promise<Figure[]> {
  const { connections, format, label, touches, touchesPerRequest } = way;
  const server = await startBenchServer(makeDirectory(), { env });
  const { accounts, contacts, runs } = sizes;
  const posted = await runTask('postRequests', {
    port: Number(new URL(server.url).port),
    key: KEY,
    format,
    touches: touches(sizes),
    touchesPerRequest,
    connections,
    accounts,
    contacts,
    // On one broker each way has touches of its own.
    seed: 1 + 100 * WAYS.indexOf(way),
    runs,
    isWhole: true,
  });
  await stopCleanly(server);
  const told = (what: string, unit: string, of: (run: PostRun) => number): Figure =>
    figure(`${where}${label}${what}`, unit, posted.map(of));
  return [
    told(`, ${connections} connections`, 'touches/s', (run) => run.touchesPerSecond),
    told(': scores lag at the end', 's', (run) => run.lagSeconds),
    told(': CPU of the server', 'µs/touch', (run) => run.serverMicrosPerTouch),
    told(': CPU of the generator', 'µs/touch', (run) => run.clientMicrosPerTouch),
  ];
}
