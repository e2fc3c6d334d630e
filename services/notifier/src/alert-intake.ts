import { decodeAlert, isPoison } from '@touchstone/codec';
import { ALERTS_TOPIC, NOTIFIER_GROUP, RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { isRetriable, pauseMsAfter, persist, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type DeliveryRow, type NotificationStore } from '@touchstone/store';
import { groupIntoDigests, HOUR_MS, hourOf } from './digest.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EndpointBook } from './endpoint-book.ts';
import { candidatesOf, deliveriesOf, keyOfCandidate, withoutKnown, type ReadAlert } from './take-alerts.ts';

/** A position that is behind costs a look-up of messages that are stored already. */
const COMMIT_AFTER_MS = 1000;
/** Alerts that may wait to be taken together before the topic waits. */
const WAITING_MAX = 500;
/** After the end of an hour, so that what was taken in its last moment is stored. */
const DIGEST_DELAY_MS = 5000;
/** Of held messages read at once. */
const HELD_ROWS_MAX = 20_000;
/** Digests are of all partitions; whoever holds this one makes and sends them, so that an owner gets one. */
const DIGEST_PARTITION = 0;
/** What can stand in a header, and in a list of the store. */
const MESSAGE_ID = /^[\w-]{1,128}$/;

export interface IntakeOptions {
  readonly store: Pick<NotificationStore, 'knownDeliveries' | 'toldCounts' | 'heldDeliveries'>;
  readonly book: EndpointBook;
  readonly dispatcher: Dispatcher;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onFatal: (cause: unknown) => void;
}

/**
 * Follows the alerts topic in a consumer group of its own and makes messages of what it reads:
 *
 *     read --> which endpoints want it --> which of these messages are not stored --> budgets --> stored as pending or held --> sent
 *                                                                                                     |--> position committed
 *
 * The position moves only after the messages are stored, and a message that is stored is not made again: whatever is repeated, by a crash here or
 * by an aggregator that publishes the same alert twice, each endpoint has each alert once.
 */
export class AlertIntake {
  readonly #options: IntakeOptions;
  /** Offset after what was taken, by partition, where that is not committed yet. */
  readonly #positions = new Map<number, number>();
  /** Counts how often a partition was assigned: a block of an earlier time says nothing of where it is now. */
  readonly #assignments = new Map<number, number>();
  /** Read and not taken yet: about as many as may wait, and a block a partition. */
  #waiting: ReadAlert[] = [];
  #taking: Promise<void> | null = null;
  /** One taking or digest at a time, so that budgets are counted right. */
  #last: Promise<unknown> = Promise.resolve();
  #log: Pick<EventLog, 'extents' | 'committed' | 'subscribe'> | null = null;
  #subscription: Subscription | null = null;
  #cancelCommit: (() => void) | null = null;
  #failedCommits = 0;
  #isStopping = false;
  #cancelDigests: () => void = () => {};
  #makesDigests = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Resolves when it follows the topic. */
  async start(log: Pick<EventLog, 'extents' | 'committed' | 'subscribe'>): Promise<void> {
    const { dispatcher, onFatal } = this.#options;
    this.#log = log;
    this.#subscription = await log.subscribe({
      topic: ALERTS_TOPIC,
      group: NOTIFIER_GROUP,
      onAssigned: async (partition) => {
        this.#assignments.set(partition, (this.#assignments.get(partition) ?? 0) + 1);
        this.#positions.delete(partition);
        const start = await this.#startOf(partition);
        dispatcher.assign(partition);
        if (partition === DIGEST_PARTITION) this.#beginDigests();
        return start;
      },
      onRevoked: (partition) => {
        dispatcher.revoke(partition);
        this.#positions.delete(partition);
        if (partition === DIGEST_PARTITION) this.#endDigests();
      },
      onBlock: (block) => {
        const assignment = this.#assignments.get(block.partition);
        const taken = this.#takeSoon(readAlerts(block, this.#options)).then(() => {
          if (this.#assignments.get(block.partition) !== assignment) return;
          this.#positions.set(block.partition, block.nextOffset);
          this.#commitSoon(COMMIT_AFTER_MS);
        });
        if (this.#waiting.length >= WAITING_MAX) return taken;
        taken.catch(onFatal);
      },
      onFailed: onFatal,
    });
  }

  get isFollowing(): boolean {
    return this.#subscription !== null && this.#subscription.assigned !== null;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#endDigests();
    this.#cancelCommit?.();
    if (this.#subscription === null) return;
    // Before it stops: a position can only be committed by whoever holds the partition.
    await this.#commit().catch((err: unknown) => this.#options.logger.warn({ err }, 'the last position could not be committed'));
    await this.#subscription.stop();
    await this.#last;
  }

  /** Where the group was; the oldest alert that is kept, where it was nowhere, or in a topic that was made anew, or too long away. */
  async #startOf(partition: number): Promise<number> {
    const log = this.#log!;
    const [extents, committed] = await Promise.all([log.extents(ALERTS_TOPIC), log.committed(ALERTS_TOPIC, NOTIFIER_GROUP)]);
    const { end, generation, start } = extents.find((extent) => extent.partition === partition)!;
    const position = committed.get(partition);
    if (position === undefined || position.generation !== generation || position.offset > end) return start;
    if (position.offset < start) {
      this.#options.logger.error(
        { partition, from: position.offset, to: start },
        'alerts were dropped from the topic before they were read: the notifier was away for longer than the topic keeps them',
      );
    }
    return Math.max(position.offset, start);
  }

  /**
   * What comes while some are taken is taken together after it: the store takes as long for the alerts of one block as for those of many, and where
   * time alone makes alerts, blocks of a few come several times a second from each partition.
   */
  #takeSoon(alerts: readonly ReadAlert[]): Promise<void> {
    this.#waiting.push(...alerts);
    this.#taking ??= this.#inTurn(() => {
      const all = this.#waiting;
      this.#waiting = [];
      this.#taking = null;
      return this.#take(all);
    });
    return this.#taking;
  }

  async #take(alerts: readonly ReadAlert[]): Promise<void> {
    const { book, dispatcher, metrics, scheduler, store } = this.#options;
    const candidates = candidatesOf(alerts, book.all);
    if (candidates.length === 0) return;
    const known = await this.#ask(() => store.knownDeliveries(candidates.map(keyOfCandidate)));
    const fresh = withoutKnown(candidates, known);
    const budgeted = new Set(fresh.filter(({ endpoint }) => endpoint.ownerBudget !== null).map(({ endpoint }) => endpoint.id));
    const now = scheduler.now();
    const told = await this.#ask(() => store.toldCounts([...budgeted], hourOf(now)));
    const rows = deliveriesOf(fresh, told, now);
    await dispatcher.save(rows);
    const pending = rows.filter(({ state }) => state === 'pending');
    if (rows.length > pending.length) metrics.count('alert_deliveries_total', { outcome: 'held' }, rows.length - pending.length);
    dispatcher.take(pending);
  }

  #beginDigests(): void {
    this.#makesDigests = true;
    void this.#digest();
  }

  #endDigests(): void {
    this.#makesDigests = false;
    this.#cancelDigests();
  }

  /** Makes the digests of the hours that are over, and comes back after the next one. */
  async #digest(): Promise<void> {
    const { onFatal, scheduler } = this.#options;
    this.#cancelDigests();
    try {
      await this.#inTurn(() => this.#makeDigests());
    } catch (cause) {
      onFatal(cause);
      return;
    }
    if (!this.#makesDigests) return;
    const now = scheduler.now();
    this.#cancelDigests = scheduler.after(hourOf(now) + HOUR_MS + DIGEST_DELAY_MS - now, () => void this.#digest());
  }

  /** First the digest is stored, then what it tells is marked: a crash in between makes the same digest again, under the same id. */
  async #makeDigests(): Promise<void> {
    const { book, dispatcher, scheduler, store } = this.#options;
    while (this.#makesDigests) {
      const now = scheduler.now();
      const held = await this.#ask(() => store.heldDeliveries(hourOf(now), HELD_ROWS_MAX));
      if (held.length === 0) return;
      const digests = groupIntoDigests(held)
        .filter(({ endpointId }) => book.get(endpointId) !== null)
        .map(({ digest, endpointId, id }): DeliveryRow => ({
          endpointId,
          at: digest.to,
          id,
          revision: 0,
          kind: 'digest',
          partition: DIGEST_PARTITION,
          owner: digest.owner,
          state: 'pending',
          takenAt: now,
          nextAttemptAt: now,
          attempts: 0,
          attemptLog: '[]',
          payload: JSON.stringify(digest),
        }));
      const known = new Set((await this.#ask(() => store.knownDeliveries(digests))).map(({ id }) => id));
      const fresh = digests.filter(({ id }) => !known.has(id));
      await dispatcher.save(fresh);
      await dispatcher.save(held.map((row) => ({ ...row, revision: row.revision + 1, state: 'digested' })));
      dispatcher.take(fresh);
      if (held.length < HELD_ROWS_MAX) return;
    }
  }

  /** What comes until then is committed with it. */
  #commitSoon(ms: number): void {
    const { logger, onFatal, scheduler } = this.#options;
    if (this.#cancelCommit !== null || this.#isStopping) return;
    this.#cancelCommit = scheduler.after(ms, () => {
      this.#cancelCommit = null;
      this.#commit().then(
        () => void (this.#failedCommits = 0),
        (err: unknown) => {
          if (this.#isStopping) return;
          if (!isRetriable(err)) {
            onFatal(err);
            return;
          }
          logger.warn({ err }, 'the position on the alerts topic could not be committed; it is tried again');
          this.#commitSoon(Math.max(COMMIT_AFTER_MS, pauseMsAfter(++this.#failedCommits, scheduler)));
        },
      );
    });
  }

  async #commit(): Promise<void> {
    const positions = new Map([...this.#positions].filter(([partition]) => this.#subscription?.owns(partition)));
    if (positions.size === 0) return;
    await this.#subscription!.commit(positions);
    for (const [partition, offset] of positions) {
      if (this.#positions.get(partition) === offset) this.#positions.delete(partition);
    }
  }

  /** What the store answers, however long that takes: the topic waits meanwhile. */
  #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    const { logger, metrics, scheduler } = this.#options;
    return persist({
      scheduler,
      step: question,
      onRetry: (err) => {
        if (err instanceof StoreError) metrics.count('store_errors_total', { code: err.code });
        logger.warn({ err }, 'alerts wait for the store');
      },
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** The alerts of a block; what is none is counted and passed over, for a record must not stop those behind it. */
function readAlerts(block: RecordBlock, { logger, metrics }: Pick<IntakeOptions, 'logger' | 'metrics'>): ReadAlert[] {
  const reader = new RecordReader().open(block);
  const alerts: ReadAlert[] = [];
  while (reader.next()) {
    const alert = reader.valueStart < 0 ? null : decodeAlert(block.bytes, reader.valueStart, reader.valueEnd);
    if (alert === null || isPoison(alert) || !MESSAGE_ID.test(alert.id)) {
      metrics.count('alerts_unreadable_total', {});
      const reason = alert === null ? 'it is empty' : isPoison(alert) ? alert.detail : 'its id can not stand in a header';
      logger.error({ partition: block.partition, offset: reader.offset, reason }, 'a record of the alerts topic is no alert');
    } else alerts.push({ alert: { ...alert, partition: block.partition }, appendedAt: block.appendedAt });
  }
  return alerts;
}
