import { PartitionLedgers, RescoredSums, type LedgerSet, type ScoringModel } from '@touchstone/engine';
import { restoreLedgers, restoreSums, type RestoreOptions } from '@touchstone/recovery';
import { persist, type Logger, type Scheduler } from '@touchstone/runtime';
import type { AggregatorStore } from './aggregator-store.ts';
import type { Intake } from './intake.ts';

/** Once so few records are missing, catching up with them is no longer noticed by anyone. */
const RECORDS_LEFT_MAX = 20_000;
const ROUNDS_MAX = 5;
const TAIL_BYTES_MAX = 1024 * 1024;
/** Partitions read at a time: while the records of one are applied, the store makes ready those of others. */
const LANES = 3;

interface RescoreOptions {
  readonly intakes: ReadonlyMap<number, Intake>;
  readonly ledgers: LedgerSet;
  readonly store: AggregatorStore;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly dedupeHorizonMs: number;
  readonly creativeDays: number;
  readonly tailBytesMax?: number | undefined;
  /** @throws what gives the rescoring up: the process stops, or other partitions are to be rescored by now */
  readonly assertCurrent: () => void;
  /** Makes everything applied so far durable. */
  readonly checkpoint: () => Promise<void>;
  /** Runs a step while no block is being applied. */
  readonly whileHeld: (step: () => Promise<void>) => Promise<void>;
  /** From within such a step: all partitions have taken over, each at an offset. */
  readonly onTakeover: (offsets: ReadonlyMap<number, number>) => void;
  /** From within such a step: blocks of one partition are not applied before something has ended, though the step has. */
  readonly keepHeld: (partition: number, until: Promise<unknown>) => void;
  /** Looks at all accounts of a partition, as the model asks for. */
  readonly payLooks: (intake: Intake) => Promise<void>;
}

/**
 * Computes what another model makes of the stored touches while the ledgers go on applying and serving under the old one:
 *
 *     round: checkpoint, replay what is stored and not yet replayed      (old model live)
 *     ... until little is missing
 *     last:  one more round, during which what is applied is kept
 *     then:  hold the partitions, apply what is kept, take over          (milliseconds)
 *     then:  partition by partition, look at all accounts under the new rules, and let it go on   (new model live)
 *
 * Only points depend on the model, so only sums are computed, and put into the living ledgers in the end. All partitions take over in one step,
 * so no answer mixes scores of two models. Looks take some 10 microseconds an account, so they are paid in turns, one partition after the other;
 * all of a partition are as of its takeover. Until an account is looked at, its stage and qualification are not known, and blocks of its partition
 * wait: those of the last one for the looks of all.
 */
export async function rescore(model: ScoringModel, options: RescoreOptions): Promise<void> {
  const {
    assertCurrent,
    intakes,
    keepHeld,
    ledgers,
    logger,
    onTakeover,
    payLooks,
    scheduler,
    tailBytesMax = TAIL_BYTES_MAX,
    whileHeld,
  } = options;
  const startedAt = scheduler.elapsed();
  const rescored = [...intakes.values()].map((intake) => new RescoredPartition(intake, model, options));

  let records = 0;
  let offsets: ReadonlyMap<number, number> = new Map();
  let looks: readonly Promise<void>[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    records += await catchUp(rescored, options);
    if (rescored.reduce((sum, { missing }) => sum + missing, 0) <= RECORDS_LEFT_MAX) break;
  }
  try {
    for (const { intake } of rescored) intake.keepTail(tailBytesMax);
    records += await catchUp(rescored, options);
    await whileHeld(takeOver);
  } finally {
    for (const { intake } of rescored) intake.dropTail();
  }
  await Promise.all(looks);
  const seconds = (scheduler.elapsed() - startedAt) / 1000;
  logger.info({ modelVersion: model.version, records, seconds, takeover: Object.fromEntries(offsets) }, 'accounts are rescored');

  async function takeOver(): Promise<void> {
    for (const one of rescored) records += one.replayTail();
    // What came meanwhile may have been too much, or too much of something: then there is more to replay, and the store has it. As blocks wait, it
    // comes to an end.
    while (rescored.some((one) => one.failsToShare() || one.missing > 0)) records += await catchUp(rescored, options);
    assertCurrent();
    for (const one of rescored) one.takeOver();
    ledgers.replace([...intakes.values()].map((intake) => intake.ledgers));
    offsets = new Map([...intakes].map(([partition, intake]) => [partition, intake.ledgers.position]));
    // Right here: while looks are paid partitions may leave, and others come.
    onTakeover(offsets);
    let before: Promise<unknown> = Promise.resolve();
    looks = [...intakes.values()].map((intake) => {
      const paid = before.then(() => payLooks(intake));
      keepHeld(intake.partition, paid);
      before = paid;
      return paid;
    });
  }
}

