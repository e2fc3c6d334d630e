import { KEY } from '../../support/start-server.ts';
import { startBenchServer, stopCleanly, type BenchContext } from '../bench-context.ts';
import { figure, type Figure, type Section } from '../figures.ts';
import { readMetrics } from '../load/server-metrics.ts';
import { runTask, startTask } from '../start-task.ts';
import type { ReadsArgs, ReadsRun } from '../tasks/measure-reads.ts';

const TOUCHES_PER_SECOND = 5000;
const LISTS_PER_SECOND = 20;
const READS_BESIDE_LISTS = 1000;
const WARM_UP_SECONDS = 3;

/** How soon accounts and leaderboards are answered while touches come in, and what a plain look-up over HTTP takes on the same cores. */
export async function benchReads({ sizes, storedAccounts }: BenchContext): Promise<Section> {
  const { longRuns, reads } = sizes;
  const figures: Figure[] = [];
  let bodyBytes = 0;

  async function measure(
    label: string,
    url: string | null,
    args: Omit<ReadsArgs, 'warmUpSeconds' | 'seconds' | 'key' | 'seed'>,
  ): Promise<void> {
    const runs: ReadsRun[] = [];
    const cpu: number[] = [];
    for (let run = 0; run < longRuns; run++) {
      const before = url === null ? null : await readMetrics(url);
      const common = { key: KEY, seed: run + 1, warmUpSeconds: WARM_UP_SECONDS, seconds: reads.seconds };
      const startedAt = performance.now();
      runs.push(await runTask('measureReads', { ...args, ...common }));
      const seconds = (performance.now() - startedAt) / 1000;
      if (before !== null) cpu.push((100 * ((await readMetrics(url!)).cpuSeconds - before.cpuSeconds)) / seconds);
    }
    for (const [name, what] of [
      ['reads', 'one account'],
      ['lists', 'leaderboard of 50'],
      ['writes', 'writes'],
    ] as const) {
      const times = runs.map((one) => one[name]).filter((one) => one !== null);
      if (times.length === 0) continue;
      const add = (part: string, values: number[]): void => void figures.push(figure(`${label}: ${what}, ${part}`, 'ms', values));
      add(
        'p50',
        times.map(({ p50 }) => p50),
      );
      add(
        'p99',
        times.map(({ p99 }) => p99),
      );
      add(
        'longest',
        times.map(({ max }) => max),
      );
      if (name === 'reads') {
        add(
          'generator late, p99',
          times.map(({ lateP99 }) => lateP99),
        );
      }
    }
    if (cpu.length > 0) figures.push(figure(`${label}: CPU of the server`, '% of a core', cpu));
    bodyBytes = Math.max(bodyBytes, ...runs.map((one) => one.bodyBytes));
  }

  for (const { accounts, contacts } of reads.worlds) {
    const server = await startBenchServer(await storedAccounts({ accounts, contacts }, Math.max(accounts + 200_000, accounts * 1.2)));
    const port = Number(new URL(server.url).port);
    const world = `${accounts.toLocaleString('en-GB')} accounts`;
    const beside = { port, accounts, contacts, touchesPerSecond: TOUCHES_PER_SECOND };
    for (const readsPerSecond of reads.perSecond) {
      const label = `${world}, ${readsPerSecond.toLocaleString('en-GB')} reads/s`;
      await measure(label, server.url, { ...beside, readsPerSecond, listsPerSecond: 0 });
    }
    const label = `${world}, ${LISTS_PER_SECOND} leaderboards/s and ${READS_BESIDE_LISTS.toLocaleString('en-GB')} reads/s`;
    await measure(label, server.url, { ...beside, readsPerSecond: READS_BESIDE_LISTS, listsPerSecond: LISTS_PER_SECOND });
    await stopCleanly(server);
  }
  const [world] = reads.worlds;
  const ceiling = await startTask('lookUpOnly', { accounts: world!.accounts, bodyBytes });
  for (const readsPerSecond of reads.perSecond) {
    const label = `ceiling, ${readsPerSecond.toLocaleString('en-GB')} reads/s`;
    await measure(label, null, { port: ceiling.result.port, ...world!, touchesPerSecond: 0, readsPerSecond, listsPerSecond: 0 });
  }
  await ceiling.stop();

  return {
    title: `Reads while ${TOUCHES_PER_SECOND.toLocaleString('en-GB')} touches/s are written`,
    text:
      `By the clock, whether or not the requests before are answered; latency from the instant a request is due, in runs of ${reads.seconds} s. ` +
      'Accounts with more touches are read more often. Touches come in arrays of 50. The ceiling is fastify that finds an object in a Map and ' +
      `answers it as JSON of ${bodyBytes.toLocaleString('en-GB')} bytes, the mean size of an account, with no key and no writes beside.`,
    figures,
  };
}
