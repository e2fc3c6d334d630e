import { decodeExperimentRecord, isPoison } from '@touchstone/codec';
import { EXPERIMENTS_TOPIC, RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { ExperimentBook } from '@touchstone/experiments';
import { persist, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type DeliveryKey, type DeliveryRow, type NotificationStore } from '@touchstone/store';
import type { DecisionChange } from './decision-change.ts';
import type { Dispatcher } from './dispatcher.ts';
import { wantsDecisions } from './endpoint.ts';
import type { EndpointBook } from './endpoint-book.ts';
import { keyText } from './take-alerts.ts';

/** Decisions are of all partitions; whoever holds this one of the alerts tells them, as the digests. */
const DECISIONS_PARTITION = 0;
/** Longer ago than a message is tried: nobody is told of it any more. */
const TOLD_WITHIN_MS = 7 * 86_400_000;

export interface DecisionIntakeOptions {
  readonly store: Pick<NotificationStore, 'knownDeliveries'>;
  readonly book: EndpointBook;
  readonly dispatcher: Pick<Dispatcher, 'save' | 'take'>;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onFatal: (cause: unknown) => void;
}

/**
 * Tells endpoints what experiments decided. The topic is small and kept for good, so it is read from its beginning each time the partition is taken up:
 * which steps were applied follows from all before them, and which messages exist is asked of the store. There is no position to lose.
 */
export class DecisionIntake {
  readonly #options: DecisionIntakeOptions;
  #log: Pick<EventLog, 'extents' | 'subscribe'> | null = null;
  #following: Promise<Subscription> | null = null;
  /** Grows with each beginning and end: what a former one still reads is nobody's. */
  #turn = 0;

  constructor(options: DecisionIntakeOptions) {
    this.#options = options;
  }

  start(log: Pick<EventLog, 'extents' | 'subscribe'>): void {
    this.#log = log;
  }

  /** A partition of the alerts topic was taken up by this process. */
  assign(partition: number): void {
    if (partition !== DECISIONS_PARTITION || this.#following !== null) return;
    this.#following = this.#follow(++this.#turn);
    this.#following.catch((cause: unknown) => this.#options.onFatal(cause));
  }

  revoke(partition: number): void {
    if (partition === DECISIONS_PARTITION) void this.stop();
  }

  async stop(): Promise<void> {
    this.#turn++;
    const following = this.#following;
    this.#following = null;
    await (await following?.catch(() => null))?.stop();
  }

  async #follow(turn: number): Promise<Subscription> {
    const log = this.#log!;
    const [extent] = await log.extents(EXPERIMENTS_TOPIC);
    const experiments = new ExperimentBook();
    return log.subscribe({
      topic: EXPERIMENTS_TOPIC,
      group: null,
      onAssigned: () => extent!.start,
      onBlock: async (block) => {
        if (this.#turn === turn) await this.#tell(changesOf(block, experiments), turn);
      },
      onFailed: (cause) => {
        if (this.#turn === turn) this.#options.onFatal(cause);
      },
    });
  }

  async #tell(changes: readonly DecisionChange[], turn: number): Promise<void> {
    const { book, dispatcher, scheduler } = this.#options;
    const now = scheduler.now();
    const rows = changes
      .filter(({ at }) => now - at < TOLD_WITHIN_MS)
      .flatMap((change) =>
        book.all
          .filter(({ createdAt, filter, state }) => state === 'active' && change.at >= createdAt && wantsDecisions(filter))
          .map(({ id: endpointId }): DeliveryRow => ({
            endpointId,
            at: change.at,
            id: change.id,
            revision: 0,
            kind: 'decision',
            partition: DECISIONS_PARTITION,
            owner: null,
            state: 'pending',
            takenAt: now,
            nextAttemptAt: now,
            attempts: 0,
            attemptLog: '[]',
            payload: JSON.stringify(change),
          })),
      );
    if (rows.length === 0) return;
    const known = new Set((await this.#known(rows)).map(keyText));
    const fresh = rows.filter((row) => !known.has(keyText(row)));
    if (this.#turn !== turn) return;
    await dispatcher.save(fresh);
    dispatcher.take(fresh, Promise.resolve());
  }

  #known(rows: readonly DeliveryRow[]): Promise<readonly DeliveryKey[]> {
    const { logger, metrics, scheduler, store } = this.#options;
    return persist({
      scheduler,
      step: () => store.knownDeliveries(rows),
      onRetry: (err) => {
        if (err instanceof StoreError) metrics.count('store_errors_total', { code: err.code });
        logger.warn({ err }, 'decisions of experiments wait for the store');
      },
    });
  }
}

/** The steps of a block that changed what accounts are shown. */
function changesOf(block: RecordBlock, experiments: ExperimentBook): DecisionChange[] {
  const reader = new RecordReader().open(block);
  const changes: DecisionChange[] = [];
  while (reader.next()) {
    const record = reader.valueStart < 0 ? null : decodeExperimentRecord(block.bytes, reader.valueStart, reader.valueEnd);
    if (record === null || isPoison(record)) continue;
    const outcome = experiments.apply(record, block.appendedAt);
    if (!('state' in outcome) || record.action === 'create') continue;
    const { arms, definition, history, out, revision, status } = outcome.state;
    const { by, creativeId, reason } = history.at(-1)!;
    changes.push({
      id: `dec_${record.id}`.replaceAll(/[^\w-]/g, '_').slice(0, 128),
      at: block.appendedAt,
      experimentId: definition.id,
      campaignId: definition.campaignId,
      flagKey: definition.flagKey,
      mode: definition.mode,
      status,
      revision,
      action: record.action,
      by,
      creativeId,
      reason,
      arms: arms.map((arm) => ({ ...arm, isOut: out.includes(arm.creativeId) })),
    });
  }
  return changes;
}
