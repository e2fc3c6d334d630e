import { encodeClockTick } from '@touchstone/codec';
import { defaultModel, PartitionLedgers, type ClockTick } from '@touchstone/engine';
import { RecordBlockBuilder, type RecordBlock } from '@touchstone/event-log';
import type { Store } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { Intake } from './intake.ts';
import { accountScoring } from './scoring-job.ts';
import { FakeAlerts, transitionOf } from './test-alerts.ts';

const NOW = Date.UTC(2026, 5, 1);

function intakeOf() {
  const alerts = new FakeAlerts();
  const ledgers = Object.assign(new PartitionLedgers(0, defaultModel), { alerts });
  const store = { touchRows: () => ({ count: 0, byteLength: 0, add() {} }) } satisfies Partial<Store>;
  const run = accountScoring.openRun(0);
  const modelPublished = defaultModel.version;
  return { alerts, intake: new Intake({ run, store, ledgers, generation: 'g', models: [], heldUntil: 0, modelPublished }) };
}

function blockOf(baseOffset: number, ticks: readonly ClockTick[]): RecordBlock {
  const builder = new RecordBlockBuilder();
  for (const tick of ticks) builder.append(null, encodeClockTick(tick));
  const bytes = builder.bytes().slice();
  return { partition: 0, baseOffset, nextOffset: baseOffset + ticks.length, count: ticks.length, appendedAt: NOW, bytes };
}

describe('an intake', () => {
  it('stores the ticks that bring growth, and passes over the others', () => {
    const { intake } = intakeOf();
    const [plain, growing] = [
      { writtenAt: NOW, fleetGrowth: null },
      { writtenAt: NOW + 1, fleetGrowth: 1.5 },
    ];
    expect(intake.apply(blockOf(3, [plain, growing, plain]))).toMatchObject({ ticks: 3, facts: 0, setAside: [] });
    expect(intake.lastTick).toEqual(plain);
    expect(intake.pendingBytes).toBeGreaterThan(0);
    const fact = { partition: 0, offset: 4, appendedAt: NOW, fact: { type: 'tick', tick: growing } };
    expect(intake.cut()).toMatchObject({ offset: 6, facts: [fact], touches: { count: 0 } });
  });

  it('cuts what rules came to once, and counts its bytes until then', () => {
    const { alerts, intake } = intakeOf();
    const steps = [
      transitionOf({ step: 1 }),
      transitionOf({ step: 2, isHeld: true }),
      transitionOf({ step: 3, isHeld: true, alert: { direction: 'down' } }),
    ];
    alerts.happen(...steps);
    expect(intake.apply(blockOf(0, [{ writtenAt: NOW, fleetGrowth: null }])).heldBack).toBe(1);
    expect(intake.pendingBytes).toBeGreaterThan(3 * 900);
    expect(intake.cut()?.transitions).toEqual(steps);
    expect([intake.pendingBytes, intake.cut()]).toEqual([0, null]);
    // What is to be told waits by itself.
    expect(intake.untold.first(10, intake.untold.end).map(({ alert }) => alert)).toEqual([steps[0]!.alert]);
  });

  it('keeps dead letters as they came, though the memory of their block is filled again', () => {
    const { intake } = intakeOf();
    const builder = new RecordBlockBuilder();
    builder.append(Buffer.from('a key'), Buffer.from('no record of ours'));
    // As Kafka's adapter hands it over: a `slice` of a Buffer is a view.
    const bytes = Buffer.from(builder.bytes());
    intake.apply({ partition: 0, baseOffset: 0, nextOffset: 1, count: 1, appendedAt: NOW, bytes });
    bytes.fill(0xdb);
    const [letter] = intake.cut()!.deadLetters;
    expect([letter!.key, letter!.value].map((kept) => Buffer.from(kept!).toString())).toEqual(['a key', 'no record of ours']);
  });

  it('knows how many accounts stand where', () => {
    const { alerts, intake } = intakeOf();
    const none = { isHeld: false, lastUpAt: null, since: NOW, heldBack: 0, step: 1, episode: 1 };
    intake.standings.restore([
      { ...none, accountId: 'a', family: 'stage', ruleId: 'stages', isIn: true, stage: 'aware' },
      { ...none, accountId: 'b', family: 'stage', ruleId: 'stages', isIn: true, stage: 'aware' },
      { ...none, accountId: 'b', family: 'mqa', ruleId: 'qualification', isIn: true, stage: null },
      { ...none, accountId: 'c', family: 'mqa', ruleId: 'qualification', isIn: false, stage: null },
      { ...none, accountId: 'c', family: 'threshold', ruleId: 'hot', isIn: true, stage: null },
    ]);
    const { standings } = intake;
    const counts = (): number[] => [standings.inStage('aware'), standings.inStage('open'), standings.qualified];
    expect(counts()).toEqual([2, 0, 1]);
    alerts.happen(
      transitionOf({ alert: { ruleId: 'stages', previousStage: 'aware', currentStage: 'open' } }),
      transitionOf({ alert: { ruleId: 'stages', previousStage: null, currentStage: 'aware' } }),
      transitionOf({ alert: { ruleId: 'qualification' } }),
      transitionOf({ alert: { ruleId: 'hot' } }),
    );
    intake.apply(blockOf(0, []));
    expect(counts()).toEqual([2, 1, 2]);
    alerts.happen(
      transitionOf({ alert: { ruleId: 'stages', direction: 'down', previousStage: 'open', currentStage: null } }),
      transitionOf({ alert: { ruleId: 'qualification', direction: 'down' } }),
    );
    intake.apply(blockOf(0, []));
    expect(counts()).toEqual([2, 0, 1]);
  });
});
