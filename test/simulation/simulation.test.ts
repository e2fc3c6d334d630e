import { describe, expect, test } from 'vitest';
import { withBug } from './plant-bug.ts';
import { PLANTED_BUGS, type BugName } from './planted-bugs.ts';
import { describeFailures, runSeeds } from './run-seeds.ts';
import { simulateSeed } from './simulate-seed.ts';
import { startSeeds } from './start-seeds.ts';

const SEEDS = 150;
/** Seeds that have found mistakes which nobody planted. */
const TELLING_SEEDS = [780, 1074, 1305, 2745, 3302];
const QUICKLY_FOUND = [
  'publishes-without-owning',
  'drops-a-failed-cut',
  'forgets-ids-at-a-restart',
  'does-not-restore-rule-states',
  'forgets-what-a-former-life-has-not-told',
] as const satisfies BugName[];
const QUICKLY = 60;

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('aggregators on a model log and a model store', { timeout: 180_000 }, () => {
  test('what they leave is that of one undisturbed pass, whatever fails', async () => {
    const result = await runSeeds([...range(1, SEEDS), ...TELLING_SEEDS]);
    expect(describeFailures(result)).toBe('');
    // So that nobody makes the runs so tame that they prove nothing.
    expect(result.publications).toBeGreaterThan(20 * SEEDS);
    expect(result.alerts).toBeGreaterThan(10 * SEEDS);
    for (const kind of [
      'crash',
      'stall',
      'restart',
      'rebalance',
      'storeOutage',
      'brokerOutage',
      'clockStep',
      'batch sent twice',
      'leap in time',
    ]) {
      expect(result.faults[kind], kind).toBeGreaterThan(10);
    }
  });

  test.each([3, 17, 42])('seed %i gives the same trace twice', async (seed) => {
    const [first, second] = [await simulateSeed(seed), await simulateSeed(seed)];
    expect(second.trace).toBe(first.trace);
    expect(second.steps).toBe(first.steps);
  });

  test('two seeds do not give the same trace', async () => {
    const [first, second] = [await simulateSeed(3), await simulateSeed(4)];
    expect(second.trace).not.toBe(first.trace);
  });
});

describe('planted bugs', () => {
  test.each(Object.keys(PLANTED_BUGS) as BugName[])('%s fits the code it is for', (name) => {
    expect(withBug(name)).toContain(PLANTED_BUGS[name].becomes);
  });

  test.each(QUICKLY_FOUND)('%s is found', { timeout: 180_000 }, async (bug) => {
    const result = await startSeeds({ from: 1, seeds: QUICKLY, processes: 1, bug, untilFound: true });
    expect(result.failed).toBe(1);
  });
});
