import { encodeClockTick, LogRun } from '@touchstone/codec';
import { OUTCOME, PartitionLedgers, type Transition } from '@touchstone/engine';
import { EVENTS_TOPIC, RecordReader, type OutgoingRecord, type RecordBlock } from '@touchstone/event-log';
import { createRandom, type Random } from '../support/random.ts';
import { statesOf } from './database.ts';
import type { ExpectedPartition } from './expected.ts';
import { undisturbed } from './options.ts';
import { System } from './system.ts';
import { makeWork } from './workload.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A log with rules in force and ticks in between, and what one pass of the engine makes of it. */
export function loggedWithRules(seed: number, random: Random): System {
  const options = undisturbed(seed);
  const work = makeWork(options, createRandom(~seed));
  const system = new System(options, work[0]!.appendedAt);
  const { broker, calendar, expected } = system;
  const append = (records: readonly OutgoingRecord[]): void => {
    for (const appended of broker.append(EVENTS_TOPIC, records)) expected[appended.partition.index]!.add(appended);
  };
  for (const { appendedAt, records } of work) {
    calendar.advanceTo(appendedAt);
    append(records);
    if (!random.chance(0.05)) continue;
    calendar.advanceTo(calendar.now() + random.whole(1, random.pick([HOUR_MS, DAY_MS, 10 * DAY_MS])));
    const value = encodeClockTick({ writtenAt: calendar.now(), fleetGrowth: random.chance(0.3) ? random() * 3 : null });
    append(expected.map(({ partition }) => ({ key: null, value, partition })));
  }
  return system;
}

/** The transitions of whoever is restored from what is stored below `position`, and goes on from there with the log. */
export function transitionsFrom(position: number, one: ExpectedPartition, dedupeHorizonMs: number): Transition[] {
  const ledgers = new PartitionLedgers(one.partition, one.modelBelow(0), dedupeHorizonMs);
  const run = new LogRun<RecordBlock>(one.partition, new RecordReader());
  let isRestored = false;
  for (const block of one.blocks) {
    run.open(block);
    while (run.next()) {
      const isStored = run.offset < position;
      if (isStored && !one.isStored(run.offset)) continue;
      if (!isStored && !isRestored) {
        ledgers.settle();
        ledgers.position = position;
        ledgers.alerts.restore(statesOf(one.transitions.filter(({ offset }) => offset < position)));
        isRestored = true;
      }
      if (ledgers.take(run, isStored) === OUTCOME.setAside && isStored) throw new Error(`stored record ${run.offset} is set aside`);
    }
    // Before the run goes on to other bytes.
    ledgers.settle();
  }
  return ledgers.alerts.takeTransitions();
}
