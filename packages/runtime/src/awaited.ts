import type { Readiness } from './health-routes.ts';
import type { Logger } from './logger.ts';
import { ProblemError } from './problem.ts';
import { persist } from './retry.ts';
import type { Scheduler } from './scheduler.ts';

export interface AwaitedOptions {
  /** For people: `the log`, `the store`. */
  readonly name: string;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
}

/**
 * Something a process can not work without, such as the log, and waits for at its start however long that takes: it listens meanwhile and
 * says what it waits for, in its log and in /readyz, since who starts many processes at once can not choose their order.
 */
export class Awaited<Part> {
  readonly #options: AwaitedOptions;
  #part: Part | null = null;
  #detail: string;

  constructor(options: AwaitedOptions) {
    this.#options = options;
    this.#detail = `waits for ${options.name}`;
  }

  /**
   * Asks until it is there, with growing pauses.
   * @throws what asking again can not mend
   */
  async open(step: () => Promise<Part>): Promise<Part> {
    const { logger, name, scheduler } = this.#options;
    const part = await persist({
      scheduler,
      step,
      onRetry: (err, failures, pauseMs) => {
        this.#detail = `waits for ${name}: ${err instanceof Error ? err.message : String(err)}`;
        logger.warn({ err, failures, pauseMs }, `${name} can not be reached yet; it is tried again`);
      },
    });
    this.#part = part;
    this.#detail = `${name} is there`;
    return part;
  }

  /** @throws ProblemError `not_ready` before it is there */
  get part(): Part {
    if (this.#part === null) throw new ProblemError('not_ready', this.#detail, { headers: { 'retry-after': '1' } });
    return this.#part;
  }

  /** The same, or null before it is there. */
  get opened(): Part | null {
    return this.#part;
  }

  readiness(): Readiness {
    return { ready: this.#part !== null, detail: this.#detail };
  }
}
