import { fieldsUsed, PartitionLedgers, replay, type ScoringModel } from '@touchstone/engine';
import type { CommittedPosition, EventLog, PartitionExtent } from '@touchstone/event-log';
import type { Store, StoredModel } from '@touchstone/store';
import { modelInForce } from './choose-model.ts';
import { findStart } from './find-start.ts';
import { Intake } from './intake.ts';

export interface Recovered {
  readonly intakes: ReadonlyMap<number, Intake>;
  readonly model: ScoringModel;
  /** Stored records that were replayed. */
  readonly records: number;
  /** Where the log ended, by partition: once it is applied that far, no version that a reader has seen goes backwards. */
  readonly ends: ReadonlyMap<number, number>;
}

/** Where each partition is taken up, and what else must be known before its first record. */
export interface RecoveryPlan {
  readonly starts: readonly (PartitionExtent & { readonly position: number })[];
  readonly committed: ReadonlyMap<number, CommittedPosition>;
  readonly published: readonly StoredModel[];
  /** The model in force in every partition. */
  readonly model: ScoringModel;
}

interface PlanOptions {
  readonly log: EventLog;
  readonly store: Store;
  readonly topic: string;
  readonly group: string;
}

/**
 * Looks where to go on. Until it has, nothing may be appended: it would be lost with a log that turns out to be the wrong one.
 * @throws StartError when log and store do not belong together
 */
export async function planRecovery({ group, log, store, topic }: PlanOptions): Promise<RecoveryPlan> {
  const [extents, stored, committed, published] = await Promise.all([
    log.extents(topic),
    store.positions(),
    log.committed(topic, group),
    store.models(),
  ]);
  const starts = extents.map((extent) => ({
    ...extent,
    position: findStart(extent, stored.get(extent.partition), committed.get(extent.partition)),
  }));
  const model = modelInForce(starts.map(({ partition, position }) => modelsOf(published, partition, position)));
  return { starts, committed, published, model };
}

function modelsOf(published: readonly StoredModel[], partition: number, before: number): ScoringModel[] {
  return published.filter((one) => one.partition === partition && one.offset < before).map(({ model }) => model);
}

interface RecoverOptions {
  readonly store: Store;
  readonly dedupeHorizonMs: number;
  readonly breathe: () => Promise<void>;
  /** Called after each partition. */
  readonly onProgress: (done: number, of: number) => void;
}

/** Restores the ledgers from the stored touches. */
export async function recover({ committed, model, published, starts }: RecoveryPlan, options: RecoverOptions): Promise<Recovered> {
  const { breathe, dedupeHorizonMs, onProgress, store } = options;
  const intakes = new Map<number, Intake>();
  let records = 0;
  for (const { partition, position, generation } of starts) {
    const ledgers = new PartitionLedgers(partition, model, dedupeHorizonMs);
    records += await replay(store.replay(partition, position, { fields: fieldsUsed(model) }), ledgers, { breathe });
    ledgers.position = position;
    const publishedBelow = committed.get(partition)?.offset ?? 0;
    const isRescored = published.some((one) => one.partition === partition && one.offset >= publishedBelow);
    keepUnpublished(ledgers, isRescored ? 0 : publishedBelow);
    intakes.set(partition, new Intake(store, ledgers, generation, modelsOf(published, partition, position)));
    onProgress(intakes.size, starts.length);
  }
  return { intakes, model, records, ends: new Map(starts.map(({ partition, end }) => [partition, end])) };
}

/** Leaves as changed only the accounts whose last change may not have been published: it stands at this offset or later. */
function keepUnpublished({ accounts }: PartitionLedgers, publishedBelow: number): void {
  for (const account of accounts.takeChanged()) if (accounts.version[account]! >= publishedBelow) accounts.markChanged(account);
}
