import { sleep, type Scheduler } from './scheduler.ts';

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 5000;

/** Whether the same call may succeed later. What does not say so is a fault: it must stop the process, not loop. */
export function isRetriable(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'retriable' in cause && cause.retriable === true;
}

/** How long to wait after so many failures in a row: twice as long each time, and never all at the same moment. */
export function pauseMsAfter(failures: number, scheduler: Scheduler): number {
  const most = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return most * (0.5 + scheduler.random() / 2);
}

interface Persisted<Result> {
  readonly scheduler: Scheduler;
  readonly step: () => Promise<Result>;
  /** Told of each failure that may pass. It may throw, to give up. */
  readonly onRetry: (cause: unknown, failures: number, pauseMs: number) => void;
}

/** Runs a step until it succeeds, with growing pauses; what can't pass by itself is thrown at once. */
export async function persist<Result>({ onRetry, scheduler, step }: Persisted<Result>): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await step();
    } catch (cause) {
      if (!isRetriable(cause)) throw cause;
      const pauseMs = pauseMsAfter(failures, scheduler);
      onRetry(cause, failures, pauseMs);
      await sleep(scheduler, pauseMs);
    }
  }
}

interface Repeated {
  readonly scheduler: Scheduler;
  readonly intervalMs: number;
  readonly step: () => Promise<void>;
  readonly onRetry: (cause: unknown, pauseMs: number) => void;
  readonly onFault: (cause: unknown) => void;
  /** How long to rest after a step that went well, at least. Asked after each. */
  readonly restMs?: (() => number) | undefined;
}

/** Between two steps there is at least this part of the interval: one that takes longer than that must not take all of the time. */
const REST_SHARE = 0.1;

/**
 * Runs a step again and again, begun an interval after the one before, and never before that has ended; after a failure that may pass, with
 * growing pauses.
 */
export function repeat({ intervalMs, onFault, onRetry, restMs, scheduler, step }: Repeated): { stop(): void } {
  let cancel: () => void;
  let isStopped = false;
  let failures = 0;

  async function turn(): Promise<void> {
    let waitMs = intervalMs;
    const startedAt = scheduler.elapsed();
    try {
      await step();
      failures = 0;
      waitMs = Math.max(intervalMs * REST_SHARE, intervalMs - (scheduler.elapsed() - startedAt), restMs?.() ?? 0);
    } catch (cause) {
      if (isStopped) return;
      if (!isRetriable(cause)) {
        onFault(cause);
        return;
      }
      failures++;
      waitMs = Math.max(intervalMs, pauseMsAfter(failures, scheduler));
      onRetry(cause, waitMs);
    }
    if (!isStopped) schedule(waitMs);
  }

  function schedule(ms: number): void {
    cancel = scheduler.after(ms, () => void turn());
  }

  schedule(intervalMs);
  return {
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
