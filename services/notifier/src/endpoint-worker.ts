import type { Logger, Metrics, Scheduler } from '@touchstone/runtime';
import { StoreError, type DeliveryRow, type NotificationStore } from '@touchstone/store';
import { attemptsOf, judgeAttempt, type Attempt } from './attempt.ts';
import { Circuit } from './circuit.ts';
import { composeMessage } from './compose-message.ts';
import type { SaveDeliveries } from './delivery-writer.ts';
import { DueQueue, keyOf } from './due-queue.ts';
import type { Endpoint } from './endpoint.ts';
import type { Sender } from './send-request.ts';

/** With fewer left, more are fetched from the store while these are sent: else each load ends with a wait for it. */
const QUEUE_LOW = 500;
/** Fetched at once, beside what is known already: a megabyte or two, which is parsed in one turn of the event loop. */
const LOADED_MAX = 1500;
/** In memory for an endpoint that fails: it is sent one message at a time. */
const FAILING_QUEUE_MAX = 500;
/** Messages under way at once, so that a receiver that takes its time is no bottleneck. */
const WEBHOOK_LANES = 16;
/** Slack takes about one message a second by an incoming webhook. */
const SLACK_LANES = 1;
const SLACK_GAP_MS = 1000;
/** The store is not asked more often than this for more that is due, unless it had some: what is behind by thousands would stay behind. */
const LOAD_GAP_MS = 1000;
/** Outcomes that are being stored: after a crash so many messages may be sent again, under their ids. */
const UNSAVED_MAX = 2000;
/** What an endpoint that has failed for so long was never asked about is given up with the rest: the whole schedule takes less. */
const EXPIRES_AFTER_MS = 4 * 24 * 3_600_000;

interface Stored {
  readonly from: number;
  readonly dueAt: number;
}

const NOTHING: Stored = { from: Infinity, dueAt: Infinity };

function both(one: Stored, other: Stored): Stored {
  return { from: Math.min(one.from, other.from), dueAt: Math.min(one.dueAt, other.dueAt) };
}

export interface WorkerOptions {
  readonly store: Pick<NotificationStore, 'pendingDeliveries'>;
  readonly save: SaveDeliveries;
  readonly sender: Pick<Sender, 'send'>;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly publicUrl: string;
  /** How many messages may be in memory. What is more waits in the store. */
  readonly queueMax: () => number;
  /** Partitions of the topic whose messages are ours to send. */
  readonly partitions: ReadonlySet<number>;
  /** The receiver answered that it wants nothing any more. */
  readonly onGone: (endpointId: string) => void;
  readonly onFatal: (cause: unknown) => void;
}

/**
 * Sends an endpoint's messages, each with its own schedule, from a queue of its own: an endpoint that is slow or dead holds up no other. The queue
 * is a window on what is pending in the store, which is asked for more when nothing that is due is left in memory.
 */
export class EndpointWorker {
  readonly #options: WorkerOptions;
  readonly #queue = new DueQueue();
  /** Messages that are being sent, or whose outcome is being stored. */
  readonly #underWay = new Set<string>();
  #sending = 0;
  readonly #circuit = new Circuit();
  readonly #idle: (() => void)[] = [];
  #endpoint: Endpoint;
  /** What failed before, epoch ms, is due: since then the endpoint is another. */
  #changedAt: number;
  /** The store may hold messages that are not in memory: of alerts of this instant or later, the first of them due then; epoch ms. */
  #more = NOTHING;
  #isLoading = false;
  /** What ended since the store was asked: its answer may show that as pending still. */
  readonly #endedWhileLoading = new Set<string>();
  #loadsFrom = 0;
  #nextStartAt = 0;
  #cancelTimer: () => void = () => {};
  #isStopped = false;

  constructor(endpoint: Endpoint, options: WorkerOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    // By the clock of whoever changed it, which may be ahead.
    this.#changedAt = Math.min(endpoint.updatedAt, Math.floor(options.scheduler.now()));
  }

  get state(): 'active' | 'failing' | 'disabled' {
    return this.#endpoint.state === 'disabled' ? 'disabled' : this.#circuit.isFailing ? 'failing' : 'active';
  }

  /** Messages in memory. */
  get held(): number {
    return this.#queue.size + this.#underWay.size;
  }

