import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultModel, LedgerSet, type ScoringModel } from '@touchstone/engine';
import { EventLogError, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import type { Logger, Metrics, Readiness } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import { Checkpointer } from './checkpointer.ts';
import type { BlockOutcome, Intake } from './intake.ts';
import { ScorePublisher } from './publish-scores.ts';
import { planRecovery, recover, type Recovered, type RecoveryPlan } from './recover.ts';
import { rescore } from './rescore.ts';
import { repeat } from './retry.ts';

export const EVENTS_TOPIC = 'events';
export const AGGREGATOR_GROUP = 'aggregator';

const ENDS_INTERVAL_MS = 1000;

export interface AggregatorOptions {
  readonly log: EventLog;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: () => number;
  /** The process can't go on; it should leave with an error. */
  readonly onFatal: (cause: unknown) => void;
  readonly publishIntervalMs: number;
  readonly checkpointIntervalMs: number;
  readonly dedupeHorizonMs: number;
  /** Bytes that may wait for a checkpoint before partitions are held. */
  readonly pendingBytesMax: number;
}

export interface ModelStatus {
  readonly model: ScoringModel;
  /** Offset from which each partition scores under the model. */
  readonly takeover: ReadonlyMap<number, number>;
  /** Version that is being prepared while `model` serves. */
  readonly rescoringTo: string | null;
}

/**
 * Applies the log to the ledgers, publishes scores and checkpoints:
 *
 *     log --block--> intake --ledgers--> publisher (every 50 ms) --> account-scores
 *                      '--- gathered rows --> checkpointer (every second) --> store, then positions
 */
export class Aggregator {
  readonly ledgers = new LedgerSet();
  readonly #options: AggregatorOptions;
  readonly #publisher: ScorePublisher;
  readonly #checkpointer: Checkpointer;
  #intakes: ReadonlyMap<number, Intake> = new Map();
  #plan: RecoveryPlan | null = null;
  #recovered: Recovered | null = null;
  #progress = 'not started';
  #subscription: Subscription | null = null;
  #takeover: ReadonlyMap<number, number> = new Map();
  #rescoringTo: string | null = null;
  #rescoring: Promise<void> = Promise.resolve();
  /** While set, blocks wait: a rescored set of ledgers is about to take over. */
  #hold: Promise<void> | null = null;
  #isReady = false;
  /** Ends of the log as last seen, by partition. */
  #ends: ReadonlyMap<number, number> = new Map();
  readonly #repeated: { stop(): void }[] = [];
  #isStopping = false;

  constructor(options: AggregatorOptions) {
    const { clock, log, logger, metrics, store } = options;
    this.#options = options;
    this.#publisher = new ScorePublisher({
      ledgers: this.ledgers,
      log,
      metrics,
      clock,
      // Readers have seen versions up to where the log ended at the start: what is applied again until there is older than what they know.
      isHeld: () => !this.readiness().ready,
    });
    this.#checkpointer = new Checkpointer({
      intakes: () => this.#intakes.values(),
      publisher: this.#publisher,
      store,
      subscription: () => this.#subscription,
      metrics,
      logger,
      clock,
      mayCommit: () => this.readiness().ready && !this.#isModelAwaited(),
    });
    metrics.beforeScrape(() => this.#setGauges());
  }

  /**
   * Looks whether log and store belong together. Comes before `start`, and before anybody may append to the log.
   * @throws StartError
   */
  async prepare(): Promise<void> {
    const { log, store } = this.#options;
    this.#plan = await planRecovery({ log, store, topic: EVENTS_TOPIC, group: AGGREGATOR_GROUP });
  }

  /** Restores the ledgers, then follows the log. */
  async start(): Promise<void> {
    const { dedupeHorizonMs, log, logger, metrics, store } = this.#options;
    if (this.#plan === null) throw new Error('prepare() comes before start()');
    const startedAt = performance.now();
    const recovered = await recover(this.#plan, {
      store,
      dedupeHorizonMs,
      breathe: () => nextTurn(),
      onProgress: (done, of) => {
        this.#progress = `restored ${done} of ${of} partitions`;
      },
    });
    this.#recovered = recovered;
    this.#intakes = recovered.intakes;
    this.ledgers.replace([...recovered.intakes.values()].map(({ ledgers }) => ledgers));
    this.#takeover = new Map([...recovered.intakes].map(([partition, { ledgers }]) => [partition, ledgers.position]));
    const seconds = (performance.now() - startedAt) / 1000;
    metrics.set('recovery_seconds', {}, seconds);
    metrics.set('recovered_records', {}, recovered.records);
    const positions = Object.fromEntries(this.#takeover);
    const { accountCount, contactCount } = this.ledgers;
    logger.info(
      {
        records: recovered.records,
        seconds,
        accounts: accountCount,
        contacts: contactCount,
        modelVersion: recovered.model.version,
        positions,
      },
      recovered.records === 0 ? 'nothing is stored yet: starting anew' : 'recovered from the stored touches',
    );

    this.#subscription = await log.subscribe({
      topic: EVENTS_TOPIC,
      group: AGGREGATOR_GROUP,
      onAssigned: (partition) => this.#intakes.get(partition)!.ledgers.position,
      onBlock: (block) => this.#applyBlock(block),
      onFailed: (cause) => this.#options.onFatal(cause),
    });
    this.#every(this.#options.publishIntervalMs, () => this.#publisher.publish());
    this.#every(this.#options.checkpointIntervalMs, () => this.#checkpointer.run());
    // Apart from the checkpoints: the lag is worth most while the store does not answer.
    this.#every(ENDS_INTERVAL_MS, async () => {
      this.#ends = new Map((await log.extents(EVENTS_TOPIC)).map(({ partition, end }) => [partition, end]));
    });
    this.#checkReady();
    this.#rescoreIfPublished();
  }

  get modelStatus(): ModelStatus {
    const [any] = this.ledgers.partitions;
    return { model: any?.model ?? this.#plan?.model ?? defaultModel, takeover: this.#takeover, rescoringTo: this.#rescoringTo };
  }

  /** The default model, all that were ever published and have arrived here, and the one in force, by version. */
  get models(): ReadonlyMap<string, ScoringModel> {
    const published = [...this.#intakes.values()].flatMap(({ models }) => models);
    return new Map([defaultModel, ...published, this.modelStatus.model].map((model) => [model.version, model]));
  }

  readiness(): Readiness {
    if (!this.#isReady) this.#checkReady();
    return { ready: this.#isReady, detail: this.#progress };
  }

  /** Stops taking blocks, publishes and stores what was applied, commits. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#checkpointer.stop();
    for (const repeated of this.#repeated) repeated.stop();
    await this.#rescoring;
    if (this.#subscription === null) return;
    // Hold what comes, let what is under way end, store it; the subscription must still own its partitions to commit.
    await this.#whileHeld(() => this.#checkpointer.run());
    await this.#subscription.stop();
  }

  async #applyBlock(block: RecordBlock): Promise<void> {
    while (this.#hold !== null) await this.#hold;
    if (this.#isStopping) return;
    const { metrics, pendingBytesMax } = this.#options;
    const intake = this.#intakes.get(block.partition)!;
    const startedAt = performance.now();
    const outcome = intake.apply(block);
    metrics.observe('apply_seconds', {}, (performance.now() - startedAt) / 1000);
    this.#count(intake, outcome);
    if (outcome.counted > 0) this.#publisher.expect(block.appendedAt);
    if (outcome.models > 0) this.#rescoreIfPublished();
    // The partition waits until there is room again: memory is bounded whatever the store does.
    while (this.#pendingBytes() > pendingBytesMax && !this.#isStopping) await this.#checkpointer.run();
  }

  #pendingBytes(): number {
    let bytes = 0;
    for (const intake of this.#intakes.values()) bytes += intake.pendingBytes;
    return bytes;
  }

  #count(intake: Intake, outcome: BlockOutcome): void {
    const { logger, metrics } = this.#options;
    metrics.count('touches_applied_total', {}, outcome.counted);
    if (outcome.unresolved > 0) metrics.count('touches_unresolved_total', {}, outcome.unresolved);
    if (outcome.duplicates > 0) metrics.count('touches_duplicate_total', {}, outcome.duplicates);
    const touches = outcome.counted + outcome.unresolved + outcome.duplicates;
    if (touches > 0) metrics.count('records_applied_total', { record: 'touch' }, touches);
    if (outcome.facts > 0) metrics.count('records_applied_total', { record: 'fact' }, outcome.facts);
    if (outcome.models > 0) metrics.count('records_applied_total', { record: 'model' }, outcome.models);
    if (intake.ledgers.lateTouches > 0) {
      metrics.count('touches_late_total', {}, intake.ledgers.lateTouches);
      intake.ledgers.lateTouches = 0;
    }
    for (const [kind, count] of intake.ledgers.kinds.takeUnruled()) metrics.count('touches_unknown_kind_total', { kind }, count);
    if (outcome.setAside.length === 0) return;
    metrics.count('records_applied_total', { record: 'dead_letter' }, outcome.setAside.length);
    for (const { reason } of outcome.setAside) metrics.count('dead_letters_total', { reason });
    const { partition, offset, reason } = outcome.setAside[0]!;
    logger.warn({ partition, offset, reason, count: outcome.setAside.length }, 'records were set aside as dead letters');
  }

  #checkReady(): void {
    if (this.#recovered === null) return;
    let behind = 0;
    for (const [partition, end] of this.#recovered.ends) behind += Math.max(0, end - this.#intakes.get(partition)!.ledgers.position);
    this.#isReady = behind === 0;
    this.#progress = this.#isReady ? 'state is restored' : `${behind} records of the log are still to be applied`;
  }

  /** A model has arrived and is not in force: the scores under it, its effect, are not out. */
  #isModelAwaited(): boolean {
    const { version } = this.modelStatus.model;
    return [...this.#intakes.values()].some(({ models }) => models.length > 0 && models.at(-1)!.version !== version);
  }

  /** When the newest model has arrived in every partition and is not the one in force, the accounts are rescored under it. */
  #rescoreIfPublished(): void {
    if (this.#rescoringTo !== null || this.#isStopping) return;
    const newest = new Set([...this.#intakes.values()].map(({ models }) => models.at(-1)?.version));
    const [version] = newest;
    if (newest.size !== 1 || version === undefined || version === this.modelStatus.model.version) return;
    const [intake] = this.#intakes.values();
    this.#rescoringTo = version;
    this.#rescoring = this.#rescore(intake!.models.at(-1)!);
  }

  async #rescore(model: ScoringModel): Promise<void> {
    const { dedupeHorizonMs, logger, metrics, onFatal, store } = this.#options;
    try {
      this.#takeover = await rescore(model, {
        intakes: this.#intakes,
        ledgers: this.ledgers,
        store,
        logger,
        dedupeHorizonMs,
        breathe: async () => {
          if (this.#isStopping) throw new Error('stopping');
          await nextTurn();
        },
        checkpoint: () => this.#checkpointer.run(),
        whileHeld: (step) => this.#whileHeld(step),
      });
      metrics.count('rescores_total', { outcome: 'done' });
    } catch (cause) {
      metrics.count('rescores_total', { outcome: 'failed' });
      if (this.#isStopping) return;
      onFatal(cause);
    } finally {
      this.#rescoringTo = null;
    }
    this.#rescoreIfPublished();
  }

  /** Applying a block does not wait for anything in its midst, so once the hold is set no block is half applied. */
  async #whileHeld(step: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hold = promise;
    try {
      await step();
    } finally {
      this.#hold = null;
      resolve();
    }
  }

  #every(intervalMs: number, step: () => Promise<void>): void {
    const { logger, metrics, onFatal } = this.#options;
    const repeated = repeat({
      intervalMs,
      step,
      onRetry: (err, pauseMs) => {
        if (err instanceof EventLogError) metrics.count('log_errors_total', { code: err.code });
        logger.warn({ err, pauseMs }, 'will be tried again');
      },
      onFault: onFatal,
    });
    this.#repeated.push(repeated);
  }

  #setGauges(): void {
    const { clock, metrics } = this.#options;
    metrics.set('ledgers', {}, this.ledgers.accountCount);
    metrics.set('contacts', {}, this.ledgers.contactCount);
    metrics.set('checkpoint_age_seconds', {}, Math.max(0, clock() - this.#checkpointer.lastAt) / 1000);
    for (const [partition, { ledgers }] of this.#intakes) {
      const lag = Math.max(0, (this.#ends.get(partition) ?? 0) - ledgers.position);
      metrics.set('log_lag_records', { partition: String(partition) }, lag);
    }
  }
}
