import { join } from 'node:path';
import { KEY, startServer } from '../../support/start-server.ts';
import { assertAccepted, Lane } from '../load/lane.ts';
import { readMetrics, untilApplied } from '../load/server-metrics.ts';
import { startTask } from '../start-task.ts';
import { makeRequests } from '../workload/requests.ts';
import type { Pair } from './pair.ts';
import { SMALL } from './small-world.ts';

const TOUCHES = 100_000;
const LANES = 8;
/** The same once would be over in a tenth of a second. */
const REPEATS = 5;

export async function pairIngest(directory: string): Promise<Pair> {
  const server = await startServer({ data: join(directory, 'data') });
  const empty = await startTask('answerOnly', undefined);
  let seed = 0;
  let requests: Buffer[] = [];
  const prepare = (): void => {
    requests = makeRequests({ ...SMALL, seed: ++seed, key: KEY, format: 'array', touches: TOUCHES, touchesPerRequest: 500 });
  };
  return {
    ours: {
      units: TOUCHES,
      prepare,
      async run() {
        const { touchesApplied } = await readMetrics(server.url);
        await postAll(Number(new URL(server.url).port), requests);
        await untilApplied(server.url, touchesApplied + TOUCHES);
      },
    },
    yardstick: {
      units: TOUCHES * REPEATS,
      prepare,
      async run() {
        for (let time = 0; time < REPEATS; time++) await postAll(empty.result.port, requests);
      },
    },
    async close() {
      await Promise.all([server.stop(), empty.stop()]);
    },
  };
}

async function postAll(port: number, requests: readonly Buffer[]): Promise<void> {
  const lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(port)));
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      while (next < requests.length) assertAccepted(await lane.send(requests[next++]!));
    }),
  );
  for (const lane of lanes) lane.close();
}
