import type { Scheduler } from '@touchstone/runtime';
import type { Intake } from './intake.ts';

/** A rebalance that moves a partition away and back again takes seconds; a process that stays away this long is better off without it. */
const KEPT_MS = 60_000;

/**
 * What is left of partitions that were taken away: in case they come back soon, it spares the restore. Nothing that a new owner does can make
 * it wrong, as ledgers follow from the log alone; it is only behind.
 */
export class KeptPartitions {
  readonly #scheduler: Scheduler;
  readonly #kept = new Map<number, { readonly intake: Intake; readonly cancel: () => void }>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get intakes(): Intake[] {
    return [...this.#kept.values()].map(({ intake }) => intake);
  }

  keep(intake: Intake): void {
    const { partition } = intake;
    this.#kept.get(partition)?.cancel();
    const cancel = this.#scheduler.after(KEPT_MS, () => void this.#kept.delete(partition));
    this.#kept.set(partition, { intake, cancel });
  }

  take(partition: number): Intake | undefined {
    const kept = this.#kept.get(partition);
    kept?.cancel();
    this.#kept.delete(partition);
    return kept?.intake;
  }

  clear(): void {
    for (const { cancel } of this.#kept.values()) cancel();
    this.#kept.clear();
  }
}
