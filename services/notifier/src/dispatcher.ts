import { randomBytes } from 'node:crypto';
import type { Alert } from '@touchstone/engine';
import { repeat, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type DeliveryRow, type NotificationStore } from '@touchstone/store';
import type { Attempt } from './attempt.ts';
import { createDeliveryWriter, type SaveDeliveries } from './delivery-writer.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointBook } from './endpoint-book.ts';
import { EndpointWorker } from './endpoint-worker.ts';
import type { Sender } from './send-request.ts';

/** How often the store is asked how much is pending: for the gauge, and for what another process left there. */
const COUNT_INTERVAL_MS = 30_000;
/** What happened longer ago is counted no more: the count is asked for too often to go over all that was ever sent. */
const COUNTED_MS = 30 * 86_400_000;

/** Messages in memory, of all endpoints together and of each: some hundred bytes, and a kilobyte of text that those of one alert share. */
const QUEUED_MAX = 50_000;
const QUEUE_MAX = 10_000;

export interface DispatcherOptions {
  readonly store: Pick<NotificationStore, 'pendingDeliveries' | 'pendingCounts' | 'saveDeliveries'>;
  readonly book: EndpointBook;
  readonly sender: Sender;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly onFatal: (cause: unknown) => void;
}

/** Hands messages to the worker of their endpoint, and keeps a worker for each endpoint there is. */
export class Dispatcher {
  /** Stores rows, together with what others store at the moment. */
  readonly save: SaveDeliveries;
  readonly #options: DispatcherOptions;
  readonly #workers = new Map<string, EndpointWorker>();
  readonly #partitions = new Set<number>();
  readonly #leaving = new Set<Promise<void>>();
  #pending: ReadonlyMap<string, number> = new Map();
  #counts: { stop(): void } | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.save = createDeliveryWriter(options);
    options.book.onChange(() => this.#followBook());
    options.metrics.beforeScrape(() => this.#setGauges());
  }

  start(): void {
    const { logger, onFatal, scheduler } = this.#options;
    this.#followBook();
    this.#counts = repeat({
      scheduler,
      intervalMs: COUNT_INTERVAL_MS,
      step: () => this.#count(),
      onRetry: (err) => logger.warn({ err }, 'pending messages could not be counted; it is tried again'),
      onFault: onFatal,
    });
  }

  /** From now on this process sends what is pending in the partition. */
  assign(partition: number): void {
    this.#partitions.add(partition);
    for (const worker of this.#workers.values()) worker.lookForMore(0);
  }

  revoke(partition: number): void {
    this.#partitions.delete(partition);
    for (const worker of this.#workers.values()) worker.dropPartition(partition);
  }

  /**
   * Takes messages that are, or will be, stored as pending. Those of endpoints that are gone stay where they are.
   * @param saved resolves once they are stored
   */
  take(rows: readonly DeliveryRow[], saved: Promise<void>): void {
    for (const [endpointId, some] of Map.groupBy(rows, (row) => row.endpointId)) this.#workers.get(endpointId)?.add(some, saved);
  }

  /** One attempt to send the alert as a test, whatever state the endpoint is in. */
  async sendTest(endpoint: Endpoint, alert: Alert): Promise<{ readonly id: string; readonly attempt: Attempt }> {
    const now = this.#options.scheduler.now();
    const id = `tst_${randomBytes(16).toString('hex')}`;
    const worker = this.#workers.get(endpoint.id) ?? this.#createWorker(endpoint);
    const attempt = await worker.sendTest({
      endpointId: endpoint.id,
      at: now,
      id,
      revision: 0,
      kind: 'test',
      partition: 0,
      owner: alert.owner,
      state: 'pending',
      takenAt: now,
      nextAttemptAt: now,
      attempts: 0,
      attemptLog: '[]',
      payload: JSON.stringify({ ...alert, id, at: now }),
    });
    return { id, attempt };
  }

  /** Begins no more; resolves when what is under way has ended and is stored. */
  async stop(): Promise<void> {
    this.#counts?.stop();
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    await Promise.all(this.#leaving);
  }

  #followBook(): void {
    const { book } = this.#options;
    for (const endpoint of book.all) {
      const worker = this.#workers.get(endpoint.id);
      if (worker !== undefined) {
        worker.change(endpoint);
        continue;
      }
      const created = this.#createWorker(endpoint);
      this.#workers.set(endpoint.id, created);
      if (this.#partitions.size > 0) created.lookForMore(0);
    }
    for (const [id, worker] of this.#workers) {
      if (book.get(id) !== null) continue;
      this.#workers.delete(id);
      const left = worker.stop().finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
  }

  #createWorker(endpoint: Endpoint): EndpointWorker {
    return new EndpointWorker(endpoint, {
      ...this.#options,
      save: this.save,
      partitions: this.#partitions,
      queueMax: () => Math.min(QUEUE_MAX, Math.ceil(QUEUED_MAX / this.#workers.size)),
      onGone: (endpointId) => this.#disable(endpointId),
    });
  }

  #disable(endpointId: string): void {
    const { book, logger } = this.#options;
    const url = book.get(endpointId)?.url;
    logger.warn({ endpointId }, 'the receiver answered 410 Gone: the endpoint is disabled');
    book
      // Another process may have given it another URL, which has not answered yet.
      .change(endpointId, (now) => (now.url === url ? { state: 'disabled', stateReason: 'the receiver answered 410 Gone' } : {}))
      // Asked again, it will say the same.
      .catch((err: unknown) => logger.error({ err, endpointId }, 'the endpoint could not be disabled'));
  }

  async #count(): Promise<void> {
    const { metrics, scheduler, store } = this.#options;
    const from = Math.floor(scheduler.now()) - COUNTED_MS;
    try {
      this.#pending = await store.pendingCounts([...this.#partitions], from);
    } catch (cause) {
      if (cause instanceof StoreError) metrics.count('store_errors_total', { code: cause.code });
      throw cause;
    }
    for (const [endpointId, worker] of this.#workers) {
      if ((this.#pending.get(endpointId) ?? 0) > worker.held) worker.lookForMore(from);
    }
  }

  #setGauges(): void {
    const { metrics } = this.#options;
    const states = { active: 0, failing: 0, disabled: 0 };
    let pending = 0;
    for (const [endpointId, worker] of this.#workers) {
      states[worker.state]++;
      pending += Math.max(worker.held, this.#pending.get(endpointId) ?? 0);
    }
    for (const [state, count] of Object.entries(states)) metrics.set('alert_endpoints', { state }, count);
    metrics.set('alert_deliveries_pending', {}, pending);
  }
}
