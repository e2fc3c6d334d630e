import { encodeAlert } from '@touchstone/codec';
import type { Alert } from '@touchstone/engine';
import { ALERTS_TOPIC, type EventLog, type OutgoingRecord } from '@touchstone/event-log';
import type { Metrics } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import type { AlertQueue } from './alert-queue.ts';
import type { Intake } from './intake.ts';

/** In one append: about a megabyte, and few enough that others get a turn between two. */
const ALERTS_PER_APPEND = 1000;

interface PublisherOptions {
  readonly intakes: () => Iterable<Intake>;
  readonly log: Pick<EventLog, 'append'>;
  readonly store: Pick<Store, 'transitions'>;
  readonly metrics: Metrics;
  /** Whether the partition is ours to tell of. While it is not, alerts gather. */
  readonly mayTell: (partition: number) => boolean;
}

const encoder = new TextEncoder();

/**
 * Tells alerts, one publication at a time, those of a partition in the order they happened. Unlike scores they are told while a backlog is
 * worked off as well: an alert has an id that is always the same, so that one that was told before is no step back for anybody.
 */
export class AlertPublisher {
  readonly #options: PublisherOptions;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Tells every alert that has happened so far in the partitions that are ours; resolves once all of them are durable on the log. After a
   * failure the rest is kept, in order, for the next time.
   * @returns the partitions of which all is told now
   */
  publish(): Promise<ReadonlySet<number>> {
    const publication = this.#running.then(() => this.#tellAll());
    this.#running = publication.catch(() => {});
    return publication;
  }

  async #tellAll(): Promise<ReadonlySet<number>> {
    // The partitions together: each append waits for the disk.
    const told = await Promise.allSettled(
      [...this.#options.intakes()].map(async (intake) => ((await this.#tell(intake)) ? [intake.partition] : [])),
    );
    // The next publication begins when all of this one has ended, however it did.
    return new Set(
      told.flatMap((one) => {
        if (one.status === 'rejected') throw one.reason;
        return one.value;
      }),
    );
  }

  /** @returns whether all that waits by now is told */
  async #tell({ partition, untold }: Intake): Promise<boolean> {
    const { end } = untold;
    if (!(await this.#tellStored(partition, untold))) return false;
    for (;;) {
      const some = untold.first(ALERTS_PER_APPEND, end);
      const alerts = some.map(({ alert }) => alert);
      if (!(await this.#append(partition, alerts))) return false;
      if (some.length === 0) return true;
      untold.dropThrough(some.at(-1)!.number);
    }
  }

  /** @returns whether all of them are told */
  async #tellStored(partition: number, untold: AlertQueue): Promise<boolean> {
    const { stored } = untold;
    if (stored === null) return true;
    if (!this.#options.mayTell(partition)) return false;
    for await (const page of this.#options.store.transitions(partition, stored.from, stored.before)) {
      const alerts = page.filter(({ isHeld }) => !isHeld).map(({ alert }) => alert);
      if (!(await this.#append(partition, alerts))) return false;
      // A page may end amid the transitions of an offset: those are told again if the next page fails.
      stored.from = Math.max(stored.from, page.at(-1)!.offset);
    }
    untold.stored = null;
    return true;
  }

  /** @returns false when they are not ours to tell any more */
  async #append(partition: number, alerts: readonly Alert[]): Promise<boolean> {
    const { log, mayTell, metrics } = this.#options;
    if (!mayTell(partition)) return false;
    if (alerts.length === 0) return true;
    const records = alerts.map((alert): OutgoingRecord => ({ key: encoder.encode(alert.accountId), value: encodeAlert(alert), partition }));
    await log.append(ALERTS_TOPIC, records);
    for (const { type } of alerts) metrics.count('alerts_published_total', { type });
    return true;
  }
}
