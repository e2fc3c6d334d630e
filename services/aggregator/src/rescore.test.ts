import { LedgerSet } from '@touchstone/engine';
import { createLogger, systemScheduler } from '@touchstone/runtime';
import { expect, it } from 'vitest';
import { BlockGate } from './block-gate.ts';
import { payLooks } from './pay-looks.ts';
import { rescore } from './rescore.ts';
import { ACCOUNTS, seenModel, touchedIntake } from './test-intake.ts';

it('tells of the takeover as it happens, before a partition may leave while looks are paid', async () => {
  const intakes = new Map([0, 1].map((partition) => [partition, touchedIntake(partition)]));
  const ledgers = new LedgerSet();
  ledgers.replace([...intakes.values()].map((intake) => intake.ledgers));
  const gate = new BlockGate();
  const told: { offsets: object; served: string[]; owing: number; isShut: boolean }[] = [];
  await rescore(seenModel, {
    intakes,
    ledgers,
    store: { async *replay() {} } as never,
    logger: createLogger({ service: 'test', level: 'silent' }),
    scheduler: systemScheduler,
    dedupeHorizonMs: 1,
    creativeDays: 0,
    assertCurrent() {},
    checkpoint: async () => {},
    whileHeld: (step) => gate.whileShut(step),
    keepHeld: (partition, until) => gate.keepShutTo(partition, until),
    onTakeover: (offsets) =>
      told.push({
        offsets: Object.fromEntries(offsets),
        served: [...ledgers.partitions].map(({ model }) => model.version),
        owing: [...ledgers.partitions].filter(({ alerts }) => alerts.owesLooks).length,
        isShut: gate.isShutTo(2),
      }),
    payLooks: async (intake) => void (await payLooks(intake, { breathe: () => systemScheduler.breathe() })),
  });
  expect(told).toEqual([{ offsets: { 0: ACCOUNTS, 1: ACCOUNTS }, served: [seenModel.version, seenModel.version], owing: 2, isShut: true }]);
  expect([...ledgers.partitions].some(({ alerts }) => alerts.owesLooks)).toBe(false);
});
