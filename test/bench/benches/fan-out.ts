import { KEY } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';
import type { FanOutRun } from '../tasks/measure-fan-out.ts';

const TOUCHES_PER_SECOND = [20, 100];
const KILOBYTE = 1024;

/** How soon the last of many readers of the stream has a score, and what a reader costs. */
export async function benchFanOut({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { longRuns, reads, streamClients } = sizes;
  const figures: Figure[] = [];
  const server = await startBenchServer(makeDirectory());
  const port = Number(new URL(server.url).port);
  let run = 0;
  for (const touchesPerSecond of TOUCHES_PER_SECOND) {
    const runs: FanOutRun[] = [];
    // The first one warms the server up and is not told.
    for (let i = 0; i <= longRuns; i++) {
      const result = await runTask('measureFanOut', {
        port,
        key: KEY,
        clients: streamClients,
        touchesPerSecond,
        seconds: reads.seconds,
        run: run++,
      });
      if (i > 0) runs.push(result);
    }
    const add = (what: string, unit: string, value: (one: FanOutRun) => number): void =>
      void figures.push(figure(`${touchesPerSecond} touches/s: ${what}`, unit, runs.map(value)));
    add('touch to first client, p50', 'ms', ({ first }) => first.p50);
    add('touch to first client, p99', 'ms', ({ first }) => first.p99);
    add('touch to last client, p50', 'ms', ({ last }) => last.p50);
    add('touch to last client, p99', 'ms', ({ last }) => last.p99);
    add('touch to last client, longest', 'ms', ({ last }) => last.max);
    add('CPU of the server', 'µs/event and client', ({ microsPerDelivery }) => microsPerDelivery);
    add('CPU of the server', '% of a core', ({ serverCorePercent }) => serverCorePercent);
    if (touchesPerSecond === TOUCHES_PER_SECOND[0]) {
      figures.push(figure('memory of a client', 'KB', [runs[0]!.bytesPerClient / KILOBYTE]));
    }
  }
  await stopCleanly(server);
  return {
    title: `The stream to ${streamClients.toLocaleString('en-GB')} clients`,
    text:
      'Every client of GET /v1/stream gets every score. Each touch is of an account of its own, so that each is an event to all of them. From ' +
      `sending the touch until the last client has its score, by one clock, in runs of ${reads.seconds} s. Scores are published every 25 ms.`,
    figures,
  };
}
