import { LedgerSet, pointsOf, scoringModelSchema } from '@touchstone/engine';
import { createLogger, systemScheduler } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import { BlockGate } from './block-gate.ts';
import { payLooks } from './pay-looks.ts';
import { rescore } from './rescore.ts';
import { accountScoring } from './scoring-job.ts';
import { ACCOUNTS, blockOfTouches, emptyIntake, seenModel, TOUCHED_AT, touchedIntake, type TestTouch } from './test-intake.ts';

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

const HOUR_MS = 3_600_000;
const cappedModel = scoringModelSchema.parse({ version: 'capped', rules: [{ id: 'three', kind: 'meeting', points: 10, dailyCap: 3 }] });
const before: readonly TestTouch[] = [
  { id: 'one', accountId: 'busy' },
  { id: 'two', accountId: 'busy' },
  { id: 'other', accountId: 'calm' },
];
const repeated: TestTouch = { id: 'other', accountId: 'calm' };
const ahead: TestTouch = { id: 'ahead', accountId: 'calm', occurredAt: TOUCHED_AT + 2 * HOUR_MS };

/**
 * Rescores a partition to which touches come while the last round is replayed, the stored ones by a store that holds what was applied and counts.
 * @returns points by account, and whether blocks had to wait for each question to the store
 */
async function rescoreDuring(meanwhile: readonly TestTouch[]) {
  const intake = emptyIntake();
  const ledgers = new LedgerSet();
  ledgers.replace([intake.ledgers]);
  const gate = new BlockGate();
  const stored: { offset: number; touch: TestTouch }[] = [];
  const apply = (touches: readonly TestTouch[]): void => {
    const from = intake.ledgers.position;
    intake.apply(blockOfTouches(0, from, touches));
    // Handed over again, as after a move.
    intake.apply(blockOfTouches(0, from, touches));
    for (const [i, touch] of touches.entries()) if (touch !== repeated && touch !== ahead) stored.push({ offset: from + i, touch });
  };
  apply(before);
  let rounds = 0;
  const waits: boolean[] = [];
  await rescore(cappedModel, {
    intakes: new Map([[0, intake]]),
    ledgers,
    store: {
      async *replay(_partition: number, end: number, { from }: { from: number }) {
        waits.push(gate.isShutTo(0));
        const run = accountScoring.openRun(0);
        for (const { offset, touch } of stored.filter((one) => one.offset >= from && one.offset < end)) {
          run.open(blockOfTouches(0, offset, [touch]));
          yield run;
        }
      },
    } as never,
    logger: createLogger({ service: 'test', level: 'silent' }),
    scheduler: systemScheduler,
    dedupeHorizonMs: 1,
    creativeDays: 0,
    assertCurrent() {},
    async checkpoint() {
      if (++rounds !== 2) return;
      for (const touch of meanwhile) apply([touch]);
    },
    whileHeld: (step) => gate.whileShut(step),
    keepHeld: (partition, until) => gate.keepShutTo(partition, until),
    onTakeover() {},
    payLooks: async (one) => void (await payLooks(one, { breathe: () => systemScheduler.breathe() })),
  });
  return { pointsBy: pointsBy(ledgers), waits };
}

function pointsBy(ledgers: LedgerSet): Record<string, number> {
  const places = ['busy', 'calm', 'new'].map((accountId) => [accountId, ledgers.find(accountId)!] as const);
  return Object.fromEntries(places.map(([accountId, place]) => [accountId, pointsOf(place.ledgers, place.account, TOUCHED_AT)]));
}

/** Had the model been there from the beginning. */
function pointsUnderModel(meanwhile: readonly TestTouch[]): Record<string, number> {
  const intake = emptyIntake(0, cappedModel);
  intake.apply(blockOfTouches(0, 0, [...before, ...meanwhile]));
  const ledgers = new LedgerSet();
  ledgers.replace([intake.ledgers]);
  return pointsBy(ledgers);
}

describe('what comes while the last round is replayed', () => {
  const meanwhile = [
    repeated,
    { id: 'three', accountId: 'busy' },
    ahead,
    { id: 'four', accountId: 'busy' },
    { id: 'five', accountId: 'new' },
  ];

  it('counts under the other model, each touch once and up to the cap, and blocks wait for no answer of the store', async () => {
    const { pointsBy: points, waits } = await rescoreDuring(meanwhile);
    expect(points).toEqual(pointsUnderModel(meanwhile));
    expect(points.busy).toBeCloseTo(30);
    expect(waits).toEqual([false]);
  });

  it('is read from the store when it is too much to keep', async () => {
    const large = Array.from({ length: 700 }, (_, i) => ({
      id: `large-${i}`,
      accountId: 'new',
      url: `https://a.example/${'x'.repeat(1900)}`,
    }));
    const { pointsBy: points, waits } = await rescoreDuring([...meanwhile, ...large]);
    expect(points).toEqual(pointsUnderModel([...meanwhile, ...large]));
    expect(waits).toEqual([false, true]);
  });
});
