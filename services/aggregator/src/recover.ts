import { fieldsUsed, PartitionLedgers, replay, type ScoringModel } from '@touchstone/engine';
import type { EventLog } from '@touchstone/event-log';
import type { Store } from '@touchstone/store';
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

interface RecoverOptions {
  readonly log: EventLog;
  readonly store: Store;
  readonly topic: string;
  readonly group: string;
  readonly dedupeHorizonMs: number;
  readonly breathe: () => Promise<void>;
  /** Called after each partition. */
  readonly onProgress: (done: number, of: number) => void;
}

/**
 * Restores the ledgers from the stored touches.
 * @throws StartError when log and store do not belong together
 */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { breathe, dedupeHorizonMs, group, log, onProgress, store, topic } = options;
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
  const modelsOf = (partition: number, before: number): ScoringModel[] =>
    published.filter((one) => one.partition === partition && one.offset < before).map(({ model }) => model);
  const model = modelInForce(starts.map(({ partition, position }) => modelsOf(partition, position)));

  const intakes = new Map<number, Intake>();
  let records = 0;
  for (const { partition, position, generation } of starts) {
    const ledgers = new PartitionLedgers(partition, model, dedupeHorizonMs);
    records += await replay(store.replay(partition, position, { fields: fieldsUsed(model) }), ledgers, { breathe });
    ledgers.position = position;
    // What is below the stored position has been published before it was stored.
    ledgers.accounts.takeChanged();
    ledgers.kinds.takeUnruled();
    ledgers.lateTouches = 0;
    intakes.set(partition, new Intake(store, ledgers, generation, modelsOf(partition, position)));
    onProgress(intakes.size, starts.length);
  }
  return { intakes, model, records, ends: new Map(extents.map(({ partition, end }) => [partition, end])) };
}
