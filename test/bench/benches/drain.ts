import { BACKLOG_DAYS, startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Section } from '../figures.ts';

/** How fast a server works off what waits on the log. */
export async function benchDrain({ backlog, keepStored, sizes }: BenchContext): Promise<Section> {
  const touches = sizes.backlog;
  const readySeconds: number[] = [];
  const storedSeconds: number[] = [];
  for (let run = 0; run < sizes.longRuns; run++) {
    const data = await backlog(touches);
    const startedAt = performance.now();
    const server = await startBenchServer(data);
    readySeconds.push((performance.now() - startedAt) / 1000);
    await stopCleanly(server);
    storedSeconds.push((performance.now() - startedAt) / 1000);
    keepStored(touches, data);
  }
  const rate = (seconds: readonly number[]): number[] => seconds.map((one) => touches / one);
  return {
    title: `Drain of ${touches.toLocaleString('en-GB')} touches`,
    text:
      `The log holds touches of ${BACKLOG_DAYS} days that no server has seen. From the start of the process, loading ClickHouse included, ` +
      'until it is ready, that is every score is up to date; and until it has stored everything and left.',
    figures: [
      figure('start to ready', 's', readySeconds),
      figure('start to ready', 'touches/s', rate(readySeconds)),
      figure('start to all stored', 's', storedSeconds),
      figure('start to all stored', 'touches/s', rate(storedSeconds)),
    ],
  };
}
