import type { Scheduler } from '@touchstone/runtime';
import type { Random } from '../support/random.ts';
import type { Calendar } from './calendar.ts';
import type { Timeline } from './timeline.ts';

interface Held {
  readonly run: () => void;
  readonly isTimer: boolean;
}

/** In which order what was held back comes, when a process that stood still goes on. */
export type WakeOrder = 'as due' | 'timers first' | 'any';

interface HostOptions {
  readonly name: string;
  readonly timeline: Timeline;
  readonly calendar: Calendar;
  readonly random: Random;
  readonly wakeOrder: WakeOrder;
  /** Milliseconds to stand still for right before a request leaves; 0 for not at all. */
  readonly stallBeforeSendMs: () => number;
}

/**
 * One life of a process: it is given time, timers and answers, as long as it lives and does not stand still. What is due while it stands still
 * comes all at once afterwards, as after SIGCONT or a long pause of the garbage collector.
 */
export class Host implements Scheduler {
  readonly name: string;
  /** By how much its wall clock is wrong, in milliseconds. */
  clockErrorMs = 0;
  isDead = false;
  readonly #options: HostOptions;
  #stalledUntil = 0;
  #held: Held[] = [];

  constructor(options: HostOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get isStalled(): boolean {
    return this.#options.timeline.now < this.#stalledUntil;
  }

  now(): number {
    return this.#options.calendar.now() + this.clockErrorMs;
  }

  elapsed(): number {
    return this.#options.timeline.now;
  }

  random(): number {
    return this.#options.random();
  }

  after(ms: number, run: () => void): () => void {
    let isCancelled = false;
    this.#options.timeline.after(Math.max(1, ms), () => this.#enter({ run: () => isCancelled || run(), isTimer: true }));
    return () => {
      isCancelled = true;
    };
  }

  breathe(): Promise<void> {
    return new Promise((resolve) => this.receive(0, resolve));
  }

  /** Something reaches the process from outside. */
  receive(afterMs: number, run: () => void): void {
    this.#options.timeline.after(afterMs, () => this.#enter({ run, isTimer: false }));
  }

  /** Something leaves the process: at once, unless it comes to a stand before. */
  send(run: () => void): void {
    const stallMs = this.#options.stallBeforeSendMs();
    if (stallMs > 0) this.stall(stallMs);
    if (this.isStalled) this.#held.push({ run, isTimer: false });
    else run();
  }

  stall(ms: number): void {
    const { timeline } = this.#options;
    if (this.isDead) return;
    this.#stalledUntil = Math.max(this.#stalledUntil, timeline.now + ms);
    timeline.after(ms, () => this.#wake());
  }

  /** Goes on at once. */
  resume(): void {
    this.#stalledUntil = 0;
    this.#wake();
  }

  kill(): void {
    this.isDead = true;
    this.#held = [];
  }

  #enter(held: Held): void {
    if (this.isDead) return;
    if (this.isStalled) {
      this.#held.push(held);
      return;
    }
    this.#options.timeline.isTouched = true;
    held.run();
  }

  #wake(): void {
    if (this.isDead || this.isStalled) return;
    const held = this.#held;
    this.#held = [];
    for (const each of this.#inOrder(held)) this.#options.timeline.after(0, () => this.#enter(each));
  }

  #inOrder(held: readonly Held[]): readonly Held[] {
    switch (this.#options.wakeOrder) {
      case 'as due':
        return held;
      case 'timers first':
        return [...held.filter(({ isTimer }) => isTimer), ...held.filter(({ isTimer }) => !isTimer)];
      case 'any':
        return this.#options.random.shuffle(held);
    }
  }
}
