import { encodeClockTick } from '@touchstone/codec';
import type { ClockTick } from '@touchstone/engine';
import type { EventLog } from '@touchstone/event-log';
import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

/** Between two looks, and so between two ticks of a partition at least. */
export const TICK_INTERVAL_MS = 200;
/** Where our clock goes ahead of the log's, a tick may come too early to make anything happen: the next one waits longer, this long at most. */
const PAUSE_MS_MAX = 1000;
/** A tick that has not come back by then is given up: the append may have been lost. */
const RETURN_MS_MAX = 5000;

interface TickerOptions {
  readonly intakes: () => Iterable<Intake>;
  readonly owns: (partition: number) => boolean;
  readonly topic: string;
  readonly log: Pick<EventLog, 'append'>;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
}

interface Sent {
  readonly intake: Intake;
  /** The tick last applied before this one was sent. */
  readonly former: ClockTick | null;
  readonly dueAt: number;
  readonly elapsed: number;
  readonly pauseMs: number;
}

/**
 * Lets time pass where nothing arrives. What is due by time alone happens when a record is applied, so that every replay has it happen at the
 * same place; where it is due and no record comes, the partition's owner appends one that says nothing but that.
 */
export class ClockTicker {
  readonly #options: TickerOptions;
  /** The last tick sent to each partition. */
  readonly #sent = new Map<number, Sent>();

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  /** Appends a tick to each partition in which something is due. */
  async look(): Promise<void> {
    const { intakes, log, metrics, scheduler, topic } = this.#options;
    const due = [...intakes()].filter((intake) => this.#isDue(intake));
    if (due.length === 0) return;
    const value = encodeClockTick({ writtenAt: scheduler.now(), fleetGrowth: null });
    await log.append(
      topic,
      due.map(({ partition }) => ({ key: null, value, partition })),
    );
    metrics.count('clock_ticks_total', {}, due.length);
  }

  #isDue(intake: Intake): boolean {
    const { owns, scheduler } = this.#options;
    const { lastTick, ledgers, partition } = intake;
    // In a backlog everything is due by our clock, and comes about by the records that wait.
    if (!ledgers.alerts.hasRules || !intake.isCaughtUp || !owns(partition)) return false;
    const dueAt = ledgers.alerts.nextDueAt();
    if (dueAt > scheduler.now()) return false;
    const elapsed = scheduler.elapsed();
    const sent = this.#sent.get(partition);
    let pauseMs = TICK_INTERVAL_MS;
    if (sent?.intake === intake) {
      const passed = elapsed - sent.elapsed;
      if (sent.former === lastTick && passed < RETURN_MS_MAX) return false;
      if (passed < sent.pauseMs) return false;
      // It came back and nothing happened.
      if (sent.dueAt === dueAt) pauseMs = Math.min(PAUSE_MS_MAX, sent.pauseMs * 2);
    }
    this.#sent.set(partition, { intake, former: lastTick, dueAt, elapsed, pauseMs });
    return true;
  }
}