  /** The endpoint was changed: what fails may work now, so it is tried at once. */
  change(endpoint: Endpoint): void {
    // The book keeps the same object until something is different.
    if (endpoint === this.#endpoint) return;
    this.#endpoint = endpoint;
    this.#changedAt = Math.floor(this.#options.scheduler.now());
    this.#circuit.close();
    for (const row of this.#queue.takeAll()) this.#enqueue(row);
    this.lookForMore(0);
  }

  /** Takes messages that are, or will be, stored as pending. @param saved resolves once they are stored */
  add(rows: readonly DeliveryRow[], saved: Promise<void>): void {
    let more = NOTHING;
    for (const row of rows) more = both(more, this.#enqueue(row));
    // Before that the store does not have what there was no room for.
    if (more.from < Infinity) saved.then(() => this.#lookFor(more), this.#options.onFatal);
    this.#pump();
  }

  /** @param from instant of the oldest alert that may have a message that is not known here */
  lookForMore(from: number): void {
    this.#lookFor({ from, dueAt: 0 });
  }

  #lookFor(more: Stored): void {
    this.#more = both(this.#more, more);
    this.#loadsFrom = 0;
    this.#pump();
  }

  dropPartition(partition: number): void {
    this.#queue.dropPartition(partition);
  }

  /** Begins no more; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer();
    if (this.#underWay.size > 0) await new Promise<void>((resolve) => void this.#idle.push(resolve));
  }

  /** One attempt outside of the queue, whatever state the endpoint is in: its outcome, after it is stored. */
  async sendTest(row: DeliveryRow): Promise<Attempt> {
    const judged = await this.#try(row);
    const ended: DeliveryRow = { ...judged.row, state: judged.outcome === 'delivered' ? 'delivered' : 'failed' };
    await this.#options.save([ended]);
    return attemptsOf(ended).at(-1)!;
  }

  #isKnown(row: DeliveryRow): boolean {
    const key = keyOf(row);
    return this.#underWay.has(key) || this.#endedWhileLoading.has(key) || this.#queue.has(row);
  }

  get #queueMax(): number {
    const most = this.#options.queueMax();
    return this.#circuit.isFailing ? Math.min(most, FAILING_QUEUE_MAX) : most;
  }

  /** What is left to the store, as the queue takes no more. */
  #enqueue(row: DeliveryRow): Stored {
    if (this.#underWay.has(keyOf(row))) return NOTHING;
    const letGo = this.#queue.add(this.#hastened(row), this.#queueMax);
    if (letGo === null) return NOTHING;
    const left = { from: letGo.at, dueAt: letGo.nextAttemptAt };
    this.#more = both(this.#more, left);
    return left;
  }

  /** Whatever its schedule says, what failed before the endpoint was changed is due; that is so after a restart too. */
  #hastened(row: DeliveryRow): DeliveryRow {
    const changedAt = this.#changedAt;
    if (row.attempts === 0 || row.nextAttemptAt <= changedAt) return row;
    return attemptsOf(row).at(-1)!.at < changedAt ? { ...row, nextAttemptAt: changedAt } : row;
  }

  /** Begins what may begin, and comes back when more may. */
  #pump(): void {
    this.#cancelTimer();
    if (this.#isStopped || this.#endpoint.state !== 'active') return;
    const { scheduler } = this.#options;
    const isSlack = this.#endpoint.kind === 'slack';
    const now = scheduler.now();
    this.#dropExpired(now);
    while (
      this.#isDue(now) &&
      now >= this.#nextStartAt &&
      this.#underWay.size < UNSAVED_MAX &&
      this.#sending < this.#circuit.lanes(now, isSlack ? SLACK_LANES : WEBHOOK_LANES)
    ) {
      if (isSlack) this.#nextStartAt = now + SLACK_GAP_MS;
      void this.#send(this.#queue.takeFirst()!);
    }
    if (this.#wantsMore(now) && now >= this.#loadsFrom) void this.#load();
    this.#comeBack(now);
  }

  #isDue(now: number): boolean {
    const { first } = this.#queue;
    return first !== undefined && first.nextAttemptAt <= now;
  }

