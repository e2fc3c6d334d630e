import type { EventLog, Subscription } from '@touchstone/event-log';
import { createLogger, createMetrics, systemScheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import { afterEach, expect, it } from 'vitest';
import { Aggregator } from './aggregator.ts';
import { accountScoring } from './scoring-job.ts';
import { ACCOUNTS, seenModel, touchedBlock } from './test-intake.ts';

const running: Aggregator[] = [];
afterEach(async () => {
  for (const aggregator of running.splice(0)) await aggregator.stop();
});

/** A partition whose stored touches were never looked at under the model in force, with another touch behind them. */
function aggregatorOf(pendingBytesMax: number) {
  const cuts: { offset: number; transitions: number }[] = [];
  const faults: unknown[] = [];
  let handled: Promise<void> = Promise.resolve();
  const store = {
    touchRows: () => ({ count: 0, byteLength: 0, add() {} }),
    positions: async () => new Map([[0, { partition: 0, generation: 'g', offset: ACCOUNTS }]]),
    models: async () => [{ partition: 0, offset: 0, appendedAt: 0, model: seenModel }],
    async *replay() {
      const run = accountScoring.openRun(0);
      run.open(touchedBlock(0, 0, ACCOUNTS));
      yield run;
    },
    async *ruleStates() {},
    async *transitions() {},
    saveScores: async () => {},
    async checkpoint(checkpoints) {
      for (const { offset, transitions } of checkpoints) cuts.push({ offset, transitions: transitions.length });
    },
  } satisfies Partial<Store> as unknown as Store;
  const subscription = {
    assigned: new Set([0]),
    owns: () => true,
    commit: async () => {},
    stop: async () => {},
  } satisfies Partial<Subscription> as unknown as Subscription;
  const log = {
    extents: async () => [{ partition: 0, start: 0, end: ACCOUNTS + 1, generation: 'g' }],
    committed: async () => new Map(),
    append: async () => {},
    async subscribe({ onAssigned, onBlock }) {
      const assigned = Promise.resolve(onAssigned(0));
      // The log tells who owns what before it hands over a block.
      handled = assigned.then(() => new Promise((resolve) => setImmediate(resolve))).then(() => onBlock(touchedBlock(0, ACCOUNTS, 1)));
      return subscription;
    },
  } satisfies Partial<EventLog> as unknown as EventLog;
  const aggregator = new Aggregator({
    log,
    store,
    metrics: createMetrics(),
    logger: createLogger({ service: 'test', level: 'silent' }),
    scheduler: systemScheduler,
    onFatal: (cause) => faults.push(cause),
    publishIntervalMs: 60_000,
    checkpointIntervalMs: 60_000,
    dedupeHorizonMs: 3_600_000,
    creativeDays: 0,
    pendingBytesMax,
  });
  running.push(aggregator);
  return { aggregator, cuts, faults, handled: () => handled };
}

it('looks at the accounts that a restore has no room for once the partition is held, and lets no block pass before', async () => {
  const { aggregator, cuts, faults, handled } = aggregatorOf(100_000);
  await aggregator.prepare();
  await aggregator.start();
  await handled();
  expect(aggregator.ledgers.of(0)!.position).toBe(ACCOUNTS + 1);
  const before = cuts.filter(({ offset }) => offset === ACCOUNTS);
  expect(before.length).toBeGreaterThan(2);
  expect(Math.max(...before.map(({ transitions }) => transitions))).toBeLessThan(ACCOUNTS / 2);
  expect(before.reduce((sum, { transitions }) => sum + transitions, 0)).toBeGreaterThan(ACCOUNTS / 2);
  expect(faults).toEqual([]);
});

it('stores the end of a backlog at once', async () => {
  const { aggregator, cuts, faults, handled } = aggregatorOf(100_000_000);
  await aggregator.prepare();
  await aggregator.start();
  await handled();
  await expect.poll(() => cuts.map(({ offset }) => offset)).toContain(ACCOUNTS + 1);
  expect(faults).toEqual([]);
});
