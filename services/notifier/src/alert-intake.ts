import { decodeAlert, isPoison } from '@touchstone/codec';
import { ALERTS_TOPIC, NOTIFIER_GROUP, RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { isRetriable, pauseMsAfter, persist, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type DeliveryRow, type NotificationStore } from '@touchstone/store';
import { groupIntoDigests, HOUR_MS, hourOf, withoutLastGroup } from './digest.ts';
import type { DecisionIntake } from './decision-intake.ts';
import type { Dispatcher } from './dispatcher.ts';
import { wantsAccount } from './endpoint.ts';
import type { EndpointBook } from './endpoint-book.ts';
import { candidatesOf, deliveriesOf, keyOfCandidate, keyText, withoutKnown, type Candidate, type ReadAlert } from './take-alerts.ts';
import { TakenAlerts } from './taken-alerts.ts';
import { ToldCounts } from './told-counts.ts';

/** A position that is behind costs a look-up of messages that are stored already. */
const COMMIT_AFTER_MS = 1000;
/** Alerts that may wait to be taken together before the topic waits. */
const WAITING_MAX = 500;
/** After the end of an hour, so that what was taken in its last moment is stored. */
const DIGEST_DELAY_MS = 5000;
/**
 * Messages of all endpoints that may be on their way to the store, at some hundred bytes each and their text once for all: more are not made before
 * these are stored. In a storm most are for later, of endpoints that are dead or budgets that are used up.
 */
const UNSAVED_MAX = 20_000;
/** Of held messages read at once; more only where one owner has more in an hour, since a digest is made of all. */
const HELD_ROWS_MAX = 20_000;
/** Digests are of all partitions; whoever holds this one makes and sends them, so that an owner gets one. */
const DIGEST_PARTITION = 0;
/** What can stand in a header, and in a list of the store. */
const MESSAGE_ID = /^[\w-]{1,128}$/;

export interface IntakeOptions {
  readonly store: Pick<NotificationStore, 'knownDeliveries' | 'toldCounts' | 'heldDeliveries' | 'accountFacts'>;
  readonly book: EndpointBook;
  readonly dispatcher: Dispatcher;
  /** Told of the partitions that are held. */
  readonly decisions: Pick<DecisionIntake, 'assign' | 'revoke'>;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onFatal: (cause: unknown) => void;
}

/**
 * Follows the alerts topic in a consumer group of its own and makes messages of what it reads:
 *
 *     read --> which endpoints want it --> which of these messages are not made yet --> budgets --> sent
 *                                                                                          |--> stored as pending or held --> position committed
 *
 * The position moves only after the messages are stored, and a message that is stored is not made again: whatever is repeated, by a crash here or
 * by an aggregator that publishes the same alert twice, each endpoint has each alert once. A message does not wait for its row: one that was sent
 * and not stored when the process died is made again from the topic, under the same id. Only where budgets decide it does, for made again, what is
 * told and what is held may be others.
 */
export class AlertIntake {
  readonly #options: IntakeOptions;
  /** Offset after what was taken, by partition, where that is not committed yet. */
  readonly #positions = new Map<number, number>();
  /** Counts how often a partition was assigned: a block of an earlier time says nothing of where it is now. */
  readonly #assignments = new Map<number, number>();
  /** One set of blocks or digest at a time, so that budgets are counted right. */
  #last: Promise<unknown> = Promise.resolve();
  /** What waits for its turn, and the turn that takes it: blocks of all partitions together, for each look into the store costs the same. */
  #arrived: ReadAlert[] = [];
  #nextTake: Promise<void> | null = null;
  /** Blocks that were read, until their messages are stored and their position is noted. */
  readonly #noting = new Set<Promise<void>>();
  /** Keys of the messages that are being stored. */
  readonly #unsaved = new Set<string>();
  /** Resolves when all messages that were made are stored. */
  #saved: Promise<void> = Promise.resolve();
  readonly #taken = new TakenAlerts();
  readonly #told: ToldCounts;
  #log: Pick<EventLog, 'extents' | 'committed' | 'subscribe'> | null = null;
  #subscription: Subscription | null = null;
  #cancelCommit: (() => void) | null = null;
  #failedCommits = 0;
  #isStopping = false;
  #cancelDigests: () => void = () => {};
  #makesDigests = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#told = new ToldCounts((endpointIds, from) => this.#ask(() => options.store.toldCounts(endpointIds, from)));
  }

  /** Resolves when it follows the topic. */
  async start(log: Pick<EventLog, 'extents' | 'committed' | 'subscribe'>): Promise<void> {
    const { decisions, dispatcher, onFatal } = this.#options;
    this.#log = log;
    this.#subscription = await log.subscribe({
      topic: ALERTS_TOPIC,
      group: NOTIFIER_GROUP,
      onAssigned: async (partition) => {
        this.#assignments.set(partition, (this.#assignments.get(partition) ?? 0) + 1);
        this.#positions.delete(partition);
        this.#taken.forget(partition);
        const start = await this.#startOf(partition);
        dispatcher.assign(partition);
        decisions.assign(partition);
        if (partition === DIGEST_PARTITION) this.#beginDigests();
        return start;
      },
      onRevoked: (partition) => {
        dispatcher.revoke(partition);
        decisions.revoke(partition);
        this.#positions.delete(partition);
        if (partition === DIGEST_PARTITION) this.#endDigests();
      },
      onBlock: (block) => {
        const assignment = this.#assignments.get(block.partition);
        const taken = this.#takeWithOthers(readAlerts(block, this.#options));
        const noted = taken
          .then(() => this.#saved)
          .then(() => {
            if (this.#assignments.get(block.partition) !== assignment) return;
            this.#positions.set(block.partition, block.nextOffset);
            this.#commitSoon(COMMIT_AFTER_MS);
          })
          .catch(onFatal)
          .finally(() => this.#noting.delete(noted));
        this.#noting.add(noted);
        // Where time alone makes alerts, blocks of a few come several times a second from each partition: they need not wait for each other.
        return this.#arrived.length >= WAITING_MAX ? taken : undefined;
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
    await Promise.all(this.#noting);
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

  /** Resolves when the messages are made and on their way; they may not be stored yet. */
  #takeWithOthers(alerts: readonly ReadAlert[]): Promise<void> {
    this.#arrived.push(...alerts);
    this.#nextTake ??= this.#inTurn(() => {
      const arrived = this.#arrived;
      this.#arrived = [];
      this.#nextTake = null;
      return this.#take(arrived);
    });
    return this.#nextTake;
  }

  async #take(alerts: readonly ReadAlert[]): Promise<void> {
    if (this.#unsaved.size > UNSAVED_MAX) await this.#saved;
    const fresh = await this.#fresh(alerts);
    const now = this.#options.scheduler.now();
    // What needs no further look into the store goes first.
    const isPlain = ({ endpoint }: Candidate): boolean => endpoint.ownerBudget === null && endpoint.filter.account === undefined;
    this.#send(deliveriesOf(fresh.filter(isPlain), [], now));
    const wanted = await this.#withWantedAccounts(fresh.filter((one) => !isPlain(one)));
    const budgeted = new Set(wanted.filter(({ endpoint }) => endpoint.ownerBudget !== null).map(({ endpoint }) => endpoint.id));
    const told = budgeted.size === 0 ? [] : await this.#told.of([...budgeted], now);
    const rows = deliveriesOf(wanted, told, now);
    this.#told.add(rows);
    this.#send(rows, budgeted);
  }

  async #withWantedAccounts(candidates: readonly Candidate[]): Promise<Candidate[]> {
    const asking = candidates.filter(({ endpoint }) => endpoint.filter.account !== undefined);
    if (asking.length === 0) return [...candidates];
    const ids = [...new Set(asking.map(({ alert }) => alert.accountId))];
    const facts = await this.#ask(() => this.#options.store.accountFacts(ids));
    return candidates.filter(({ alert, endpoint }) => wantsAccount(endpoint.filter, facts.get(alert.accountId)));
  }

  /** Whose messages are not made yet. The store is asked only of alerts that may have been told before. */
  async #fresh(alerts: readonly ReadAlert[]): Promise<Candidate[]> {
    const { book, store } = this.#options;
    const isNew = this.#taken.take(alerts);
    const sure = candidatesOf(
      alerts.filter((_, i) => isNew[i]),
      book.all,
    );
    const made = new Set(sure.map((one) => keyText(keyOfCandidate(one))));
    const doubtful = candidatesOf(
      alerts.filter((_, i) => !isNew[i]),
      book.all,
    ).filter((one) => {
      const key = keyText(keyOfCandidate(one));
      return !made.has(key) && !this.#unsaved.has(key);
    });
    if (doubtful.length === 0) return sure;
    const known = await this.#ask(() => store.knownDeliveries(doubtful.map(keyOfCandidate)));
    return [...sure, ...withoutKnown(doubtful, known)];
  }

  /** Stores messages and sends them, those to `cautious` endpoints once they are stored. */
  #send(rows: readonly DeliveryRow[], cautious: ReadonlySet<string> = new Set()): void {
    if (rows.length === 0) return;
    const { dispatcher, metrics, onFatal } = this.#options;
    const keys = rows.map(keyText);
    for (const key of keys) this.#unsaved.add(key);
    const saved = dispatcher.save(rows).then(() => {
      for (const key of keys) this.#unsaved.delete(key);
    });
    this.#saved = Promise.all([this.#saved, saved]).then(() => {});
    this.#saved.catch(onFatal);
    const pending = rows.filter(({ state }) => state === 'pending');
    if (rows.length > pending.length) metrics.count('alert_deliveries_total', { outcome: 'held' }, rows.length - pending.length);
    const { false: atOnce = [], true: later = [] } = Object.groupBy(pending, ({ endpointId }) =>
      cautious.has(endpointId) ? 'true' : 'false',
    );
    dispatcher.take(atOnce, saved);
    if (later.length === 0) return;
    saved.then(
      // What was revoked meanwhile is found in the store by whoever has it now.
      () =>
        dispatcher.take(
          later.filter(({ partition }) => this.#subscription?.owns(partition) !== false),
          Promise.resolve(),
        ),
      () => {},
    );
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
    // What was held back in the last moment is part of it.
    await this.#saved;
    for (let limit = HELD_ROWS_MAX; this.#makesDigests;) {
      const now = scheduler.now();
      const read = await this.#ask(() => store.heldDeliveries(hourOf(now), limit));
      if (read.length === 0) return;
      const isAll = read.length < limit;
      const held = isAll ? read : withoutLastGroup(read);
      if (held.length === 0) {
        limit *= 2;
        continue;
      }
      limit = HELD_ROWS_MAX;
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
      dispatcher.take(fresh, Promise.resolve());
      if (isAll) return;
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
