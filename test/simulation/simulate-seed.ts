import { EVENTS_TOPIC } from '@touchstone/event-log';
import { createRandom } from '../support/random.ts';
import { startChaos } from './chaos.ts';
import { strikeDisaster } from './disasters.ts';
import type { FaultCounts } from './faults.ts';
import { wrongAtTheEnd } from './final-state.ts';
import { drawOptions, type SimulationOptions } from './options.ts';
import { produce } from './producer.ts';
import { runUntil } from './run-until.ts';
import { ScoreReader } from './score-reader.ts';
import { System } from './system.ts';
import { makeWork, type Work } from './workload.ts';

export interface SeedResult {
  readonly options: SimulationOptions;
  /** What must never be and was; empty when all is well. */
  readonly violations: readonly string[];
  /** Equal for equal runs. */
  readonly trace: string;
  readonly steps: number;
  readonly virtualMs: number;
  readonly faults: FaultCounts;
  /** Records that were on the log. */
  readonly records: number;
  /** Scores that were published. */
  readonly publications: number;
  /** Alerts that were told, each once. */
  readonly alerts: number;
  /** Of alerts that time alone made: when in virtual time that was, and how long after it they were told first. */
  readonly timers: readonly { readonly atMs: number; readonly delayMs: number }[];
}

/** After the faults everything must have drained within this much virtual time. */
const DRAIN_MS_MAX = 150_000;
const LOOK_MS = 100;
const START_MS_MAX = 2000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface SimulateOptions {
  /** Drawn by the seed when absent. */
  readonly options?: SimulationOptions;
  /** Told everything that happens, as text. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs aggregators on a virtual clock, a model log and a model store: first with faults, then without until everything has drained. The seed
 * decides all that happens.
 */
export async function simulateSeed(seed: number, { onLine, options = drawOptions(seed) }: SimulateOptions = {}): Promise<SeedResult> {
  const work = makeWork(options, createRandom(~seed));
  const system = new System(options, work[0]!.appendedAt);
  system.trace.onLine = onLine ?? null;
  const { counts, instances, random, timeline, trace, watcher } = system;
  const isWrong = (): boolean => watcher.violations.length > 0;

  for (const instance of instances) timeline.after(random() * START_MS_MAX, () => instance.start());
  startChaos(system);
  startLeaps(system);
  const isProduced = startProducer(system, work);
  const reader = startReader(system);
  await runUntil(timeline, () => timeline.now >= options.faultsMs || isWrong());

  trace.note('the faults are over');
  for (const instance of instances) instance.recover();
  if (options.disaster !== null && !isWrong()) {
    await runUntil(timeline, () => isProduced() && counts.underWay === 0);
    counts.add(`log ${options.disaster}${await strikeDisaster(options.disaster, system)}`);
  } else if (!isWrong()) {
    await drain(system, isProduced);
    if (!isWrong()) for (const wrong of wrongAtTheEnd(system, reader)) watcher.violate(wrong);
  }
  return {
    options,
    violations: watcher.violations,
    trace: trace.hash,
    steps: timeline.steps,
    virtualMs: timeline.now,
    faults: counts,
    records: system.expected.reduce((sum, { outcomes }) => sum + outcomes.length, 0),
    publications: watcher.publications.length,
    timers: timersOf(system),
    alerts: watcher.alertsTold.reduce((sum, { size }) => sum + size, 0),
  };
}

function timersOf({ calendar, expected, watcher }: System): SeedResult['timers'] {
  return expected.flatMap(({ alerts, partition }) =>
    [...alerts].flatMap(([id, { transition }]) => {
      const toldMs = watcher.alertsTold[partition]!.get(id);
      if (transition.alert.cause !== 'decay' || toldMs === undefined) return [];
      const atMs = calendar.reachedAt(transition.alert.at);
      return [{ atMs, delayMs: toldMs - atMs }];
    }),
  );
}

/** Some of them after the faults. */
function startLeaps({ calendar, counts, options, random, timeline, trace }: System): void {
  for (let leap = 0; leap < options.leaps; leap++) {
    timeline.after(random() * options.faultsMs * 1.3, () => {
      counts.add('leap in time');
      trace.note('leap in time');
      calendar.advanceTo(calendar.now() + random.whole(1, random.pick([HOUR_MS, DAY_MS, 30 * DAY_MS])));
    });
  }
}

/** @returns whether all work has been appended */
function startProducer(system: System, work: readonly Work[]): () => boolean {
  const { expected, trace, watcher } = system;
  let isProduced = false;
  const host = system.makeHost('producer');
  host.receive(0, () => {
    const producing = produce(work, system, {
      host,
      link: system.logLink(host),
      onAppended(appended) {
        trace.note('events', appended.partition.index, appended.baseOffset, appended.records.length);
        if (!watcher.isAfterDisaster) expected[appended.partition.index]!.add(appended);
      },
    });
    void producing.then(() => {
      isProduced = true;
    });
  });
  return () => isProduced;
}

function startReader(system: System): ScoreReader {
  const reader = new ScoreReader(system.watcher);
  const host = system.makeHost('reader');
  host.receive(0, () => void reader.start(system.makeLog(host)));
  return reader;
}

/** Until all is stored, published and committed, and still so after a while: then whatever was on its way has arrived. */
async function drain(
  { broker, counts, expected, instances, options, timeline, watcher }: System,
  isProduced: () => boolean,
): Promise<void> {
  const partitions = broker.partitionsOf(EVENTS_TOPIC);
  const calmMs = 3 * options.publishIntervalMs + 2 * options.checkpointIntervalMs;
  const endsAt = timeline.now + DRAIN_MS_MAX;
  const isDrained = (): boolean =>
    isProduced() &&
    counts.underWay === 0 &&
    partitions.every(({ end, index }) => watcher.committedBelow[index] === end && watcher.storedBelow[index] === end) &&
    expected.every(({ partition }) => instances.some((instance) => instance.owns(partition))) &&
    // Whoever stood still may not have heard yet that others have its partitions.
    expected.every(({ partition }) => instances.filter((instance) => instance.holds(partition)).length === 1) &&
    instances.every((instance) => instance.isSettled);

  let drainedAt = Infinity;
  let isOver = false;
  timeline.after(0, function look() {
    drainedAt = isDrained() ? Math.min(drainedAt, timeline.now) : Infinity;
    isOver = timeline.now - drainedAt >= calmMs || timeline.now > endsAt || watcher.violations.length > 0;
    if (!isOver) timeline.after(LOOK_MS, look);
  });
  await runUntil(timeline, () => isOver);
  if (drainedAt < Infinity || watcher.violations.length > 0) return;
  const left = partitions.map(
    ({ end, index }) => `${index}: end ${end}, stored ${watcher.storedBelow[index]!}, committed ${watcher.committedBelow[index]!}`,
  );
  const states = instances.map(({ aggregator }) => aggregator?.readiness().detail ?? 'down');
  watcher.violate(`not drained ${DRAIN_MS_MAX / 1000} s after the last fault: ${left.join('; ')}; ${states.join(', ')}`);
}
