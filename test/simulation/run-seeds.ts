import { simulateSeed } from './simulate-seed.ts';

/** What a number of seeds came to. */
export interface SeedsResult {
  seeds: number;
  /** The first seeds that found something, with what they found. */
  failures: { seed: number; violations: readonly string[]; options: unknown }[];
  failed: number;
  steps: number;
  records: number;
  publications: number;
  alerts: number;
  virtualMs: number;
  faults: Record<string, number>;
}

const FAILURES_SHOWN = 5;

export function noSeeds(): SeedsResult {
  return { seeds: 0, failures: [], failed: 0, steps: 0, records: 0, publications: 0, alerts: 0, virtualMs: 0, faults: {} };
}

/**
 * Runs seeds one after another.
 * @param isEnough whether to end before the last one
 */
export async function runSeeds(seeds: Iterable<number>, isEnough: (result: SeedsResult) => boolean = () => false): Promise<SeedsResult> {
  const result = noSeeds();
  for (const seed of seeds) {
    const one = await simulateSeed(seed);
    add(result, {
      ...one,
      seeds: 1,
      failed: one.violations.length > 0 ? 1 : 0,
      failures: one.violations.length > 0 ? [{ seed, violations: one.violations, options: one.options }] : [],
      faults: one.faults.toJSON(),
    });
    if (isEnough(result)) break;
  }
  return result;
}

export function add(sum: SeedsResult, more: SeedsResult): void {
  sum.seeds += more.seeds;
  sum.failed += more.failed;
  sum.steps += more.steps;
  sum.records += more.records;
  sum.publications += more.publications;
  sum.alerts += more.alerts;
  sum.virtualMs += more.virtualMs;
  sum.failures = [...sum.failures, ...more.failures].toSorted((one, other) => one.seed - other.seed).slice(0, FAILURES_SHOWN);
  for (const [kind, count] of Object.entries(more.faults)) sum.faults[kind] = (sum.faults[kind] ?? 0) + count;
}

/** For whoever reads the output: what failed, and how to see that seed alone. */
export function describeFailures({ failures }: SeedsResult, bug?: string): string {
  return failures
    .map(({ options, seed, violations }) =>
      [
        `SEED ${seed}: ${violations.join('\n  ')}`,
        `  options: ${JSON.stringify(options)}`,
        `  alone:   node test/simulation/main.ts --seed ${seed} --trace${bug === undefined ? '' : ` --bug ${bug}`}`,
      ].join('\n'),
    )
    .join('\n');
}
