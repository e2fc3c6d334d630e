/** So long blocks are handed over in one turn of the event loop, by all subscriptions together. */
const TURN_MS = 5;

/**
 * Shared by the subscriptions of a log: lets timers and sockets have their turn in the middle of a long backlog. Those who wait are let on one
 * after the other, in the order in which they came, so a turn is longer than `TURN_MS` by one block at most, however many wait; only those who
 * come at the very same moment all find time left.
 */
export class Turn {
  #startedAt: number | null = null;
  readonly #waiting: (() => void)[] = [];

  /** Resolves at once as long as there is time left in this turn and nobody waits, else when it is the caller's turn. */
  async take(): Promise<void> {
    if (this.#startedAt === null) this.#begin();
    if (this.#waiting.length === 0 && this.#isTimeLeft()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (this.#isTimeLeft()) this.#waiting.shift()!();
    await promise;
  }

  #begin(): void {
    this.#startedAt = performance.now();
    setImmediate(() => {
      this.#startedAt = null;
      if (this.#waiting.length === 0) return;
      this.#begin();
      this.#waiting.shift()!();
    });
  }

  #isTimeLeft(): boolean {
    return performance.now() - this.#startedAt! <= TURN_MS;
  }
}
