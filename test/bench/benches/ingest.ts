import { KEY } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import type { Sizes } from '../options.ts';
import { runTask } from '../start-task.ts';
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

/** Touches that are durable, over HTTP, while the server applies, publishes and stores them. */
export async function benchIngest({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const figures: Figure[] = [];
  for (const { connections, format, label, touches, touchesPerRequest } of WAYS) {
    const server = await startBenchServer(makeDirectory());
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
      seed: 1,
      runs,
      isWhole: true,
    });
    await stopCleanly(server);
    figures.push(
      figure(
        `${label}, ${connections} connections`,
        'touches/s',
        posted.map((run) => run.touchesPerSecond),
      ),
      figure(
        `${label}: scores lag at the end`,
        's',
        posted.map((run) => run.lagSeconds),
      ),
      figure(
        `${label}: CPU of the server`,
        'µs/touch',
        posted.map((run) => run.serverMicrosPerTouch),
      ),
      figure(
        `${label}: CPU of the generator`,
        'µs/touch',
        posted.map((run) => run.clientMicrosPerTouch),
      ),
    );
  }
  return {
    title: 'Durable ingest over HTTP',
    text:
      'From the first request to the last 202; a touch is answered only when it is on disk. Each run posts ' +
      `${sizes.ingestSingle.toLocaleString('en-GB')} touches one by one, or ${sizes.ingestBatched.toLocaleString('en-GB')} in batches, ` +
      'from another process. Meanwhile the server applies, publishes and stores them. The lag is the time from the last 202 until every ' +
      'score is up to date. CPU is user and system time of all threads, what follows the last 202 included.',
    figures,
  };
}
