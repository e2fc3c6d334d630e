import { LogRun } from '@touchstone/codec';
import { familyOf, OUTCOME, PartitionLedgers, type Alert, type ScoringModel } from '@touchstone/engine';
import { EVENTS_TOPIC, RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { readStartState, restoreLedgers } from '@touchstone/recovery';
import { isRetriable, pauseMsAfter, persist, sleep, type Scheduler } from '@touchstone/runtime';
import type { Store } from '@touchstone/store';
import { stateAfterAlert } from './state-after-alert.ts';
import type { Turns } from './turns.ts';

/** Applied before it is looked whether others should have their turn: a fraction of a millisecond of work. */
const RECORDS_A_LOOK = 256;

export interface CopyOptions {
  readonly log: Pick<EventLog, 'extents' | 'committed' | 'subscribe'>;
  readonly store: Pick<Store, 'positions' | 'models' | 'replay' | 'ruleStates'>;
  readonly scheduler: Scheduler;
  readonly turns: Turns;
  readonly dedupeHorizonMs: number;
  readonly creativeDays: number;
  /** Lets others have their turn during the restore. It may throw, to give up. */
  readonly breathe: () => Promise<void>;
  readonly onProgress: (detail: string) => void;
  /** Log or store did not answer; it is tried again. It may throw, to give up. */
  readonly onRetry: (cause: unknown, pauseMs: number) => void;
  /** Records were applied. */
  readonly onApplied: () => void;
  /** It follows the log no longer: see `failure`. */
  readonly onEnded: () => void;
}

const encoder = new TextEncoder();

function rowOf({ accounts }: PartitionLedgers, accountId: string): number {
  const bytes = encoder.encode(accountId);
  return accounts.names.find(0, bytes, 0, bytes.length);
}

interface CopiedPartition {
  readonly ledgers: PartitionLedgers;
  /** Models the partition has got, oldest first. */
  readonly models: ScoringModel[];
}

/**
 * The ledgers of all partitions under one model, as a reader keeps them: restored from the store, then following the log. It gathers nothing,
 * publishes nothing and commits nothing, so any number of processes may have one.
 */
export class LedgerCopy {
  readonly model: ScoringModel;
  /** Where the log ended before the restore, by partition. */
  readonly ends: ReadonlyMap<number, number>;
  /** Stored records that were replayed. */
  records = 0;
  /** Why it follows the log no longer: `offset_out_of_range` when the log has dropped what comes next. Null while it does. */
  failure: Error | null = null;
  readonly #options: CopyOptions;
  readonly #partitions: ReadonlyMap<number, CopiedPartition>;
  #subscription: Subscription | null = null;
  /** While set, no record is applied. */
  #hold: PromiseWithResolvers<void> | null = null;
  #isStopped = false;
  /** To follow the log, in a row. */
  #failures = 0;

  private constructor(
    model: ScoringModel,
    ends: ReadonlyMap<number, number>,
    partitions: ReadonlyMap<number, CopiedPartition>,
    options: CopyOptions,
  ) {
    this.model = model;
    this.ends = ends;
    this.#partitions = partitions;
    this.#options = options;
  }

  /**
   * Restores every partition from the store, as long as it takes for log and store to answer.
   * @param model null for the one that is in force by what is stored
   * @throws StartError when log and store do not belong together
   */
  static async restore(model: ScoringModel | null, options: CopyOptions): Promise<LedgerCopy> {
    const { breathe, creativeDays, dedupeHorizonMs, log, onProgress, onRetry, scheduler, store } = options;
    const patiently = <Result>(step: () => Promise<Result>): Promise<Result> =>
      persist({ scheduler, step, onRetry: (cause, _failures, pauseMs) => onRetry(cause, pauseMs) });

    const state = await patiently(() => readStartState({ log, store, topic: EVENTS_TOPIC, group: null }));
    state.assertAllStart();
    const chosen = model ?? state.modelInForce();
    const ends = new Map([...state.extents].map(([partition, { end }]) => [partition, end]));
    const partitions = new Map<number, CopiedPartition>();
    const copy = new LedgerCopy(chosen, ends, partitions, options);
    for (const partition of state.extents.keys()) {
      onProgress(`restored ${partitions.size} of ${ends.size} partitions`);
      const position = state.startOf(partition);
      const ledgers = new PartitionLedgers(partition, chosen, dedupeHorizonMs, creativeDays);
      // Where accounts stand under rules is decided by the aggregator, and told.
      ledgers.alerts.forgetTransitions();
      copy.records += await patiently(() => restoreLedgers(ledgers, position, { store, breathe }));
      await patiently(() => restoreStates(ledgers, position, options));
      partitions.set(partition, { ledgers, models: state.modelsOf(partition, position) });
    }
    return copy;
  }

  /** One of each partition. */
  get ledgers(): readonly PartitionLedgers[] {
    return [...this.#partitions.values()].map(({ ledgers }) => ledgers);
  }

  /** Offset of the next record to apply, by partition. */
  get positions(): ReadonlyMap<number, number> {
    return new Map([...this.#partitions].map(([partition, { ledgers }]) => [partition, ledgers.position]));
  }

  /** Takes over what an alert says of its account, unless it is known. */
  takeAlert(partition: number, alert: Alert): void {
    const ledgers = this.#partitions.get(partition)?.ledgers;
    const account = ledgers === undefined ? -1 : rowOf(ledgers, alert.accountId);
    if (ledgers === undefined || account < 0) return;
    const state = stateAfterAlert(alert, ledgers.alerts.stateOf(account, familyOf(alert.type), alert.ruleId));
    if (state !== null) ledgers.alerts.applyState(state);
  }

  /** How many records are missing until it has been applied up to these positions. */
  missingUntil(positions: ReadonlyMap<number, number>): number {
    let missing = 0;
    for (const [partition, position] of positions) missing += Math.max(0, position - this.#partitions.get(partition)!.ledgers.position);
    return missing;
  }

  /** The model that every partition has got last; null while they differ. */
  get newestModel(): ScoringModel | null {
    const newest = [...this.#partitions.values()].map(({ models }) => models.at(-1) ?? null);
    const [any = null] = newest;
    return newest.every((model) => model !== null && model.version === any?.version) ? any : null;
  }

  /** Follows the log from where the ledgers are, until it is stopped or can follow no further. */
  async follow(): Promise<void> {
    const { log, scheduler } = this.#options;
    const partitions = [...this.#partitions.keys()];
    const runs = new Map(partitions.map((partition) => [partition, new LogRun<RecordBlock>(partition, new RecordReader())]));
    try {
      this.#subscription = await persist({
        scheduler,
        step: () =>
          log.subscribe({
            topic: EVENTS_TOPIC,
            group: null,
            onAssigned: (partition) => this.#partitions.get(partition)!.ledgers.position,
            onBlock: (block) => this.#apply(runs.get(block.partition)!, block),
            onFailed: (cause) => void this.#followAgain(cause).catch((err: unknown) => this.#end(err)),
          }),
        onRetry: (cause, _failures, pauseMs) => this.#options.onRetry(cause, pauseMs),
      });
    } catch (cause) {
      this.#end(cause);
      return;
    }
    if (this.#isStopped) await this.#subscription.stop();
  }

  /** No record is applied from now on, until `release`: a block that is being applied stands still between two records. */
  hold(): void {
    this.#hold ??= Promise.withResolvers();
  }

  release(): void {
    this.#hold?.resolve();
    this.#hold = null;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.release();
    await this.#subscription?.stop();
  }

  async #followAgain(cause: unknown): Promise<void> {
    if (this.#isStopped) return;
    const { onRetry, scheduler } = this.#options;
    if (!isRetriable(cause)) {
      this.#end(cause);
      return;
    }
    const pauseMs = pauseMsAfter(++this.#failures, scheduler);
    onRetry(cause, pauseMs);
    await sleep(scheduler, pauseMs);
    // Its handlers must have ended before others apply the same records.
    await this.#subscription?.stop();
    if (!this.#isStopped) await this.follow();
  }

  #end(cause: unknown): void {
    this.failure = cause instanceof Error ? cause : new Error('the log can not be followed', { cause });
    this.#options.onEnded();
  }

  async #apply(run: LogRun<RecordBlock>, block: RecordBlock): Promise<void> {
    const { onApplied, turns } = this.#options;
    const { ledgers, models } = this.#partitions.get(block.partition)!;
    this.#failures = 0;
    run.open(block);
    for (let count = 0; run.next(); count++) {
      if (count % RECORDS_A_LOOK === 0 && (this.#hold !== null || turns.isOver)) {
        ledgers.settle();
        await this.#waitForTurn();
        if (this.#isStopped) return;
      }
      if (ledgers.take(run, false) === OUTCOME.model) models.push(run.model!);
    }
    ledgers.settle();
    ledgers.position = Math.max(ledgers.position, block.nextOffset);
    // Nobody publishes from here: which accounts have changed, and what no rule names, is noted for nobody.
    ledgers.accounts.takeChanged();
    ledgers.kinds.takeUnruled();
    onApplied();
  }

  async #waitForTurn(): Promise<void> {
    do {
      if (this.#hold !== null) await this.#hold.promise;
      await this.#options.turns.next();
    } while (this.#hold !== null);
  }
}

/** Reading the same states once more changes nothing. */
async function restoreStates(ledgers: PartitionLedgers, before: number, { breathe, store }: CopyOptions): Promise<void> {
  if (!ledgers.alerts.hasRules) return;
  for await (const states of store.ruleStates(ledgers.partition, before)) {
    ledgers.alerts.restore(states);
    await breathe();
  }
}
