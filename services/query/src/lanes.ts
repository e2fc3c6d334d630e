import { ProblemError } from '@touchstone/runtime';

export interface LaneOptions {
  /** Done at a time. */
  readonly lanes: number;
  /** Waiting for a lane; who comes when so many wait is sent away. */
  readonly waitingMax: number;
}

/** Bounds what is expensive: so much of it at a time, the others in turn. */
export class Lanes {
  readonly #options: LaneOptions;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** @throws ProblemError `unavailable` when too many wait */
  async run<Result>(step: () => Promise<Result>): Promise<Result> {
    if (this.#taken === this.#options.lanes) await this.#wait();
    else this.#taken++;
    try {
      return await step();
    } finally {
      const next = this.#waiting.shift();
      // The lane goes from one to the other.
      if (next === undefined) this.#taken--;
      else next();
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#options.waitingMax) {
      throw new ProblemError('unavailable', 'too many such answers are waited for right now', { headers: { 'retry-after': '1' } });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
