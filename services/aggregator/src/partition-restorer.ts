import { PartitionLedgers, type ScoringModel } from '@touchstone/engine';
import type { EventLog } from '@touchstone/event-log';
import { readStartState, restoreLedgers, type SnapshotOrigin, type Snapshots, type StartState } from '@touchstone/recovery';
import { persist, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError } from '@touchstone/store';
import type { AggregatorStore } from './aggregator-store.ts';
import { AlertStandings } from './alert-standings.ts';
import { Intake } from './intake.ts';
import { payLooks } from './pay-looks.ts';
import type { ScoringJob } from './scoring-job.ts';

interface RestorerOptions {
  readonly log: EventLog;
  readonly store: AggregatorStore;
  readonly job: ScoringJob;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  readonly dedupeHorizonMs: number;
  readonly creativeDays: number;
  /** Whether what has gathered for the next checkpoint is not too much, with a partition that is not held yet. */
  readonly hasRoom: (intake: Intake) => boolean;
  /** Null when none are kept. */
  readonly snapshots: Snapshots | null;
}

/** How a partition was taken up. */
export interface Restored {
  readonly intake: Intake;
  /** Stored records that were replayed. */
  readonly records: number;
  /** How far the partition is in the store. */
  readonly stored: number;
  /** The snapshot that the ledgers began with; null for none. */
  readonly snapshot: { readonly modelVersion: string; readonly position: number; readonly bytes: number } | null;
}

interface Wanted {
  readonly partition: number;
  /** The model of the partitions held already; null when there are none: then it is the one in force in the whole log. */
  readonly model: ScoringModel | null;
  /** What is left of the partition from a while ago, when it was ours. */
  readonly kept: Intake | undefined;
  /** @throws what gives it up: the process stops, or the partition was taken away */
  readonly assertWanted: () => void;
}

/** Takes partitions up: from what was kept of them, or from the stored touches. */
export class PartitionRestorer {
  readonly #options: RestorerOptions;

  constructor(options: RestorerOptions) {
    this.#options = options;
  }

  readStartState(): Promise<StartState> {
    const { job, log, store } = this.#options;
    return readStartState({ log, store, topic: job.eventsTopic, group: job.group });
  }

  /**
   * Looks that all of its accounts ask for are paid as long as there is room for what they come to: the rest is owed, and to be paid before a block
   * is applied.
   * @throws StartError when log and store do not belong together in this partition
   */
  async restore({ assertWanted, kept, model, partition }: Wanted): Promise<Restored> {
    const state = await this.#persist(assertWanted, () => this.readStartState());
    const position = state.startOf(partition);
    const { end, generation, start } = state.extentOf(partition);
    const inForce = model ?? state.modelInForce();
    const modelPublished = state.modelPublished(partition);
    const breathe = async (): Promise<void> => {
      assertWanted();
      await this.#options.scheduler.breathe();
    };
    if (kept !== undefined && isUsable(kept, { start, end, generation }, inForce)) {
      kept.heldUntil = end;
      kept.modelPublished = modelPublished;
      kept.untold.forgetBelow(state.toldBelow(partition));
      await payLooks(kept, { breathe, hasRoom: () => this.#options.hasRoom(kept) });
      return { intake: kept, records: 0, stored: position, snapshot: null };
    }

    const { creativeDays, dedupeHorizonMs, job, store } = this.#options;
    const origin: SnapshotOrigin = { partition, generation, model: inForce, dedupeHorizonMs, creativeDays };
    const { ledgers, snapshot } = await this.#begin(origin, position);
    let records = 0;
    await this.#persist(assertWanted, async () => {
      records += await restoreLedgers(ledgers, position, { store, breathe });
    });
    const standings = await this.#persist(assertWanted, () => this.#restoreStates(ledgers, position, assertWanted));
    keepUnpublished(ledgers, state.publishedBelow(partition, inForce));
    const models = state.modelsOf(partition, position);
    const heldUntil = job.publishesFirstBacklog && !state.hasCommitted(partition) ? position : end;
    const run = job.openRun(partition);
    const intake = new Intake({ run, store, ledgers, generation, models, heldUntil, modelPublished, standings });
    const told = state.toldBelow(partition);
    if (told < position) intake.untold.stored = { from: told, before: position };
    // Unless a model took over while the partition was nobody's, or what that came to may not be stored, nothing comes of it.
    await payLooks(intake, { breathe, hasRoom: () => this.#options.hasRoom(intake) });
    return { intake, records, stored: position, snapshot };
  }

  /** The ledgers of the partition's snapshot, if there is one that fits, or empty ones. */
  async #begin(origin: SnapshotOrigin, stored: number): Promise<{ ledgers: PartitionLedgers; snapshot: Restored['snapshot'] }> {
    const { logger, metrics, snapshots } = this.#options;
    const { creativeDays, dedupeHorizonMs, model, partition } = origin;
    const found = (await snapshots?.read(origin, stored)) ?? { outcome: 'none' };
    if (found.outcome !== 'none') metrics.count('snapshots_total', { outcome: found.outcome });
    if (found.outcome === 'used') {
      const { bytes, ledgers } = found;
      return { ledgers, snapshot: { modelVersion: model.version, position: ledgers.position, bytes } };
    }
    if (found.outcome !== 'none') {
      logger.warn(
        { partition, detail: found.detail },
        'a snapshot of the ledgers is of no use and was deleted; all of the partition is replayed',
      );
    }
    return { ledgers: new PartitionLedgers(partition, model, dedupeHorizonMs, creativeDays), snapshot: null };
  }

  /** Where accounts stand under their rules. */
  async #restoreStates(ledgers: PartitionLedgers, before: number, assertWanted: () => void): Promise<AlertStandings> {
    const standings = new AlertStandings();
    for await (const states of this.#options.store.ruleStates(ledgers.partition, before)) {
      assertWanted();
      ledgers.alerts.restore(states);
      standings.restore(states);
    }
    return standings;
  }

  #persist<Result>(assertWanted: () => void, step: () => Promise<Result>): Promise<Result> {
    const { logger, metrics, scheduler } = this.#options;
    return persist({
      scheduler,
      step,
      onRetry(err, failures, pauseMs) {
        assertWanted();
        if (err instanceof StoreError) metrics.count('store_errors_total', { code: err.code });
        logger.warn({ err, failures, pauseMs }, 'a partition can not be restored right now; it will be tried again');
      },
    });
  }
}

/** Ledgers are a function of the records below their position: as long as the log holds those that follow, nothing else can be wrong with them. */
function isUsable(kept: Intake, extent: { start: number; end: number; generation: string }, model: ScoringModel): boolean {
  const { position } = kept.ledgers;
  return (
    kept.generation === extent.generation &&
    position >= extent.start &&
    position <= extent.end &&
    kept.ledgers.model.version === model.version
  );
}

/** Leaves as changed only the accounts whose last change may not have been published: it stands at this offset or later. */
function keepUnpublished({ accounts }: PartitionLedgers, publishedBelow: number): void {
  accounts.takeChanged();
  for (let account = 0; account < accounts.size; account++) if (accounts.version[account]! >= publishedBelow) accounts.markChanged(account);
}
