import { encodeClockTick } from '@touchstone/codec';
import { defaultModel, PartitionLedgers } from '@touchstone/engine';
import { RecordBlockBuilder, type OutgoingRecord } from '@touchstone/event-log';
import { createMetrics, systemScheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { ClockTicker } from './clock-ticker.ts';
import { FleetGrowthTeller, fleetGrowthAt } from './fleet-growth.ts';
import { Intake } from './intake.ts';
import { accountScoring } from './scoring-job.ts';
import { FakeAlerts } from './test-alerts.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const store = { touchRows: () => ({ count: 0, byteLength: 0, add() {} }) } satisfies Partial<Store>;

function tickerOf(partitions: number) {
  const sent: number[][] = [];
  const clock = { now: NOW, elapsed: 0 };
  const owned = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  const held = [...owned].map((partition) => {
    const alerts = new FakeAlerts();
    const ledgers = Object.assign(new PartitionLedgers(partition, defaultModel), { alerts });
    const run = accountScoring.openRun(partition);
    const modelPublished = defaultModel.version;
    const intake = new Intake({ run, store, ledgers, generation: 'g', models: [], heldUntil: 0, modelPublished });
    return { alerts, intake };
  });
  const ticker = new ClockTicker({
    intakes: () => held.map(({ intake }) => intake),
    owns: (partition) => owned.has(partition),
    topic: 'events',
    log: { append: async (_topic, records) => void sent.push(records.map(({ partition }) => partition!)) },
    metrics: createMetrics({ ofProcess: false }),
    scheduler: { ...systemScheduler, now: () => clock.now, elapsed: () => clock.elapsed },
  });
  const look = async (afterMs: number): Promise<number[][]> => {
    clock.now += afterMs;
    clock.elapsed += afterMs;
    sent.length = 0;
    await ticker.look();
    return [...sent];
  };
  return { clock, held, look, owned };
}

function applyTick(intake: Intake): void {
  const builder = new RecordBlockBuilder();
  builder.append(null, encodeClockTick({ writtenAt: NOW, fleetGrowth: null }));
  const { position } = intake.ledgers;
  intake.apply({
    partition: intake.partition,
    baseOffset: position,
    nextOffset: position + 1,
    count: 1,
    appendedAt: NOW,
    bytes: builder.bytes().slice(),
  });
}

describe('clock ticks', () => {
  it('go to the partitions in which something is due by now, in one append', async () => {
    const { held, look } = tickerOf(4);
    held[1]!.alerts.dueAt = NOW + 200;
    held[3]!.alerts.dueAt = NOW + 100;
    held[2]!.alerts.dueAt = NOW + 201;
    expect(await look(0)).toEqual([]);
    expect(await look(200)).toEqual([[1, 3]]);
  });

  it('go to none that is not ours, or that has a backlog', async () => {
    const { held, look, owned } = tickerOf(2);
    for (const { alerts } of held) alerts.dueAt = NOW;
    owned.delete(0);
    held[1]!.intake.heldUntil = 5;
    expect(await look(0)).toEqual([]);
    held[1]!.intake.heldUntil = 0;
    expect(await look(0)).toEqual([[1]]);
  });

  it('are not repeated until the one before has come back, or is given up', async () => {
    const { held, look } = tickerOf(1);
    const { alerts, intake } = held[0]!;
    alerts.dueAt = NOW;
    expect(await look(0)).toEqual([[0]]);
    expect(await look(2000)).toEqual([]);
    applyTick(intake);
    alerts.dueAt = NOW + 1000;
    expect(await look(200)).toEqual([[0]]);
    expect(await look(4999)).toEqual([]);
    expect(await look(1)).toEqual([[0]]);
  });

  it('come at longer intervals, of a second at most, while they make nothing happen', async () => {
    const { held, look } = tickerOf(1);
    const { alerts, intake } = held[0]!;
    alerts.dueAt = NOW;
    const sentAt: number[] = [];
    for (let at = 0; at <= 5000; at += 200) {
      if ((await look(at === 0 ? 0 : 200)).length === 0) continue;
      sentAt.push(at);
      applyTick(intake);
    }
    expect(sentAt).toEqual([0, 200, 600, 1400, 2400, 3400, 4400]);
  });
});

describe('the growth of all accounts', () => {
  const touchesAt = (times: readonly number[], minutes = (_time: number): number => 0) => ({
    touchTotals: async (from: number, to: number) => {
      const within = times.filter((time) => time >= from && time < to);
      return { touches: within.length, minutes: within.reduce((sum, time) => sum + minutes(time), 0) };
    },
  });
  const DAY_MS = 86_400_000;

  it('is the touches of seven days over the weekly mean of the three weeks before', async () => {
    const today = Math.floor(NOW / DAY_MS) * DAY_MS;
    const first = today - 6 * DAY_MS;
    expect(await fleetGrowthAt(touchesAt([NOW, first, first - 1, first - 21 * DAY_MS]), 'touches', NOW)).toBe(3);
    expect(await fleetGrowthAt(touchesAt([NOW, first, first - 21 * DAY_MS - 1]), 'touches', NOW)).toBe(1);
    expect(await fleetGrowthAt(touchesAt([first - 1]), 'touches', NOW)).toBe(0);
    // One touch a week, and the last lasts six times as long.
    const lasting = touchesAt([NOW, first - 1, first - 8 * DAY_MS, first - 15 * DAY_MS], (time) => (time === NOW ? 60 : 10));
    expect(await fleetGrowthAt(lasting, 'touches', NOW)).toBe(1);
    expect(await fleetGrowthAt(lasting, 'minutes', NOW)).toBe(6);
  });

  it('is told to every partition once an hour, by one process', async () => {
    const sent: (readonly OutgoingRecord[])[] = [];
    const clock: { now: number; isOurs: boolean; metric: 'touches' | 'minutes' | null } = { now: NOW, isOurs: false, metric: 'touches' };
    const teller = new FleetGrowthTeller({
      store: touchesAt([NOW, NOW - 10 * DAY_MS]),
      log: { append: async (_topic, records) => void sent.push(records), partitionCount: () => 3 },
      topic: 'events',
      metrics: createMetrics({ ofProcess: false }),
      scheduler: { ...systemScheduler, now: () => clock.now },
      isOurs: () => clock.isOurs,
      metric: () => clock.metric,
    });
    const look = async (after: number): Promise<number> => {
      clock.now += after;
      await teller.look();
      return sent.splice(0).flat().length;
    };
    expect(await look(0)).toBe(0);
    clock.isOurs = true;
    expect([await look(0), await look(3_599_999), await look(1), await look(0)]).toEqual([3, 0, 3, 0]);
    clock.metric = 'minutes';
    expect([await look(0), await look(0)]).toEqual([3, 0]);
    clock.metric = null;
    expect(await look(3_600_000)).toBe(0);
  });
});
