/**
 * The part of a timeout for which we trust in it. The rest is for the broker's clock and ours running at different speeds, and for what is
 * done between asking whether a partition is owned and the end of what that allowed.
 */
const TRUSTED_PART = 2 / 3;

/**
 * How long a member may take its partitions for its own without hearing from the group again. Times are of one monotonic clock, in ms, and are
 * those at which a request was sent that succeeded: its answer may have been on its way for long.
 *
 * The group gives partitions to others once it has not heard of us for the session timeout, or once a rebalance has gone on without us for the
 * rebalance timeout. When a rebalance began is not known: after the last answer that knew of none.
 */
export class Lease {
  readonly #sessionTimeoutMs: number;
  readonly #rebalanceTimeoutMs: number;
  #heardAt = -Infinity;
  #settledAt = -Infinity;

  constructor(sessionTimeoutMs: number, rebalanceTimeoutMs: number) {
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#rebalanceTimeoutMs = rebalanceTimeoutMs;
  }

  /** The group has us in its present generation. */
  settled(sentAt: number): void {
    this.#settledAt = Math.max(this.#settledAt, sentAt);
    this.#heardAt = Math.max(this.#heardAt, sentAt);
  }

  /** The group has us, and waits for its members to join again. */
  rebalancing(sentAt: number): void {
    this.#heardAt = Math.max(this.#heardAt, sentAt);
  }

  /** What was trusted in is known to be wrong. */
  end(): void {
    this.#heardAt = -Infinity;
    this.#settledAt = -Infinity;
  }

  holds(now: number): boolean {
    return now < this.#until;
  }

  /** Whether it ran out so long ago that waiting for the broker to take us back has no point. */
  abandoned(now: number): boolean {
    return now >= this.#until + this.#sessionTimeoutMs;
  }

  get #until(): number {
    return Math.min(this.#heardAt + this.#sessionTimeoutMs * TRUSTED_PART, this.#settledAt + this.#rebalanceTimeoutMs * TRUSTED_PART);
  }
}
