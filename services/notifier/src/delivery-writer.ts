import { persist, sleep, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type DeliveryRow, type NotificationStore } from '@touchstone/store';
import { keyText } from './take-alerts.ts';

/** Between the beginnings of two inserts: what comes meanwhile goes into one, and a message that is sent meanwhile needs one row and not two. */
const GATHERED_MS = 100;

export interface DeliveryWriterOptions {
  readonly store: Pick<NotificationStore, 'saveDeliveries'>;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Resolves once the rows would survive a power cut. While the store is away it waits. @throws what asking again can not mend */
export type SaveDeliveries = (rows: readonly DeliveryRow[]) => Promise<void>;

/**
 * Stores what became of messages. An insert costs the same for one row as for a hundred, and the store runs one at a time for all there is, so what
 * comes of all endpoints soon after an insert began, or while it is under way, is gathered for the next. Nothing is bounded here: whoever sends without waiting bounds
 * what is not stored.
 */
export function createDeliveryWriter({ logger, metrics, scheduler, store }: DeliveryWriterOptions): SaveDeliveries {
  /** Of several revisions of a message only the last is of any use. */
  let waiting = new Map<string, DeliveryRow>();
  let next: Promise<void> | null = null;
  let last: Promise<unknown> = Promise.resolve();

  let begunAt = -Infinity;

  async function write(): Promise<void> {
    const pauseMs = begunAt + GATHERED_MS - scheduler.elapsed();
    if (pauseMs > 0) await sleep(scheduler, Math.ceil(pauseMs));
    begunAt = scheduler.elapsed();
    const rows = [...waiting.values()];
    waiting = new Map();
    next = null;
    await persist({
      scheduler,
      step: () => store.saveDeliveries(rows),
      onRetry: (err) => {
        if (err instanceof StoreError) metrics.count('store_errors_total', { code: err.code });
        logger.warn({ err, deliveries: rows.length }, 'deliveries could not be stored; it is tried again');
      },
    });
  }

  return function saveDeliveries(rows) {
    if (rows.length === 0) return Promise.resolve();
    for (const row of rows) {
      const key = keyText(row);
      const other = waiting.get(key);
      if (other === undefined || other.revision <= row.revision) waiting.set(key, row);
    }
    if (next === null) {
      next = last.then(write, write);
      last = next;
      last.catch(() => {});
    }
    return next;
  };
}
