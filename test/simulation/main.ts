import { parseArgs } from 'node:util';
import { bugNamed, plantBug } from './plant-bug.ts';
import type { SeedsResult } from './run-seeds.ts';

/**
 * Simulates seeds:
 *
 *     node test/simulation/main.ts --seeds 10000            many, in two processes
 *     node test/simulation/main.ts --seed 7 [--trace]       one, with all that happens
 *     node test/simulation/main.ts --seeds 2000 --bug NAME  whether a planted bug is found
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    processes: { type: 'string', default: '2' },
    bug: { type: 'string' },
    trace: { type: 'boolean', default: false },
    // How the processes are started that share the seeds.
    part: { type: 'boolean', default: false },
    'until-found': { type: 'boolean', default: false },
  },
});

const bug = values.bug === undefined ? undefined : bugNamed(values.bug);
// Before anything is imported that it may be in.
if (bug !== undefined && (values.part || values.seed !== undefined)) plantBug(bug);
const { describeFailures, runSeeds } = await import('./run-seeds.ts');

if (values.seed !== undefined) await runOne(Number(values.seed));
else if (values.part) await runPart();
else await runMany();

async function runOne(seed: number): Promise<void> {
  const { simulateSeed } = await import('./simulate-seed.ts');
  const result = await simulateSeed(seed, values.trace ? { onLine: (line) => console.log(line) } : {});
  console.log(JSON.stringify(result, null, 2));
  process.exitCode = result.violations.length > 0 ? 1 : 0;
}

async function runPart(): Promise<void> {
  const from = Number(values.from);
  const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => from + index);
  const result = await runSeeds(seeds, ({ failed }) => values['until-found'] && failed > 0);
  process.send!(result);
  process.disconnect();
}

async function runMany(): Promise<void> {
  const { startSeeds } = await import('./start-seeds.ts');
  const startedAt = performance.now();
  const result = await startSeeds({
    from: Number(values.from),
    seeds: Number(values.seeds),
    processes: Number(values.processes),
    untilFound: bug !== undefined,
    ...(bug === undefined ? {} : { bug }),
  });
  print(result, (performance.now() - startedAt) / 1000);
  const isAsWanted = bug === undefined ? result.failed === 0 : result.failed > 0;
  process.exitCode = isAsWanted ? 0 : 1;
}

function print(result: SeedsResult, seconds: number): void {
  const { alerts, failed, publications, records, seeds, steps, virtualMs } = result;
  if (failed > 0) console.log(describeFailures(result, bug));
  console.log(`${seeds} seeds, ${failed} failed, ${(seeds / seconds).toFixed(1)} seeds/s`);
  console.log(
    `${steps} steps, ${records} records, ${publications} scores published, ${alerts} alerts told, ${(virtualMs / 3_600_000).toFixed(1)} h of virtual time`,
  );
  const faults = Object.entries(result.faults).map(([kind, count]) => `${kind} ${count}`);
  console.log(`faults injected: ${faults.join(', ')}`);
}