type KeptBesides = Pick<RescoreOptions, 'dedupeHorizonMs' | 'creativeDays'>;

/** A partition on its way to another model. */
class RescoredPartition {
  readonly intake: Intake;
  readonly #model: ScoringModel;
  readonly #keeps: KeptBesides;
  /** Whole ledgers only where kinds or roles are more than have numbers: which of them have one depends on the model then. */
  #next: RescoredSums | PartitionLedgers;

  constructor(intake: Intake, model: ScoringModel, keeps: KeptBesides) {
    this.intake = intake;
    this.#model = model;
    this.#keeps = keeps;
    this.#next = new RescoredSums(intake.ledgers, model);
    this.failsToShare();
  }

  /** How many records are applied under the old model alone. */
  get missing(): number {
    return this.intake.ledgers.position - this.#next.position;
  }

  /** Begins anew with whole ledgers when it has to. */
  failsToShare(): boolean {
    if (this.#next instanceof PartitionLedgers || this.intake.ledgers.canShare(this.#model)) return false;
    const { creativeDays, dedupeHorizonMs } = this.#keeps;
    this.#next = new PartitionLedgers(this.intake.partition, this.#model, dedupeHorizonMs, creativeDays);
    return true;
  }

  /** To the end of what is applied at the time of the call, which is stored when `checkpointed` resolves. */
  async catchUp(before: number, options: RestoreOptions): Promise<number> {
    const next = this.#next;
    if (!(next instanceof RescoredSums)) return restoreLedgers(next, before, options);
    try {
      return await restoreSums(next, before, options);
    } finally {
      // Other partitions have their turn now, of which there may be many.
      next.letGo();
    }
  }

  get position(): number {
    return this.intake.ledgers.position;
  }

  /** Applies what the intake has kept, as far as it is enough. */
  replayTail(): number {
    return this.#next instanceof RescoredSums ? this.intake.replayTail(this.#next) : 0;
  }

  takeOver(): void {
    const { intake } = this;
    if (this.#next instanceof RescoredSums) this.#next.takeOver();
    else {
      this.#next.now = Math.max(this.#next.now, intake.ledgers.now);
      this.#next.alerts.restore(intake.ledgers.alerts.states());
      this.#next.accounts.takeChanged();
      this.#next.accounts.restateAll();
      intake.ledgers = this.#next;
    }
  }
}

/** Brings all up to what is applied at the time of the call. */
async function catchUp(rescored: readonly RescoredPartition[], options: RescoreOptions): Promise<number> {
  const { assertCurrent, checkpoint, logger, scheduler, store } = options;
  const wanted = rescored.map((one) => ({ one, before: one.position }));
  await checkpoint();
  const breathe = async (): Promise<void> => {
    assertCurrent();
    await scheduler.breathe();
  };
  const pages = appliedInTurn(store);
  let records = 0;
  const lane = async (): Promise<void> => {
    for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
      const { before, one } = next;
      const applied = await persist({
        scheduler,
        step: () => one.catchUp(before, { store: pages, breathe }),
        onRetry(err, failures, pauseMs) {
          assertCurrent();
          logger.warn({ err, failures, pauseMs }, 'the stored touches can not be read right now; rescoring goes on when they can');
        },
      });
      records += applied;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return records;
}

/**
 * Lanes apply their pages one at a time, each to its end. Side by side they would drive each other's columns out of the processor's caches, and come
 * to an end at the same time, so that nothing is applied while the store makes ready what is next.
 */
function appliedInTurn(store: Pick<AggregatorStore, 'replay'>): RestoreOptions['store'] {
  let last: Promise<void> = Promise.resolve();
  return {
    async *replay(...range) {
      for await (const run of store.replay(...range)) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const before = last;
        last = promise;
        await before;
        try {
          yield run;
        } finally {
          resolve();
        }
      }
    },
  };
}
