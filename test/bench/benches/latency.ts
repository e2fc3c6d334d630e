import { KEY } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';

const TOUCHES_PER_SECOND = 2000;
const WAYS = [
  { label: 'batches of 20 every 10 ms', touchesPerRequest: 20, connections: 8 },
  { label: 'single touches', touchesPerRequest: 1, connections: 32 },
];

/** How soon a touch shows in a score, under a steady load. */
export async function benchLatency({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, contacts, latencySeconds, latencyWarmUpSeconds, longRuns } = sizes;
  const figures: Figure[] = [];
  for (const { connections, label, touchesPerRequest } of WAYS) {
    const server = await startBenchServer(makeDirectory());
    const runs = await runTask('measureLatency', {
      port: Number(new URL(server.url).port),
      key: KEY,
      accounts,
      contacts,
      seed: 1,
      touchesPerSecond: TOUCHES_PER_SECOND,
      touchesPerRequest,
      connections,
      warmUpSeconds: latencyWarmUpSeconds,
      seconds: latencySeconds,
      runs: longRuns,
    });
    await stopCleanly(server);
    const add = (what: string, value: (run: (typeof runs)[number]) => number): void =>
      void figures.push(figure(`${label}: ${what}`, 'ms', runs.map(value)));
    add('touch to score, p50', ({ score }) => score.p50);
    add('touch to score, p99', ({ score }) => score.p99);
    add('touch to score, longest', ({ score }) => score.max);
    add('touch to 202, p50', ({ answer }) => answer.p50);
    add('touch to 202, p99', ({ answer }) => answer.p99);
    add('generator late, p99', ({ lateness }) => lateness.p99);
  }
  return {
    title: `Touch to score at ${TOUCHES_PER_SECOND.toLocaleString('en-GB')} touches/s`,
    text:
      `From sending a touch until GET /v1/stream has delivered a score that includes it, by one clock, in runs of ${latencySeconds} s ` +
      `after ${latencyWarmUpSeconds} s of warm-up, on a server with its default settings (scores published every 50 ms, checkpoints every ` +
      'second). Requests go out by the clock, whether or not those before are answered.',
    figures,
  };
}
