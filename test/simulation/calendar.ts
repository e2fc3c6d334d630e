import type { Timeline } from './timeline.ts';

/** The time of day that log and hosts agree on. It goes with virtual time, and jumps ahead to the dates of what is appended. */
export class Calendar {
  readonly #timeline: Timeline;
  #base: number;
  #setAt = 0;

  constructor(timeline: Timeline, start: number) {
    this.#timeline = timeline;
    this.#base = start;
  }

  /** Epoch ms. */
  now(): number {
    return Math.floor(this.#base + this.#timeline.now - this.#setAt);
  }

  /** It is this late at least. */
  advanceTo(time: number): void {
    if (time <= this.now()) return;
    this.#base = time;
    this.#setAt = this.#timeline.now;
  }
}
