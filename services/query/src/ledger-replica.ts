import { defaultModel, LedgerSet, type Alert, type ScoringModel } from '@touchstone/engine';
import { EventLogError, EVENTS_TOPIC, type EventLog } from '@touchstone/event-log';
import type { ModelStatus } from '@touchstone/recovery';
import { repeat, sleep, type Logger, type Metrics, type Readiness, type Scheduler } from '@touchstone/runtime';
import { StoreError } from '@touchstone/store';
import { LedgerCopy, type CopyOptions } from './ledger-copy.ts';
import { Turns } from './turns.ts';

/** Once so few records are missing, what serves can stand still until they are applied, and nobody notices. */
const MISSING_MAX = 5000;
const LOOK_INTERVAL_MS = 10;
const ENDS_INTERVAL_MS = 1000;
/** A log that drops records faster than they can be restored would else keep store and process busy with nothing. */
const REBUILD_PAUSE_MS = 1000;

export interface ReplicaOptions {
  readonly store: CopyOptions['store'];
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly dedupeHorizonMs: number;
  readonly creativeDays: number;
  /** Alerts that were told lately, oldest first: those that are not stored yet are among them. */
  readonly keptAlerts: () => Iterable<{ readonly partition: number; readonly alert: Alert }>;
  /** It can't go on: log and store do not belong together, or the log can not be read. */
  readonly onFatal: (cause: unknown) => void;
}

/**
 * The ledgers as a process that only reads keeps them. One copy serves; when it has to be replaced, another is made beside it and takes over:
 *
 *     store --restore--> copy --follow the log--> serves
 *                           a new model in all partitions, or the log has dropped what comes next
 *     store --restore--> next copy --follow the log--> is as far: takes over in one step
 *
 * No version goes back when it does, and no answer mixes scores of two models. Where accounts stand under the new one is told by alerts, which
 * come as the aggregator looks at them: until then they are qualified as before, and in no stage that the model does not have. Memory is doubled
 * meanwhile.
 */
export class LedgerReplica {
  readonly ledgers = new LedgerSet();
  readonly #options: ReplicaOptions;
  readonly #turns: Turns;
  #log: CopyOptions['log'] | null = null;
  #serving: LedgerCopy | null = null;
  /** The model of the copy that is being made. */
  #comingModel: ScoringModel | null = null;
  #replacing: Promise<void> = Promise.resolve();
  #takeover: ReadonlyMap<number, number> = new Map();
  #isReady = false;
  #isStopping = false;
  #detail = 'not started';
  #ends: ReadonlyMap<number, number> = new Map();
  readonly #repeated: { stop(): void }[] = [];

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#turns = new Turns(options.scheduler);
    options.metrics.beforeScrape(() => this.#setGauges());
  }

