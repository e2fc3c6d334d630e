import type { Random } from '../support/random.ts';
import type { FaultCounts } from './faults.ts';
import type { Host } from './host.ts';
import type { Timeline } from './timeline.ts';

/** How a connection may fail, as probabilities of a call. */
export interface LinkFaults {
  /** The request is lost: nothing happens, the caller hears of an error. */
  readonly lostBefore: number;
  /** The answer is lost: it has happened, the caller hears of an error. */
  readonly lostAfter: number;
  /** The request arrives after the caller has given it up. */
  readonly late: number;
  /** It takes seconds. */
  readonly slow: number;
}

export const NO_LINK_FAULTS: LinkFaults = { lostBefore: 0, lostAfter: 0, late: 0, slow: 0 };

interface LinkOptions {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly counts: FaultCounts;
  /** Names the other side in the counts of faults. */
  readonly to: string;
  readonly latencyMs: number;
  readonly timeoutMs: number;
  readonly faults: () => LinkFaults;
  /** Whether the other side does not answer anybody. */
  readonly isDown: () => boolean;
  /** What the caller hears when it can't know what has happened. */
  readonly lost: (why: string) => Error;
}

const SLOW_MS_MAX = 4000;

/** A connection from a host to something that all hosts share. */
export class Link {
  readonly #host: Host;
  readonly #options: LinkOptions;

  constructor(host: Host, options: LinkOptions) {
    this.#host = host;
    this.#options = options;
  }

  /**
   * Does something on the other side and gives back what it returned, or rejects with what it threw.
   * @param interrupted what a request that breaks off half way leaves on the other side
   */
  call<T>(effect: (isLate: boolean) => T, interrupted?: () => void): Promise<T> {
    return new Promise((resolve, reject) => this.#host.send(() => this.#send(effect, interrupted, resolve, reject)));
  }

  #send<T>(
    effect: (isLate: boolean) => T,
    interrupted: (() => void) | undefined,
    resolve: (value: T) => void,
    reject: (cause: unknown) => void,
  ): void {
    const { counts, isDown, random, timeline, timeoutMs, to } = this.#options;
    const fail = (afterMs: number, why: string): void => this.#host.receive(afterMs, () => reject(this.#options.lost(why)));
    const fate = this.#drawFate();
    if (fate !== 'none') counts.add(`${to} ${fate}`);
    if (fate === 'lost before') {
      if (interrupted !== undefined && random.chance(0.5)) timeline.after(this.#latency(), () => isDown() || interrupted());
      fail(random.chance(0.5) ? this.#latency() : timeoutMs, 'the request was lost');
      return;
    }
    let arrivesAfter = this.#latency();
    if (fate === 'slow') arrivesAfter += random() * SLOW_MS_MAX;
    if (fate === 'late') arrivesAfter = timeoutMs + random() * SLOW_MS_MAX;
    const hasGivenUp = arrivesAfter > timeoutMs;
    if (hasGivenUp) {
      fail(timeoutMs, 'no answer came in time');
      counts.underWay++;
    }
    timeline.after(arrivesAfter, () => {
      if (hasGivenUp) counts.underWay--;
      // A process that died may have left the request in its buffers.
      if (this.#host.isDead && random.chance(0.5)) return;
      if (isDown()) {
        counts.add(`${to} away`);
        if (!hasGivenUp) fail(random.chance(0.7) ? this.#latency() : timeoutMs, 'it does not answer');
        return;
      }
      try {
        const value = effect(hasGivenUp);
        if (fate === 'lost after') fail(timeoutMs, 'the answer was lost');
        else if (!hasGivenUp) this.#host.receive(this.#latency(), () => resolve(value));
      } catch (cause) {
        if (!hasGivenUp) this.#host.receive(this.#latency(), () => reject(cause));
      }
    });
  }

  #drawFate(): 'none' | 'lost before' | 'lost after' | 'late' | 'slow' {
    const faults = this.#options.faults();
    let drawn = this.#options.random();
    if ((drawn -= faults.lostBefore) < 0) return 'lost before';
    if ((drawn -= faults.lostAfter) < 0) return 'lost after';
    if ((drawn -= faults.late) < 0) return 'late';
    return drawn < faults.slow ? 'slow' : 'none';
  }

  #latency(): number {
    return this.#options.latencyMs * (0.2 + this.#options.random());
  }
}
