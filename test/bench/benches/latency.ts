import { KEY } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { runTask } from '../start-task.ts';

interface Pace {
  readonly touchesPerSecond: number;
  readonly touchesPerRequest: number;
  readonly connections: number;
}

/** At the higher rates as a collector sends them that gathers for ten milliseconds. */
const PACES: readonly Pace[] = [
  { touchesPerSecond: 500, touchesPerRequest: 1, connections: 32 },
  { touchesPerSecond: 5000, touchesPerRequest: 50, connections: 8 },
  { touchesPerSecond: 20_000, touchesPerRequest: 200, connections: 8 },
];

/** How soon a touch shows in a score, under a steady load. */
export async function benchLatency({ makeDirectory, sizes }: BenchContext): Promise<Section> {
  const { accounts, contacts, latencySeconds, latencyWarmUpSeconds, runs } = sizes;
  const figures: Figure[] = [];
  for (const pace of PACES) {
    const server = await startBenchServer(makeDirectory());
    const measured = await runTask('measureLatency', {
      port: Number(new URL(server.url).port),
      key: KEY,
      accounts,
      contacts,
      seed: 1,
      ...pace,
      warmUpSeconds: latencyWarmUpSeconds,
      seconds: latencySeconds,
      runs,
    });
    await stopCleanly(server);
    const label = labelOf(pace);
    const add = (what: string, value: (run: (typeof measured)[number]) => number): void =>
      void figures.push(figure(`${label}: ${what}`, 'ms', measured.map(value)));
    add('touch to score, p50', ({ score }) => score.p50);
    add('touch to score, p99', ({ score }) => score.p99);
    add('touch to score, longest', ({ score }) => score.max);
    add('touch to 202, p50', ({ answer }) => answer.p50);
    add('touch to 202, p99', ({ answer }) => answer.p99);
    add('generator late, p99', ({ lateness }) => lateness.p99);
  }
  return {
    title: 'Touch to score at a steady rate',
    text:
      `From sending a touch until GET /v1/stream has delivered a score that includes it, by one clock, in runs of ${latencySeconds} s ` +
      `after ${latencyWarmUpSeconds} s of warm-up, on a server with its default settings (scores published every 25 ms, checkpoints every ` +
      'second), which stores every touch. Requests go out by the clock, whether or not those before are answered.',
    figures,
  };
}

function labelOf({ touchesPerRequest, touchesPerSecond }: Pace): string {
  const rate = `${touchesPerSecond.toLocaleString('en-GB')}/s`;
  if (touchesPerRequest === 1) return `${rate}, one a request`;
  return `${rate}, ${touchesPerRequest} a request every ${(1000 * touchesPerRequest) / touchesPerSecond} ms`;
}
