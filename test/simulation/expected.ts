import { LogRun } from '@touchstone/codec';
import { accountOf, FIELD, OUTCOME, PartitionLedgers, type Outcome, type ScoringModel, type Transition } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { LogEntry } from '@touchstone/testkit';
import type { Appended } from './broker.ts';
import type { WorkRecord } from './workload.ts';

/** An account's change: it has this version from this offset on. */
export interface Change {
  readonly offset: number;
  readonly accountId: string;
}

/** What one partition must come to, followed record by record as it is appended: one undisturbed pass of the engine. */
export class ExpectedPartition {
  readonly partition: number;
  readonly blocks: RecordBlock[] = [];
  readonly entries: LogEntry[] = [];
  /** By offset. */
  readonly outcomes: (Outcome | undefined)[] = [];
  readonly values: (Uint8Array | undefined)[] = [];
  readonly changes: Change[] = [];
  readonly models: { readonly offset: number; readonly model: ScoringModel }[] = [];
  /** Every step of an account under a rule, in the order they happen. */
  readonly transitions: Transition[] = [];
  /** The alert of each id that is to be told, with its place among the transitions. */
  readonly alerts = new Map<string, { readonly place: number; readonly transition: Transition }>();
  /** Offsets of the ticks that bring growth. */
  readonly growthAt = new Set<number>();
  readonly #model: ScoringModel;
  readonly #ledgers: PartitionLedgers;
  readonly #run: LogRun<RecordBlock>;

  /** @param model in force at first; rules are those of this one throughout */
  constructor(partition: number, model: ScoringModel, dedupeHorizonMs: number) {
    this.partition = partition;
    this.#model = model;
    this.#ledgers = new PartitionLedgers(partition, model, dedupeHorizonMs);
    this.#run = new LogRun(partition, new RecordReader());
  }

  add({ appendedAt, baseOffset, partition, records }: Appended): void {
    const { block } = partition.batchAt(baseOffset)!;
    this.blocks.push(block);
    for (const [index, record] of records.entries()) {
      // Ticks say nothing that a score depends on.
      const { entry = null } = record as Partial<WorkRecord>;
      if (entry !== null) this.entries.push({ partition: this.partition, offset: baseOffset + index, appendedAt, record: entry });
    }
    const run = this.#run;
    run.open(block);
    while (run.next()) {
      const { offset } = run;
      const outcome = this.#ledgers.apply(run, false);
      this.outcomes[offset] = outcome;
      this.#addTransitions();
      if (outcome === OUTCOME.tick && run.tick!.fleetGrowth !== null) this.growthAt.add(offset);
      if (outcome === OUTCOME.counted) this.changes.push({ offset, accountId: run.touch.text(FIELD.accountId)! });
      if (outcome === OUTCOME.fact) this.#addFact(offset);
      if (outcome === OUTCOME.model) this.models.push({ offset, model: run.model! });
      if (outcome === OUTCOME.setAside) this.values[offset] = run.value;
    }
  }

  /** Whether the record leaves something in the store that ledgers are made of. */
  isStored(offset: number): boolean {
    const outcome = this.outcomes[offset];
    const isKept = outcome === OUTCOME.counted || outcome === OUTCOME.unresolved || outcome === OUTCOME.fact || outcome === OUTCOME.model;
    return isKept || this.growthAt.has(offset);
  }

  /** The model of the last control record below an offset. */
  modelBelow(offset: number): ScoringModel {
    return this.models.findLast((published) => published.offset < offset)?.model ?? this.#model;
  }

  /** Among the models of the partition; -1 for the default and others. */
  placeOfModel(version: string): number {
    return this.models.findLastIndex((published) => published.model.version === version);
  }

  #addTransitions(): void {
    for (const transition of this.#ledgers.alerts.takeTransitions()) {
      if (!transition.isHeld) this.alerts.set(transition.alert.id, { place: this.transitions.length, transition });
      this.transitions.push(transition);
    }
  }

  #addFact(offset: number): void {
    const accountId = accountOf(this.#run.fact!);
    if (accountId !== null) this.changes.push({ offset, accountId });
  }
}
