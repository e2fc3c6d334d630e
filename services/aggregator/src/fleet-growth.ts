import { encodeClockTick } from '@touchstone/codec';
import type { EventLog } from '@touchstone/event-log';
import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const WEEKS_BEFORE = 3;

interface TellerOptions {
  readonly store: Pick<Store, 'countTouches'>;
  readonly log: Pick<EventLog, 'append' | 'partitionCount'>;
  readonly topic: string;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  /** Whether it is for us to tell: one process does, and only where a rule asks for it. */
  readonly isOurs: () => boolean;
}

/**
 * Tells every partition once an hour how the touches of all accounts grow. It comes from outside of any partition, so it enters each as a record
 * of its own: a replay has it where it stood.
 */
export class FleetGrowthTeller {
  readonly #options: TellerOptions;
  #toldHour = -1;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const { isOurs, log, metrics, scheduler, store, topic } = this.#options;
    const now = scheduler.now();
    const hour = Math.floor(now / HOUR_MS);
    if (hour === this.#toldHour || !isOurs()) return;
    const fleetGrowth = await fleetGrowthAt(store, now);
    if (fleetGrowth !== null && isOurs()) {
      const value = encodeClockTick({ writtenAt: now, fleetGrowth });
      const partitions = log.partitionCount(topic);
      await log.append(
        topic,
        Array.from({ length: partitions }, (_, partition) => ({ key: null, value, partition })),
      );
      metrics.count('clock_ticks_total', {}, partitions);
    }
    this.#toldHour = hour;
  }
}

/**
 * Touches of the last seven days over the weekly mean of the three weeks before; null when those have none. The weeks end with today, a UTC
 * day, as those of an account's figures do.
 */
export async function fleetGrowthAt(store: Pick<Store, 'countTouches'>, now: number): Promise<number | null> {
  const from = Math.floor(now / DAY_MS) * DAY_MS + DAY_MS - WEEK_MS;
  const before = await store.countTouches(from - WEEKS_BEFORE * WEEK_MS, from);
  if (before === 0) return null;
  return (await store.countTouches(from, from + WEEK_MS)) / (before / WEEKS_BEFORE);
}