  #wantsMore(now: number): boolean {
    return !this.#isLoading && this.#more.dueAt <= now && (!this.#isDue(now) || this.#queue.size < Math.min(QUEUE_LOW, this.#queueMax / 2));
  }

  #comeBack(now: number): void {
    const { first } = this.#queue;
    const times = [];
    if (first !== undefined) times.push(Math.max(first.nextAttemptAt, this.#circuit.opensAt, this.#nextStartAt));
    if (this.#wantsMore(Math.max(now, this.#more.dueAt))) times.push(Math.max(this.#loadsFrom, this.#circuit.opensAt, this.#more.dueAt));
    const next = Math.min(...times);
    // What is due waits for what is under way, whose end comes here.
    if (next === Infinity || (next <= now && this.#underWay.size > 0)) return;
    this.#cancelTimer = this.#options.scheduler.after(Math.min(Math.max(1, next - now), 3_600_000), () => this.#pump());
  }

  async #send(row: DeliveryRow): Promise<void> {
    const { logger, metrics, onFatal, onGone, save, scheduler } = this.#options;
    const key = keyOf(row);
    const beganAt = scheduler.now();
    this.#underWay.add(key);
    this.#sending++;
    try {
      const judged = await this.#try(row).finally(() => this.#sending--);
      const now = scheduler.now();
      if (judged.outcome === 'delivered') {
        this.#circuit.succeeded(beganAt);
        if (row.kind === 'alert') metrics.observe('alert_to_delivery_seconds', {}, Math.max(0, now - row.at) / 1000);
      } else {
        this.#circuit.failed(now, judged.pauseMs);
        const attempt = attemptsOf(judged.row).at(-1);
        logger.debug({ endpointId: row.endpointId, messageId: row.id, ...attempt }, 'a message was not taken');
      }
      metrics.count('alert_deliveries_total', { outcome: judged.outcome === 'gone' ? 'failed' : judged.outcome });
      const saved = save([judged.row]);
      this.#pump();
      await saved;
      if (judged.outcome === 'gone') onGone(row.endpointId);
      this.#ended(key);
      if (judged.row.state === 'pending' && this.#options.partitions.has(row.partition)) this.#enqueue(judged.row);
    } catch (cause) {
      this.#underWay.delete(key);
      onFatal(cause);
      return;
    }
    this.#pump();
  }

  async #try(row: DeliveryRow): Promise<ReturnType<typeof judgeAttempt>> {
    const { metrics, publicUrl, scheduler, sender } = this.#options;
    const startedAt = scheduler.now();
    const began = scheduler.elapsed();
    const result = await sender.send(composeMessage(this.#endpoint, row, publicUrl, startedAt));
    const ms = scheduler.elapsed() - began;
    metrics.observe('alert_delivery_seconds', {}, ms / 1000);
    return judgeAttempt(row, { result, startedAt, endedAt: startedAt + Math.round(ms), random: scheduler.random() });
  }

  #dropExpired(now: number): void {
    if (!this.#circuit.isFailing) return;
    const expired: DeliveryRow[] = [];
    for (let { first } = this.#queue; first !== undefined && first.takenAt + EXPIRES_AFTER_MS < now; { first } = this.#queue) {
      expired.push({ ...this.#queue.takeFirst()!, revision: first.revision + 1, state: 'failed' });
    }
    if (expired.length === 0) return;
    this.#options.metrics.count('alert_deliveries_total', { outcome: 'failed' }, expired.length);
    for (const row of expired) this.#underWay.add(keyOf(row));
    this.#options.save(expired).then(() => {
      for (const row of expired) this.#ended(keyOf(row));
      this.#pump();
    }, this.#options.onFatal);
  }

  /** What came of it is stored. */
  #ended(key: string): void {
    this.#underWay.delete(key);
    if (this.#isLoading) this.#endedWhileLoading.add(key);
    if (this.#underWay.size === 0) for (const done of this.#idle.splice(0)) done();
  }

  async #load(): Promise<void> {
    const { logger, onFatal, partitions, scheduler, store } = this.#options;
    this.#isLoading = true;
    const now = scheduler.now();
    this.#loadsFrom = now + LOAD_GAP_MS;
    const asked = this.#more;
    let left = asked;
    this.#more = NOTHING;
    try {
      // What is due soonest comes first: that in memory, and those under way, which the store may show as pending still.
      const limit = Math.min(LOADED_MAX, this.#queueMax) + Math.min(this.#queue.size, QUEUE_LOW) + this.#underWay.size;
      const rows = await store.pendingDeliveries({ endpointId: this.#endpoint.id, partitions: [...partitions], from: asked.from, limit });
      // Where some are due before their time, so may be the rest.
      const dueAt = rows.some((row) => this.#hastened(row) !== row) ? 0 : rows.at(-1)?.nextAttemptAt;
      left = rows.length < limit ? NOTHING : { from: asked.from, dueAt: dueAt ?? 0 };
      for (const row of rows) {
        // What was revoked meanwhile is another's.
        if (!partitions.has(row.partition) || this.#isKnown(row)) continue;
        if (this.#enqueue(row) === NOTHING && row.nextAttemptAt <= now) this.#loadsFrom = 0;
      }
    } catch (err) {
      if (!(err instanceof StoreError) || !err.retriable) {
        onFatal(err);
        return;
      }
      this.#options.metrics.count('store_errors_total', { code: err.code });
      logger.warn({ err, endpointId: this.#endpoint.id }, 'pending messages could not be read; it is tried again');
    } finally {
      this.#more = both(this.#more, left);
      this.#isLoading = false;
      this.#endedWhileLoading.clear();
    }
    this.#pump();
  }
}
