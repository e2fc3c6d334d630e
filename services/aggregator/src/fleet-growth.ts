import { encodeClockTick } from '@touchstone/codec';
import type { EventLog } from '@touchstone/event-log';
import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const WEEKS_BEFORE = 3;

/** Growth is told in what the rule compares: a webinar lifts everybody's minutes, and hardly their touches. */
export type GrowthMetric = 'touches' | 'minutes';

interface TellerOptions {
  readonly store: Pick<Store, 'touchTotals'>;
  readonly log: Pick<EventLog, 'append' | 'partitionCount'>;
  readonly topic: string;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  /** Whether it is for us to tell: one process does. */
  readonly isOurs: () => boolean;
  /** What the rule in force compares; null where no rule asks for growth. */
  readonly metric: () => GrowthMetric | null;
}

/**
 * Tells every partition once an hour how the touches or minutes of all accounts grow, and at once when a rule asks for the other. It comes from outside of any partition, so it enters each as a record
 * of its own: a replay has it where it stood.
 */
export class FleetGrowthTeller {
  readonly #options: TellerOptions;
  #toldHour = -1;
  #toldMetric: GrowthMetric | null = null;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const { isOurs, log, metric: metricInForce, metrics, scheduler, store, topic } = this.#options;
    const now = scheduler.now();
    const hour = Math.floor(now / HOUR_MS);
    const metric = metricInForce();
    if (metric === null || (hour === this.#toldHour && metric === this.#toldMetric) || !isOurs()) return;
    const fleetGrowth = await fleetGrowthAt(store, metric, now);
    if (isOurs()) {
      const value = encodeClockTick({ writtenAt: now, fleetGrowth });
      const partitions = log.partitionCount(topic);
      await log.append(
        topic,
        Array.from({ length: partitions }, (_, partition) => ({ key: null, value, partition })),
      );
      metrics.count('clock_ticks_total', {}, partitions);
    }
    this.#toldHour = hour;
    this.#toldMetric = metric;
  }
}

/**
 * Touches or minutes of the last seven days over the weekly mean of the three weeks before; 1 when those have none, so that what was told
 * before does not stay in force. The weeks end with today, a UTC day, as those of an account's figures do.
 */
export async function fleetGrowthAt(store: Pick<Store, 'touchTotals'>, metric: GrowthMetric, now: number): Promise<number> {
  const from = Math.floor(now / DAY_MS) * DAY_MS + DAY_MS - WEEK_MS;
  const before = (await store.touchTotals(from - WEEKS_BEFORE * WEEK_MS, from))[metric];
  if (before === 0) return 1;
  return (await store.touchTotals(from, from + WEEK_MS))[metric] / (before / WEEKS_BEFORE);
}