  /**
   * Restores the ledgers, then follows the log; resolves when it follows.
   * @throws StartError when log and store do not belong together
   */
  async start(log: EventLog): Promise<void> {
    this.#log = log;
    const first = await this.#restored(null);
    this.#takeOver(first);
    await first.follow();
    this.#repeated.push(
      repeat({
        scheduler: this.#options.scheduler,
        intervalMs: ENDS_INTERVAL_MS,
        step: async () => {
          this.#ends = new Map((await log.extents(EVENTS_TOPIC)).map(({ partition, end }) => [partition, end]));
        },
        onRetry: (cause) => this.#note(cause),
        onFault: this.#options.onFatal,
      }),
    );
    this.#look();
  }

  get modelStatus(): ModelStatus {
    const model = this.#serving?.model ?? defaultModel;
    const coming = this.#comingModel?.version ?? null;
    return { model, takeover: this.#takeover, rescoringTo: coming === model.version ? null : coming };
  }

  /** Ready once all that was on the log at the start is applied: no version that a reader has seen before goes backwards. */
  readiness(): Readiness {
    return { ready: this.#isReady, detail: this.#detail };
  }

  /** Takes over what an alert says of where its account stands, once its version is applied. */
  takeAlert(partition: number, alert: Alert): void {
    this.#serving?.takeAlert(partition, alert);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const repeated of this.#repeated) repeated.stop();
    await this.#replacing;
    await this.#serving?.stop();
  }

  /** Looks what has come of the records that were applied, and whether another copy has to be made. */
  #look(): void {
    const serving = this.#serving;
    if (serving === null || this.#isStopping) return;
    if (!this.#isReady) {
      const missing = serving.missingUntil(serving.ends);
      this.#isReady = missing === 0;
      this.#detail = this.#isReady ? 'state is restored' : `${missing} records of the log are still to be applied`;
      if (this.#isReady) this.#hear(serving);
    }
    if (this.#comingModel !== null) return;
    const { newestModel } = serving;
    if (serving.failure !== null && !isOutOfRange(serving.failure)) this.#options.onFatal(serving.failure);
    else if (newestModel !== null && newestModel.version !== serving.model.version) this.#replacing = this.#replace(newestModel, serving);
    else if (serving.failure !== null) this.#replacing = this.#replace(serving.model, serving);
  }

  async #replace(model: ScoringModel, serving: LedgerCopy): Promise<void> {
    const { logger, metrics, onFatal } = this.#options;
    const isRescore = model.version !== serving.model.version;
    const startedAt = this.#options.scheduler.elapsed();
    this.#comingModel = model;
    try {
      await this.#makeNext(model, serving);
      const seconds = (this.#options.scheduler.elapsed() - startedAt) / 1000;
      const takeover = Object.fromEntries(this.#takeover);
      logger.info(
        { modelVersion: model.version, seconds, takeover },
        isRescore ? 'accounts are rescored' : 'the ledgers are restored anew',
      );
      if (isRescore) metrics.count('rescores_total', { outcome: 'done' });
    } catch (cause) {
      if (this.#isStopping) return;
      if (isRescore) metrics.count('rescores_total', { outcome: 'failed' });
      onFatal(cause);
      return;
    } finally {
      this.#comingModel = null;
    }
    this.#look();
  }

  async #makeNext(model: ScoringModel, serving: LedgerCopy): Promise<void> {
    const { logger, metrics, scheduler } = this.#options;
    for (;;) {
      if (serving.failure !== null) {
        metrics.count('replica_rebuilds_total', {});
        logger.warn({ err: serving.failure }, 'the log has dropped what comes next; the ledgers are restored anew from the store');
      }
      const next = await this.#restored(model);
      try {
        await next.follow();
        if (await this.#succeeds(next, serving)) break;
      } finally {
        if (this.#serving !== next) await next.stop();
      }
      await sleep(scheduler, REBUILD_PAUSE_MS);
    }
    await serving.stop();
  }

  /** Lets the next copy take over as soon as it is as far; false when the log has dropped what comes next for it. */
  async #succeeds(next: LedgerCopy, serving: LedgerCopy): Promise<boolean> {
    try {
      for (;;) {
        this.#assertNotStopping();
        if (isOutOfRange(next.failure)) return false;
        if (next.failure !== null) throw next.failure;
        const missing = next.missingUntil(serving.positions);
        if (missing === 0) {
          this.#takeOver(next);
          return true;
        }
        if (missing <= MISSING_MAX) serving.hold();
        await sleep(this.#options.scheduler, LOOK_INTERVAL_MS);
      }
    } finally {
      serving.release();
    }
  }

  #takeOver(next: LedgerCopy): void {
    // Records that left nothing in the store, such as duplicates, have moved the clock of the ledgers before.
    for (const ledgers of next.ledgers) ledgers.now = Math.max(ledgers.now, this.ledgers.of(ledgers.partition)?.now ?? 0);
    this.#hear(next);
    this.ledgers.replace(next.ledgers);
    this.#serving = next;
    this.#takeover = next.positions;
  }

  /** Lets a copy know what was told since the states that it was restored from were stored, of the accounts that it has by now. */
  #hear(copy: LedgerCopy): void {
    for (const { alert, partition } of this.#options.keptAlerts()) copy.takeAlert(partition, alert);
  }

  async #restored(model: ScoringModel | null): Promise<LedgerCopy> {
    const { logger, metrics } = this.#options;
    const startedAt = this.#options.scheduler.elapsed();
    const copy = await LedgerCopy.restore(model, {
      ...this.#options,
      log: this.#log!,
      turns: this.#turns,
      breathe: async () => {
        this.#assertNotStopping();
        await this.#options.scheduler.breathe();
      },
      onProgress: (detail) => this.#tell(detail),
      onRetry: (cause, pauseMs) => {
        this.#assertNotStopping();
        this.#note(cause);
        this.#tell(`waits for log and store: ${cause instanceof Error ? cause.message : String(cause)}`);
        logger.warn({ err: cause, pauseMs }, 'log or store can not be read right now; it goes on when they can');
      },
      onApplied: () => this.#look(),
      onEnded: () => this.#look(),
    });
    const seconds = (this.#options.scheduler.elapsed() - startedAt) / 1000;
    metrics.set('recovery_seconds', {}, seconds);
    metrics.set('recovered_records', {}, copy.records);
    const positions = Object.fromEntries(copy.positions);
    logger.info({ records: copy.records, seconds, modelVersion: copy.model.version, positions }, 'restored from the stored touches');
    return copy;
  }

  #assertNotStopping(): void {
    if (this.#isStopping) throw new Error('stopping');
  }

  /** What a probe is told, until the process is ready. */
  #tell(detail: string): void {
    if (!this.#isReady) this.#detail = detail;
  }

  #note(cause: unknown): void {
    const { metrics } = this.#options;
    if (cause instanceof EventLogError) metrics.count('log_errors_total', { code: cause.code });
    if (cause instanceof StoreError) metrics.count('store_errors_total', { code: cause.code });
  }

  #setGauges(): void {
    const { metrics } = this.#options;
    metrics.set('ledgers', {}, this.ledgers.accountCount);
    metrics.set('contacts', {}, this.ledgers.contactCount);
    for (const { partition, position } of this.ledgers.partitions) {
      metrics.set('log_lag_records', { partition: String(partition) }, Math.max(0, (this.#ends.get(partition) ?? 0) - position));
    }
  }
}

function isOutOfRange(cause: unknown): boolean {
  return cause instanceof EventLogError && cause.code === 'offset_out_of_range';
}
