import { describe, expect, test } from 'vitest';
import { PLANTED_BUGS, type BugName } from '../simulation/planted-bugs.ts';
import { describeFailures } from '../simulation/run-seeds.ts';
import { startSeeds } from '../simulation/start-seeds.ts';

/** As many as CI has time for: `node test/simulation/main.ts --seeds 10000` tries more. */
const SEEDS = 3000;
/** Within so many seeds a bug must show. */
const SEEDS_TO_FIND = 2000;
const PROCESSES = 2;

test(`${SEEDS} seeds leave what one undisturbed pass leaves`, { timeout: 30 * 60_000 }, async () => {
  const startedAt = performance.now();
  const result = await startSeeds({ from: 1, seeds: SEEDS, processes: PROCESSES });
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${(SEEDS / seconds).toFixed(1)} seeds/s, ${result.steps} steps, faults injected: ${JSON.stringify(result.faults)}`);
  expect(describeFailures(result)).toBe('');
});

describe('every planted bug is found', () => {
  test.each(Object.keys(PLANTED_BUGS) as BugName[])('%s', { timeout: 10 * 60_000 }, async (bug) => {
    const result = await startSeeds({ from: 1, seeds: SEEDS_TO_FIND, processes: PROCESSES, bug, untilFound: true });
    console.log(`${bug}: ${result.seeds} seeds, ${result.failures[0]?.violations[0] ?? 'nothing found'}`);
    expect(result.failed).toBeGreaterThan(0);
  });
});
