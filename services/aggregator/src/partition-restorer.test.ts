import { createLogger, createMetrics, systemScheduler } from '@touchstone/runtime';
import { expect, it } from 'vitest';
import { PartitionRestorer } from './partition-restorer.ts';
import { accountScoring } from './scoring-job.ts';
import { ACCOUNTS, owingIntake, seenModel } from './test-intake.ts';

/** Of a log and a store that say no more than where the partition is. */
function restorerOf(hasRoom: ConstructorParameters<typeof PartitionRestorer>[0]['hasRoom']): PartitionRestorer {
  const extents = async () => [{ partition: 0, start: 0, end: ACCOUNTS, generation: 'g' }];
  const positions = async () => new Map([[0, { partition: 0, generation: 'g', offset: ACCOUNTS }]]);
  return new PartitionRestorer({
    log: { extents, committed: async () => new Map() } as never,
    store: { positions, models: async () => [] } as never,
    job: accountScoring,
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics: createMetrics(),
    scheduler: systemScheduler,
    dedupeHorizonMs: 1,
    creativeDays: 0,
    hasRoom,
    snapshots: null,
  });
}

const BYTES_MAX = 100_000;

it('leaves the looks that there is no room for, by what the partition has gathered itself, to whoever holds it', async () => {
  const kept = owingIntake();
  const restorer = restorerOf((intake) => intake.pendingBytes <= BYTES_MAX);
  const { intake } = await restorer.restore({ partition: 0, model: seenModel, kept, assertWanted() {} });
  expect(intake).toBe(kept);
  expect(intake.ledgers.alerts.owesLooks).toBe(true);
  expect(intake.pendingBytes).toBeGreaterThan(BYTES_MAX);
  expect(intake.pendingBytes).toBeLessThan(4 * BYTES_MAX);
});

it('pays all looks where there is room', async () => {
  const { intake } = await restorerOf(() => true).restore({ partition: 0, model: seenModel, kept: owingIntake(), assertWanted() {} });
  expect([intake.ledgers.alerts.owesLooks, intake.untold.end]).toEqual([false, ACCOUNTS]);
});
