const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 5000;

/** Whether the same call may succeed later. What does not say so is a fault: it must stop the process, not loop. */
export function isRetriable(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'retriable' in cause && cause.retriable === true;
}

/** How long to wait after so many failures in a row: twice as long each time, and never all at the same moment. */
export function pauseMsAfter(failures: number): number {
  const most = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return most * (0.5 + Math.random() / 2);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

interface Repeated {
  readonly intervalMs: number;
  readonly step: () => Promise<void>;
  readonly onRetry: (cause: unknown, pauseMs: number) => void;
  readonly onFault: (cause: unknown) => void;
}

/** Runs a step again and again, each time after the one before has ended; after a failure that may pass, with growing pauses. */
export function repeat({ intervalMs, onFault, onRetry, step }: Repeated): { stop(): void } {
  let timer: NodeJS.Timeout;
  let isStopped = false;
  let failures = 0;

  async function turn(): Promise<void> {
    let waitMs = intervalMs;
    try {
      await step();
      failures = 0;
    } catch (cause) {
      if (isStopped) return;
      if (!isRetriable(cause)) {
        onFault(cause);
        return;
      }
      failures++;
      waitMs = Math.max(intervalMs, pauseMsAfter(failures));
      onRetry(cause, waitMs);
    }
    if (!isStopped) schedule(waitMs);
  }

  function schedule(ms: number): void {
    timer = setTimeout(() => void turn(), ms);
  }

  schedule(intervalMs);
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
