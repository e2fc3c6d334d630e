import { familyOf, FIELD, RECORD, type Alert, type LedgerSet } from '@touchstone/engine';
import { mergeSummaries, summarise, type EvidenceSummary, type ExperimentState, type Held } from '@touchstone/experiments';
import { persist, sleep, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type Store } from '@touchstone/store';
import { PartitionEvidence, type Gap, type OwedCrossings } from './partition-evidence.ts';
import { RoleBook } from './role-book.ts';

/** What was applied is stored within a checkpoint. */
const STORED_LOOK_MS = 200;
const TOUCHES_A_TURN = 2000;

export interface EvidenceFeedOptions {
  /** The ledgers that answers are computed from. */
  readonly ledgers: LedgerSet;
  readonly store: Pick<Store, 'positions' | 'offsetSince' | 'replay' | 'contactRoles' | 'crossings'>;
  /** Alerts that were told lately, oldest first: those that are not stored yet are among them. */
  readonly keptAlerts: () => Iterable<{ readonly partition: number; readonly alert: Alert }>;
  /** The experiments that run. */
  readonly running: () => readonly ExperimentState[];
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Evidence of the running experiments, made of the touches that the ledgers of this process count. What counted before it was there (an experiment
 * that was just started, a restart, other ledgers) is read from the store, each touch once: up to where the ledgers are, while what comes after waits.
 */
export class EvidenceFeed {
  readonly #options: EvidenceFeedOptions;
  readonly #partitions = new Map<number, PartitionEvidence>();
  #isFilling = false;
  #isStopped = false;

  constructor(options: EvidenceFeedOptions) {
    this.#options = options;
    options.ledgers.whenReplaced(() => this.refresh());
  }

  /** Looks which experiments run and which ledgers there are. */
  refresh(): void {
    const running = this.#options.running();
    const served = new Set<number>();
    for (const ledgers of this.#options.ledgers.partitions) {
      const { partition } = ledgers;
      served.add(partition);
      let evidence = this.#partitions.get(partition);
      if (evidence === undefined) this.#partitions.set(partition, (evidence = new PartitionEvidence(partition)));
      // Ledgers that nobody makes evidence of tell nobody of their touches.
      evidence.attach(running.length === 0 ? null : ledgers);
      evidence.keep(running);
    }
    for (const [partition, evidence] of this.#partitions) {
      if (served.has(partition)) continue;
      evidence.attach(null);
      this.#partitions.delete(partition);
    }
    void this.#fill();
  }

  /** Takes an alert that was just told. */
  takeAlert(partition: number, alert: Alert): void {
    if (familyOf(alert.type) === 'threshold') this.#partitions.get(partition)?.crossed(alert.ruleId, alert);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Whether the evidence of all that runs is read. */
  get isWhole(): boolean {
    return this.#partitions.values().every(({ isWhole }) => isWhole);
  }

  heldBy(experimentId: string, partition: number, accountId: string): Held | null {
    return this.#partitions.get(partition)?.heldBy(experimentId, accountId) ?? null;
  }

  /** What all evidence of an experiment comes to; null while some of it is still to be read. */
  async summaryOf({ definition, lineups }: ExperimentState): Promise<EvidenceSummary | null> {
    const { ledgers, scheduler } = this.#options;
    const asOf = Math.max(scheduler.now(), ...[...ledgers.partitions].map(({ now }) => now));
    const summaries: EvidenceSummary[] = [];
    const partitions = [...this.#partitions.values()].toSorted((one, other) => one.partition - other.partition);
    for (const partition of partitions) {
      const evidence = partition.evidenceOf(definition.id);
      if (evidence === null) return null;
      summaries.push(summarise(evidence, lineups, asOf));
      await scheduler.breathe();
    }
    return summaries.length === 0 ? null : mergeSummaries(summaries);
  }

  /**
   * Closes gaps until there are none: all that there are at a time wait for one checkpoint, and are read one after the other. Crossings come last, when
   * all accounts that are exposed by then are known: those told later are taken as they come.
   */
  async #fill(): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      while (!this.#isStopped) {
        const gaps = this.#gaps();
        if (gaps.length > 0) await this.#stored(gaps);
        for (const gap of gaps) await this.#read(gap);
        const owed = [...this.#partitions.values()].map((partition) => partition.owed()).filter((of) => of !== null);
        for (const of of owed) await this.#readCrossings(of);
        if (gaps.length === 0 && owed.length === 0) return;
      }
    } catch (err) {
      if (!this.#isStopped) this.#options.logger.error({ err }, 'evidence of experiments could not be read from the store');
    } finally {
      this.#isFilling = false;
    }
  }

  #gaps(): readonly Gap[] {
    return [...this.#partitions.values()].map((partition) => partition.gap()).filter((gap) => gap !== null);
  }

  async #stored(gaps: readonly Gap[]): Promise<void> {
    const { scheduler, store } = this.#options;
    await this.#ask(async () => {
      while (!this.#isStopped) {
        const positions = await store.positions();
        if (gaps.every(({ before, partition }) => (positions.get(partition)?.offset ?? 0) >= before)) return;
        await sleep(scheduler, STORED_LOOK_MS);
      }
    });
  }

  async #read({ before, close, experiments, fields, partition, take }: Gap): Promise<void> {
    const { scheduler, store } = this.#options;
    const from = await this.#ask(async () => {
      const begins = experiments.map(async ({ startedAt, upTo }) => upTo ?? (await store.offsetSince(partition, startedAt)));
      return Math.min(...(await Promise.all(begins)).map((offset) => offset ?? Infinity));
    });
    if (from < before) {
      const roles = new RoleBook();
      for await (const said of store.contactRoles(partition, from)) {
        for (const one of said) roles.note(one);
        await scheduler.breathe();
      }
      let taken = 0;
      for await (const run of store.replay(partition, before, { from, fields, ids: false })) {
        while (run.next()) {
          if (run.fact?.type === 'contact') roles.note({ ...run.fact, contactId: run.fact.id });
          if (run.kind !== RECORD.touch || !run.touch.has(FIELD.accountId)) continue;
          if (!take(run.touch, run.offset, run.appendedAt, roles) || this.#isStopped) return;
          if (++taken % TOUCHES_A_TURN === 0) await scheduler.breathe();
        }
      }
    }
    close();
  }

  async #readCrossings({ paid, partition, thresholds }: OwedCrossings): Promise<void> {
    const { keptAlerts, scheduler, store } = this.#options;
    for (const ruleId of thresholds) {
      for await (const crossings of store.crossings(partition, ruleId)) {
        for (const crossing of crossings) this.#partitions.get(partition)?.crossed(ruleId, crossing);
        await scheduler.breathe();
      }
    }
    for (const { alert, partition: of } of keptAlerts()) if (of === partition) this.takeAlert(partition, alert);
    paid();
  }

  #ask<Answer>(step: () => Promise<Answer>): Promise<Answer> {
    const { logger, metrics, scheduler } = this.#options;
    return persist({
      scheduler,
      step,
      onRetry: (err) => {
        if (this.#isStopped) throw err;
        if (err instanceof StoreError) metrics.count('store_errors_total', { code: err.code });
        logger.warn({ err }, 'evidence of experiments waits for the store');
      },
    });
  }
}
