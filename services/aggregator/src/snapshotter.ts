import type { SnapshotOrigin, Snapshots } from '@touchstone/recovery';
import type { Logger, Metrics, Scheduler } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

/** Of one partition: a second of replay at most. */
const RECORDS_BETWEEN_MIN = 250_000;
/** Large ledgers are written less often: about as many bytes as the log took for the records since. */
const BYTES_A_RECORD = 100;
/** A process that is to stop has ten seconds for all it does. */
const STOP_MS_MAX = 4000;

interface SnapshotterOptions {
  /** Null when none are kept. */
  readonly snapshots: Snapshots | null;
  readonly intakes: () => Iterable<Intake>;
  readonly dedupeHorizonMs: number;
  readonly creativeDays: number;
  /** Runs a step while no block is applied in the partition. */
  readonly whileStill: (partition: number, step: () => Promise<void>) => Promise<void>;
  /** Makes everything applied so far durable. */
  readonly checkpoint: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
}

interface Taken {
  readonly modelVersion: string;
  readonly position: number;
  readonly bytes: number;
}

/**
 * Writes snapshots of the ledgers as records come, one partition at a time, so that a start replays little. What can't be written is not:
 * a start replays more then.
 */
export class Snapshotter {
  readonly #options: SnapshotterOptions;
  /** The newest snapshot of each partition. */
  readonly #taken = new Map<number, Taken>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: SnapshotterOptions) {
    this.#options = options;
  }

  /** A snapshot with these ledgers was found. */
  remember(partition: number, taken: Taken): void {
    this.#taken.set(partition, taken);
  }

  /** Writes the snapshot that is due the most, if one is. */
  async look(): Promise<void> {
    const due = [...this.#options.intakes()]
      .map((intake) => ({ intake, over: this.#recordsSince(intake) - this.#recordsBetween(intake) }))
      .sort((one, other) => other.over - one.over)[0];
    if (due !== undefined && due.over >= 0) await this.#inTurn(() => this.#take(due.intake, this.#options.checkpoint));
  }

  /** Writes all that have changed, when everything is stored and nothing more will be applied. */
  async takeAll(): Promise<void> {
    const { intakes, scheduler } = this.#options;
    const startedAt = scheduler.elapsed();
    for (const intake of intakes()) {
      if (scheduler.elapsed() - startedAt > STOP_MS_MAX) return;
      if (this.#recordsSince(intake) > 0) await this.#inTurn(() => this.#take(intake, async () => {}));
    }
  }

  #recordsSince({ ledgers, partition }: Intake): number {
    const taken = this.#taken.get(partition);
    return ledgers.position - (taken?.modelVersion === ledgers.model.version ? taken.position : 0);
  }

  #recordsBetween({ partition }: Intake): number {
    return Math.max(RECORDS_BETWEEN_MIN, (this.#taken.get(partition)?.bytes ?? 0) / BYTES_A_RECORD);
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#running = this.#running.then(step);
    return this.#running;
  }

  async #take({ generation, ledgers, partition }: Intake, untilStored: () => Promise<void>): Promise<void> {
    const { creativeDays, dedupeHorizonMs, logger, metrics, scheduler, snapshots, whileStill } = this.#options;
    if (snapshots === null) return;
    const { model, position } = ledgers;
    const origin: SnapshotOrigin = { partition, generation, model, dedupeHorizonMs, creativeDays };
    // Remembered whatever comes of it: what can't be written now is tried again no sooner than the next one would be.
    const taken = { modelVersion: model.version, position, bytes: this.#taken.get(partition)?.bytes ?? 0 };
    this.#taken.set(partition, taken);
    try {
      const bytes = await snapshots.write(ledgers, origin, {
        whileStill: (step) => whileStill(partition, step),
        untilStored,
        breathe: () => scheduler.breathe(),
      });
      this.#taken.set(partition, { ...taken, bytes });
      metrics.count('snapshots_total', { outcome: 'written' });
    } catch (err) {
      metrics.count('snapshots_total', { outcome: 'failed' });
      logger.warn({ err, partition }, 'a snapshot of the ledgers was not written; a start has more to replay');
    }
  }
}
