import { defaultModel, LedgerSet, type ScoringModel } from '@touchstone/engine';
import { EventLogError, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { type ModelStatus, Snapshots } from '@touchstone/recovery';
import { repeat, sleep, type Readiness } from '@touchstone/runtime';
import type { AggregatorOptions } from './aggregator-options.ts';
import { Alerting } from './alerting.ts';
import { BlockGate } from './block-gate.ts';
import { Checkpointer } from './checkpointer.ts';
import { countOutcome } from './count-outcome.ts';
import type { Intake } from './intake.ts';
import { KeptPartitions } from './kept-partitions.ts';
import { LagWatchdog } from './lag-watchdog.ts';
import { PartitionRestorer } from './partition-restorer.ts';
import { payAllLooks } from './pay-looks.ts';
import { pendingBytesOf } from './pending-bytes.ts';
import { createDeadLetterPublisher } from './publish-dead-letters.ts';
import { ScorePublisher } from './publish-scores.ts';
import { readinessOf } from './readiness-of.ts';
import { rescore } from './rescore.ts';
import { accountScoring, type ScoringJob } from './scoring-job.ts';
import { setGauges } from './set-gauges.ts';
import { Snapshotter } from './snapshotter.ts';
import { tellRestored } from './tell-restored.ts';

const ENDS_INTERVAL_MS = 1000;
const SNAPSHOT_LOOK_INTERVAL_MS = 1000;
/** Until there may be room again where a checkpoint has made none: what waits can't be told while a partition is not surely ours. */
const ROOM_LOOK_INTERVAL_MS = 50;

/** What was being done is no longer wanted: the process stops, or partitions have moved. */
class Superseded extends Error {}

/**
 * Applies the log to the ledgers, publishes scores and checkpoints, for the partitions that are assigned to it:
 *
 *     assigned --> restored from the store --> log --block--> intake --ledgers--> publishers (every 25 ms) --> account-scores, alerts
 *                                                               '--- gathered rows --> checkpointer (every second) --> store, then positions
 *
 * Where time alone makes something happen and no record comes, a ticker appends one to the log.
 *
 * Partitions come and go with the processes that share the work. What keeps a former owner from doing harm is that nothing it writes depends on
 * being the owner: rows are keyed by their place on the log, and of two scores of an account readers take the one of the higher version.
 */
export class Aggregator {
  readonly ledgers = new LedgerSet();
  readonly #options: AggregatorOptions;
  readonly #job: ScoringJob;
  readonly #publisher: ScorePublisher;
  readonly #alerting: Alerting;
  readonly #checkpointer: Checkpointer;
  readonly #restorer: PartitionRestorer;
  readonly #kept: KeptPartitions;
  readonly #snapshotter: Snapshotter;
  /** The partitions held, each from the end of its restore until it is taken away. */
  readonly #intakes = new Map<number, Intake>();
  /** Partitions that are assigned and not restored yet, with what tells one assignment from the next. */
  readonly #awaited = new Map<number, symbol>();
  /** Restores run one at a time: each may take as much memory as the store hands over at once. */
  #restoring: Promise<unknown> = Promise.resolve();
  #restored = Promise.withResolvers<void>();
  #restoreStartedAt = 0;
  #restoredRecords = 0;
  /** Grows with each change of what is held. */
  #moves = 0;
  #startModel: ScoringModel = defaultModel;
  #subscription: Subscription | null = null;
  readonly #takeover = new Map<number, number>();
  #rescoringTo: string | null = null;
  #rescoring: Promise<void> = Promise.resolve();
  readonly #gate = new BlockGate();
  /** Ends of the log as last seen, by partition. */
  #ends: ReadonlyMap<number, number> = new Map();
  readonly #watchdog = new LagWatchdog();
  readonly #repeated: { stop(): void }[] = [];
  #isStopping = false;
  readonly #fail = (cause: unknown): void => (this.#isStopping ? undefined : this.#options.onFatal(cause));

  constructor(options: AggregatorOptions) {
    const { log, logger, metrics, scheduler, store } = options;
    this.#options = options;
    const job = options.job ?? accountScoring;
    this.#job = job;
    this.#kept = new KeptPartitions(scheduler);
    const { snapshotsDirectory } = options;
    const snapshots = snapshotsDirectory === undefined ? null : new Snapshots(snapshotsDirectory);
    this.#restorer = new PartitionRestorer({ ...options, job, snapshots, hasRoom: (intake) => this.#hasRoom(intake) });
    this.#publisher = new ScorePublisher({
      ...options,
      job,
      ledgers: this.ledgers,
      mayPublish: (partition) => this.#mayPublish(partition),
    });
    this.#alerting = new Alerting({
      ...options,
      intakes: this.#intakes,
      owns: (partition) => this.#subscription?.owns(partition) === true,
      modelInForce: () => this.modelStatus.model,
      topic: job.eventsTopic,
    });
    this.#checkpointer = new Checkpointer({
      intakes: () => [...this.#intakes.values(), ...this.#kept.intakes],
      publisher: this.#publisher,
      alerts: this.#alerting.publisher,
      publishDeadLetters: createDeadLetterPublisher(log, job.eventsTopic),
      store,
      subscription: () => this.#subscription,
      metrics,
      logger,
      scheduler,
      // While another model is prepared its scores are still to come, even if the newest one is in force again by now.
      mayCommit: (partition) => this.#rescoringTo === null && this.#mayPublish(partition) && !this.#intakes.get(partition)!.owesEffects,
    });
    this.#snapshotter = new Snapshotter({
      ...options,
      snapshots,
      intakes: () => this.#intakes.values(),
      whileStill: (partition, step) => this.#gate.whileShutTo(partition, step),
      checkpoint: () => this.#checkpointer.run(),
    });
    metrics.beforeScrape(() =>
      setGauges(metrics, {
        ledgers: this.ledgers,
        intakes: this.#intakes,
        ends: this.#ends,
        stages: this.modelStatus.model.stages.map(({ id }) => id),
        checkpointAgeMs: scheduler.now() - this.#checkpointer.lastAt,
      }),
    );
  }

  /**
   * Looks whether log and store belong together, in all partitions. Comes before `start`, and before anybody may append to the log.
   * @throws StartError; StoreError, EventLogError
   */
  async prepare(): Promise<void> {
    const state = await this.#restorer.readStartState();
    state.assertAllStart();
    this.#startModel = state.modelInForce();
  }

  /** Joins those who share the work; resolves once the partitions that are assigned at first are restored. */
  async start(): Promise<void> {
    const { checkpointIntervalMs, log, publishIntervalMs } = this.#options;
    this.#subscription = await log.subscribe({
      topic: this.#job.eventsTopic,
      group: this.#job.group,
      onAssigned: (partition) => this.#take(partition),
      onRevoked: (partition) => this.#drop(partition),
      onBlock: (block) => this.#applyBlock(block),
      onFailed: (cause) => {
        this.#restored.resolve();
        if (!this.#isStopping) this.#options.onFatal(cause);
      },
    });
    const restMs = (): number => this.#publisher.restMs;
    this.#every(publishIntervalMs, async () => void (await this.#publisher.publish()), restMs);
    this.#alerting.start((intervalMs, step) => this.#every(intervalMs, step));
    this.#every(checkpointIntervalMs, () => this.#checkpointer.run());
    // Apart from the checkpoints: the lag is worth most while the store does not answer.
    this.#every(ENDS_INTERVAL_MS, async () => {
      this.#ends = new Map((await log.extents(this.#job.eventsTopic)).map(({ partition, end }) => [partition, end]));
      // One that was made anew lacks what was published before, and says so when it is asked.
      await log.extents(this.#job.scoresTopic);
      this.#watchdog.look(this.#options.scheduler.elapsed(), this.#movingPositions(), this.#ends);
    });
    // Not under a model that is about to be replaced.
    this.#every(SNAPSHOT_LOOK_INTERVAL_MS, async () => (this.#rescoringTo === null ? this.#snapshotter.look() : undefined));
    const isNothingAssigned = (this.#subscription.assigned?.size ?? 0) === 0;
    if (!isNothingAssigned) await this.#restored.promise;
  }

  /** How many partitions are held. */
  get partitionsHeld(): number {
    return this.#intakes.size;
  }

  get modelStatus(): ModelStatus {
    const [any] = this.ledgers.partitions;
    return { model: any?.model ?? this.#startModel, takeover: this.#takeover, rescoringTo: this.#rescoringTo };
  }

  /** The default model, all that were ever published and have arrived here, and the one in force, by version. */
  get models(): ReadonlyMap<string, ScoringModel> {
    const published = [...this.#intakes.values()].flatMap(({ models }) => models);
    return new Map([defaultModel, ...published, this.modelStatus.model].map((model) => [model.version, model]));
  }

  readiness(): Readiness {
    const assigned = this.#subscription?.assigned ?? null;
    return readinessOf({ isStarted: this.#subscription !== null, assigned, intakes: this.#intakes, awaited: this.#awaited.size });
  }

  /** Stops taking blocks, publishes and stores what was applied, commits, leaves the partitions to others. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#checkpointer.stop();
    for (const repeated of this.#repeated) repeated.stop();
    await Promise.allSettled([this.#rescoring, this.#restoring]);
    this.#restored.resolve();
    if (this.#subscription !== null) {
      // Hold what comes, let what is under way end, store it; the subscription must still own its partitions to commit.
      try {
        await this.#gate.whileShut(() => this.#checkpointer.run());
      } finally {
        await this.#subscription.stop();
      }
      await this.#snapshotter.takeAll();
    }
    this.#kept.clear();
  }

  /** Takes up a partition that was assigned; resolves to the offset from which its records are wanted. */
  #take(partition: number): Promise<number> {
    if (this.#awaited.size === 0) {
      this.#restoreStartedAt = this.#options.scheduler.elapsed();
      this.#restoredRecords = 0;
    }
    const assignment = Symbol(`assignment of ${partition}`);
    this.#awaited.set(partition, assignment);
    const restore = this.#restoring.then(() => this.#restore(partition, assignment));
    this.#restoring = restore.catch(() => {});
    return restore;
  }

  async #restore(partition: number, assignment: symbol): Promise<number> {
    const assertWanted = (): void => {
      if (this.#isStopping || this.#awaited.get(partition) !== assignment) throw new Superseded(`partition ${partition} is not wanted`);
    };
    try {
      assertWanted();
      const [any] = this.ledgers.partitions;
      const kept = this.#kept.take(partition);
      const { intake, records, snapshot, stored } = await this.#restorer.restore({
        partition,
        model: any?.model ?? null,
        kept,
        assertWanted,
      });
      assertWanted();
      this.#intakes.set(partition, intake);
      this.#awaited.delete(partition);
      this.#restoredRecords += records;
      if (snapshot !== null) this.#snapshotter.remember(partition, snapshot);
      this.#takeover.set(partition, intake.ledgers.position);
      this.#checkpointer.remember(partition, stored);
      this.#serve();
      this.#payRestOfLooks(intake);
      this.#options.metrics.count('partitions_taken_total', { from: intake === kept ? 'memory' : 'store' });
      if (this.#awaited.size === 0) this.#tellRestored();
      this.#rescoreIfPublished();
      return intake.ledgers.position;
    } catch (cause) {
      if (!(cause instanceof Superseded)) throw cause;
      return 0;
    }
  }

  #tellRestored(): void {
    const { ledgers } = this;
    const seconds = (this.#options.scheduler.elapsed() - this.#restoreStartedAt) / 1000;
    tellRestored({ records: this.#restoredRecords, seconds, ledgers, modelVersion: this.modelStatus.model.version }, this.#options);
    this.#restored.resolve();
  }

  /** The partition was taken away: another may be its owner already. What is held of it is kept for a while, should it come back. */
  #drop(partition: number): void {
    this.#awaited.delete(partition);
    this.#checkpointer.forget(partition);
    const intake = this.#intakes.get(partition);
    if (intake !== undefined) this.#putAside(intake);
    // It may have been the last that a model had not reached, or that was not restored.
    this.#rescoreIfPublished();
  }

  #putAside(intake: Intake): void {
    this.#intakes.delete(intake.partition);
    this.#takeover.delete(intake.partition);
    this.#kept.keep(intake);
    this.#serve();
  }

  #serve(): void {
    this.#moves++;
    this.ledgers.replace([...this.#intakes.values()].map(({ ledgers }) => ledgers));
  }

  #mayPublish(partition: number): boolean {
    const intake = this.#intakes.get(partition);
    return intake !== undefined && intake.isCaughtUp && intake.isModelCurrent && this.#subscription?.owns(partition) === true;
  }

  async #applyBlock(block: RecordBlock): Promise<void> {
    const intake = this.#intakes.get(block.partition);
    const isHeld = (): boolean => intake !== undefined && this.#intakes.get(block.partition) === intake && !this.#isStopping;
    await this.#gate.pass(block.partition);
    if (!isHeld()) return;
    const { metrics, pendingBytesMax, scheduler } = this.#options;
    const startedAt = scheduler.elapsed();
    const wasBehind = !intake!.isCaughtUp;
    const outcome = intake!.apply(block);
    metrics.observe('apply_seconds', {}, (scheduler.elapsed() - startedAt) / 1000);
    countOutcome(intake!, outcome, this.#options);
    if (outcome.counted > 0) this.#publisher.expect(block);
    if (outcome.models > 0) this.#rescoreIfPublished();
    // The end of a backlog has been waited for: it is stored and told at once.
    if (wasBehind && this.readiness().ready) this.#checkpointer.run().catch(this.#fail);
    // The partition waits until there is room again: memory is bounded whatever the store does.
    while (this.#pendingBytes() > pendingBytesMax && isHeld()) {
      await this.#checkpointer.run();
      if (this.#pendingBytes() > pendingBytesMax) await sleep(scheduler, ROOM_LOOK_INTERVAL_MS);
    }
  }

  /** Where the partitions are that nothing of ours holds up. */
  #movingPositions(): ReadonlyMap<number, number> {
    const isMoving = (partition: number): boolean => !this.#gate.isShutTo(partition) && this.#subscription?.owns(partition) === true;
    const moving = this.#hasRoom() ? [...this.#intakes].filter(([partition]) => isMoving(partition)) : [];
    return new Map(moving.map(([partition, { ledgers }]) => [partition, ledgers.position]));
  }

  #pendingBytes(): number {
    return pendingBytesOf(this.#intakes.values(), this.#kept.intakes);
  }

  /** Whether more may gather, with a partition that is about to be held. */
  #hasRoom(coming?: Intake): boolean {
    return this.#pendingBytes() + (coming === undefined ? 0 : pendingBytesOf([coming], [])) <= this.#options.pendingBytesMax;
  }

  #payLooks(intake: Intake): Promise<void> {
    const [checkpoint, hasRoom, isStopping] = [() => this.#checkpointer.run(), () => this.#hasRoom(), () => this.#isStopping];
    return payAllLooks(intake, { ...this.#options, checkpoint, hasRoom, isStopping });
  }

  /** Where the restore had no room for what looks came to: blocks wait, and a rescoring, until the others are paid. */
  #payRestOfLooks(intake: Intake): void {
    if (!intake.ledgers.alerts.owesLooks) return;
    const paid = this.#payLooks(intake);
    this.#gate.keepShutTo(intake.partition, paid);
    paid.catch(this.#fail);
  }

  /** When the newest model has arrived in every partition and is not the one in force, the accounts are rescored under it. */
  #rescoreIfPublished(): void {
    if (this.#rescoringTo !== null || this.#isStopping || this.#awaited.size > 0) return;
    const newest = new Set([...this.#intakes.values()].map(({ models }) => models.at(-1)?.version));
    const [version] = newest;
    if (newest.size !== 1 || version === undefined || version === this.modelStatus.model.version) return;
    const [intake] = this.#intakes.values();
    this.#rescoringTo = version;
    this.#rescoring = this.#rescore(intake!.models.at(-1)!);
  }

  async #rescore(model: ScoringModel): Promise<void> {
    const { metrics, onFatal } = this.#options;
    const moves = this.#moves;
    try {
      await rescore(model, {
        ...this.#options,
        intakes: new Map(this.#intakes),
        ledgers: this.ledgers,
        assertCurrent: () => {
          if (this.#isStopping || this.#moves !== moves || this.#awaited.size > 0) throw new Superseded('other partitions are held by now');
        },
        checkpoint: () => this.#checkpointer.run(),
        whileHeld: (step) => this.#gate.whileShut(step),
        onTakeover: (offsets) => {
          for (const [partition, offset] of offsets) this.#takeover.set(partition, offset);
        },
        keepHeld: (partition, until) => this.#gate.keepShutTo(partition, until),
        payLooks: (intake) => this.#payLooks(intake),
      });
      metrics.count('rescores_total', { outcome: 'done' });
    } catch (cause) {
      metrics.count('rescores_total', { outcome: cause instanceof Superseded ? 'superseded' : 'failed' });
      if (this.#isStopping) return;
      if (!(cause instanceof Superseded)) onFatal(cause);
    } finally {
      this.#rescoringTo = null;
    }
    this.#rescoreIfPublished();
  }

  #every(intervalMs: number, step: () => Promise<void>, restMs?: () => number): void {
    const { logger, metrics, onFatal, scheduler } = this.#options;
    const repeated = repeat({
      scheduler,
      intervalMs,
      restMs,
      step,
      onRetry: (err, pauseMs) => {
        if (err instanceof EventLogError) metrics.count('log_errors_total', { code: err.code });
        logger.warn({ err, pauseMs }, 'will be tried again');
      },
      onFault: onFatal,
    });
    this.#repeated.push(repeated);
  }
}
