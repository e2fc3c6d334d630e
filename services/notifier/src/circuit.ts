/**
 * Whether an endpoint is worth a try: after a few failures in a row it is left alone for a while, then asked with a single message.
 *
 *     closed --failures in a row, or "not now" from the receiver--> open --its time is over--> one try --2xx--> closed
 *                                                                    ^------------ any failure ----'
 *
 * What waits meanwhile uses up none of its attempts. How many tries are under way at once grows with what is taken, as TCP's slow start (RFC 5681)
 * does it: who answers soon is soon sent as much as it takes, and one that is dead from the beginning holds few connections until that is known.
 */

const LANES_FIRST = 4;
const FAILURES_TO_OPEN = 3;
const PAUSE_FIRST_MS = 5000;
const PAUSE_MAX_MS = 300_000;

export class Circuit {
  #failures = 0;
  #openUntil = 0;
  #lanes = LANES_FIRST;

  /** The last attempt failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** When the next try may begin, epoch ms. */
  get opensAt(): number {
    return this.#openUntil;
  }

  /** How many tries may be under way at once. */
  lanes(now: number, most: number): number {
    if (now < this.#openUntil) return 0;
    return this.#openUntil === 0 ? Math.min(most, this.#lanes) : 1;
  }

  /** @param beganAt of the try; one from before it opened says nothing of what the receiver asked for since */
  succeeded(beganAt: number): void {
    // While it is open none begins.
    if (beganAt < this.#openUntil) return;
    this.close();
    this.#lanes++;
  }

  /** The endpoint is another now: what was before says nothing. */
  close(): void {
    this.#failures = 0;
    this.#openUntil = 0;
  }

  /** @param pauseMs what the receiver asks for; it asks for none with 0, and null says that it does not ask for a pause at all */
  failed(now: number, pauseMs: number | null): void {
    // Tries that were under way when it opened say nothing new.
    const isNews = now >= this.#openUntil;
    if (isNews) this.#failures++;
    if (pauseMs === null && this.#failures < FAILURES_TO_OPEN) return;
    this.#lanes = LANES_FIRST;
    const own = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** Math.min(10, Math.max(0, this.#failures - FAILURES_TO_OPEN)));
    if (isNews) this.#openUntil = now + own;
    this.#openUntil = Math.max(this.#openUntil, now + (pauseMs ?? 0));
  }
}
