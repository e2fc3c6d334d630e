import type { Scheduler } from '@touchstone/runtime';

/** So long records are applied in one turn of the event loop, by all partitions together: requests wait no longer. */
const TURN_MS = 5;

/** Shares the event loop between whoever applies records and everything else. */
export class Turns {
  readonly #scheduler: Scheduler;
  #startedAt: number | null = null;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Whether this turn's time is used up. The first question in a turn begins its time. */
  get isOver(): boolean {
    if (this.#startedAt === null) {
      this.#startedAt = this.#scheduler.elapsed();
      void this.#scheduler.breathe().then(() => (this.#startedAt = null));
    }
    return this.#scheduler.elapsed() - this.#startedAt > TURN_MS;
  }

  /** Resolves in a turn that has time left. */
  async next(): Promise<void> {
    while (this.isOver) await this.#scheduler.breathe();
  }
}
