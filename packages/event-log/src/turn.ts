/** So long blocks are handed over in one turn of the event loop, by all subscriptions together. */
const TURN_MS = 5;

/** Shared by the subscriptions of a log: lets timers and sockets have their turn in the middle of a long backlog. */
export class Turn {
  #startedAt: number | null = null;

  /** Resolves at once as long as there is time left in this turn, else in the next one. */
  async take(): Promise<void> {
    if (this.#startedAt === null) {
      this.#startedAt = performance.now();
      setImmediate(() => (this.#startedAt = null));
    }
    if (performance.now() - this.#startedAt > TURN_MS) await new Promise(setImmediate);
  }
}
