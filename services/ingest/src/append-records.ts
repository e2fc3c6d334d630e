import { EVENT_LOG_ERRORS, EventLogError, type EventLog, type EventLogErrorCode, type OutgoingRecord } from '@touchstone/event-log';
import { ProblemError, type Metrics } from '@touchstone/runtime';

export interface AppendTarget {
  readonly log: Pick<EventLog, 'append' | 'partitionCount'>;
  readonly topic: string;
  readonly metrics: Metrics;
}

/** Seconds after which it is worth sending again, for what passes by itself or may be mended. */
const RETRY_AFTER_S: Partial<Record<EventLogErrorCode, number>> = { backlogged: 1, io: 2, closed: 5, disk_full: 30 };

/**
 * Appends the records, all or none, and resolves once they are durable.
 * @throws ProblemError `unavailable`, with Retry-After: the client may send the same body again. Any other error is a fault of ours
 */
export async function appendRecords({ log, topic, metrics }: AppendTarget, records: readonly OutgoingRecord[]): Promise<void> {
  const start = performance.now();
  try {
    await log.append(topic, records);
  } catch (cause) {
    if (!(cause instanceof EventLogError)) throw cause;
    metrics.count('log_errors_total', { code: cause.code });
    const seconds = RETRY_AFTER_S[cause.code];
    if (seconds === undefined) throw cause;
    throw new ProblemError('unavailable', EVENT_LOG_ERRORS[cause.code].means, { cause, headers: { 'retry-after': String(seconds) } });
  }
  metrics.observe('log_append_seconds', {}, (performance.now() - start) / 1000);
}
