import type { Timeline } from './timeline.ts';

/** The time of day that log and hosts agree on. It goes with virtual time, and jumps ahead to the dates of what is appended. */
export class Calendar {
  readonly #timeline: Timeline;
  #base: number;
  #setAt = 0;
  /** Since when in virtual time it goes on from where, one after another. */
  readonly #legs: { readonly at: number; readonly from: number }[];

  constructor(timeline: Timeline, start: number) {
    this.#timeline = timeline;
    this.#base = start;
    this.#legs = [{ at: 0, from: start }];
  }

  /** Epoch ms. */
  now(): number {
    return Math.floor(this.#base + this.#timeline.now - this.#setAt);
  }

  /** It is this late at least. */
  advanceTo(time: number): void {
    if (time <= this.now()) return;
    this.#legs.push({ at: this.#timeline.now, from: time });
    this.#base = time;
    this.#setAt = this.#timeline.now;
  }

  /** Virtual time at which it was so late. */
  reachedAt(time: number): number {
    for (const [index, { at, from }] of this.#legs.entries()) {
      const reached = at + Math.max(0, time - from);
      if (reached < (this.#legs[index + 1]?.at ?? Infinity)) return reached;
    }
    throw new RangeError(`${time} is not reached`);
  }
}
