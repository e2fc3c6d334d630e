/**
 * Time and chance, as the parts that run by themselves get them. The running system has the machine's; a simulation puts a clock of its own in
 * place, so that a seed decides all that happens.
 */
export interface Scheduler {
  /** Wall clock, epoch ms. */
  now(): number;
  /** Milliseconds of a clock that is never set, from an unknown beginning. */
  elapsed(): number;
  /** Calls `run` once after so many milliseconds, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;
  /** Lets timers and sockets have their turn. */
  breathe(): Promise<void>;
  /** At least 0 and less than 1. */
  random(): number;
}

export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
  random: () => Math.random(),
};

export function sleep(scheduler: Scheduler, ms: number): Promise<void> {
  return new Promise((resolve) => void scheduler.after(ms, resolve));
}
