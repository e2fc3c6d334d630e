import { describe, expect, test } from 'vitest';
import { createRandom } from '../support/random.ts';
import { undisturbed } from './options.ts';
import { withBug } from './plant-bug.ts';
import { PLANTED_BUGS, type BugName } from './planted-bugs.ts';
import { loggedWithRules, transitionsFrom } from './restore-anywhere.ts';
import { describeFailures, runSeeds } from './run-seeds.ts';
import { simulateSeed } from './simulate-seed.ts';
import { startSeeds } from './start-seeds.ts';

const SEEDS = 150;
/** Seeds that have found mistakes which nobody planted. */
const TELLING_SEEDS = [780, 782, 941, 1074, 1089, 1305, 2745, 3302];
const QUICKLY_FOUND = [
  'publishes-without-owning',
  'drops-a-failed-cut',
  'forgets-ids-at-a-restart',
  'does-not-restore-rule-states',
  'forgets-what-a-former-life-has-not-told',
] as const satisfies BugName[];
const QUICKLY = 60;
const STARTED_MS = 8000;

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

describe('rules', { timeout: 180_000 }, () => {
  test('come to the same wherever a restore begins', () => {
    let transitions = 0;
    // Two of them found what a restore did not know.
    for (const seed of [...range(1, 25), 31, 148]) {
      const random = createRandom(seed);
      const { expected, options } = loggedWithRules(seed, random);
      for (const one of expected) {
        transitions += one.transitions.length;
        for (let nth = 0; nth < 4; nth++) {
          const position = random.whole(1, one.outcomes.length);
          const found = transitionsFrom(position, one, options.dedupeHorizonMs);
          const left = one.transitions.filter(({ offset }) => offset >= position);
          expect(found, `seed ${seed}, partition ${one.partition} from ${position}`).toEqual(left);
        }
      }
    }
    expect(transitions).toBeGreaterThan(2500);
  });

  test('that time alone turns are told within a second, though nothing arrives', async () => {
    const delays: number[] = [];
    for (const seed of range(1, 40)) {
      const { timers, violations } = await simulateSeed(seed, { options: undisturbed(seed) });
      expect(violations, `seed ${seed}`).toEqual([]);
      // By then every process has started, and the partitions stay where they are.
      delays.push(...timers.filter(({ atMs }) => atMs > STARTED_MS).map(({ delayMs }) => delayMs));
    }
    expect(delays.length).toBeGreaterThan(500);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(1000);
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
