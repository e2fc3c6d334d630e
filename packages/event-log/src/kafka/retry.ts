import { EventLogError } from '../event-log.ts';
import type { Cluster } from './cluster.ts';
import { BrokerError } from './protocol/broker-error.ts';

/** Waits between two tries: short, so that a broker that is back is used again at once, and growing, so that one that is not is left alone. */
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 500;

export class Backoff {
  #nextMs = BACKOFF_MIN_MS;

  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(BACKOFF_MAX_MS, ms * 2);
    return ms;
  }

  reset(): void {
    this.#nextMs = BACKOFF_MIN_MS;
  }
}

export function isRetriable(cause: unknown): boolean {
  if (cause instanceof BrokerError) return cause.kind === 'retry' || cause.kind === 'refresh';
  // An answer that made no sense came over a connection that is closed by now: the next may be whole.
  return cause instanceof EventLogError && (cause.code === 'io' || cause.code === 'corrupt');
}

/** What is told to whoever called us: our own errors as they are, those of a broker in the port's words. */
export function asLogError(cause: unknown, what: string): EventLogError {
  if (cause instanceof EventLogError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof BrokerError && cause.kind === 'refused' ? 'refused' : 'io';
  return new EventLogError(code, `${what}: ${why}`, { cause });
}

/**
 * Tries until it succeeds, fails for good, or `untilMs` (by `performance.now`) has come.
 * @throws EventLogError
 */
export async function retrying<T>(
  cluster: Cluster,
  { what, untilMs, onRetry }: { readonly what: string; readonly untilMs: number; readonly onRetry?: (cause: unknown) => void },
  attempt: () => Promise<T>,
): Promise<T> {
  const backoff = new Backoff();
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      const pauseMs = backoff.next();
      if (!isRetriable(cause) || performance.now() + pauseMs > untilMs) throw asLogError(cause, what);
      onRetry?.(cause);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await cluster.refresh().catch(() => {});
    }
  }
}
