import { defaultModel, type ScoringModel } from '@touchstone/engine';
import type { CommittedPosition, EventLog, PartitionExtent } from '@touchstone/event-log';
import type { Store, StoredModel, StoredPosition } from '@touchstone/store';
import { modelInForce } from './choose-model.ts';
import { findStart } from './find-start.ts';

export interface StartSources {
  readonly log: Pick<EventLog, 'extents' | 'committed'>;
  readonly store: Pick<Store, 'positions' | 'models'>;
  readonly topic: string;
  /** Whose positions on the log tell up to where effects are out; null for one who has no effects. */
  readonly group: string | null;
}

/** What log and store say at one moment: where each partition is taken up, and under which model. */
export class StartState {
  readonly extents: ReadonlyMap<number, PartitionExtent>;
  readonly #stored: ReadonlyMap<number, StoredPosition>;
  readonly #committed: ReadonlyMap<number, CommittedPosition>;
  readonly #published: readonly StoredModel[];

  constructor(
    extents: readonly PartitionExtent[],
    stored: ReadonlyMap<number, StoredPosition>,
    committed: ReadonlyMap<number, CommittedPosition>,
    published: readonly StoredModel[],
  ) {
    this.extents = new Map(extents.map((extent) => [extent.partition, extent]));
    this.#stored = stored;
    this.#committed = committed;
    this.#published = published;
  }

  /** @throws StartError when log and store do not belong together in this partition; RangeError when there is no such partition */
  startOf(partition: number): number {
    return findStart(this.extentOf(partition), this.#stored.get(partition), this.#committed.get(partition));
  }

  /** @throws RangeError */
  extentOf(partition: number): PartitionExtent {
    const extent = this.extents.get(partition);
    if (extent === undefined) throw new RangeError(`the log has no partition ${partition}`);
    return extent;
  }

  /** @throws StartError for the first partition where log and store do not belong together */
  assertAllStart(): void {
    for (const partition of this.extents.keys()) this.startOf(partition);
  }

  /** The model in force in every partition. */
  modelInForce(): ScoringModel {
    return modelInForce([...this.extents.keys()].map((partition) => this.modelsOf(partition, this.#stored.get(partition)?.offset ?? 0)));
  }

  /** The models that a partition got below an offset, oldest first. */
  modelsOf(partition: number, before: number): ScoringModel[] {
    return this.#published.filter((one) => one.partition === partition && one.offset < before).map(({ model }) => model);
  }

  /**
   * Every effect of the records below this offset is out, under the model of that offset; an account last changed at it or later may have to
   * be published again.
   */
  publishedBelow(partition: number, model: ScoringModel): number {
    return this.modelPublished(partition) === model.version ? this.#committedOffset(partition) : 0;
  }

  /** The alerts of the records below this offset are told, under whatever model: they are a step back for nobody. */
  toldBelow(partition: number): number {
    const committed = this.#committed.get(partition);
    if (committed?.generation !== this.extentOf(partition).generation) return 0;
    return Math.min(committed.offset, this.startOf(partition));
  }

  /** Version of the model under which the effects of what is committed are out. */
  modelPublished(partition: number): string {
    return (this.modelsOf(partition, this.#committedOffset(partition)).at(-1) ?? defaultModel).version;
  }

  /** Whether the group ever committed a position in the partition of this log. */
  hasCommitted(partition: number): boolean {
    return this.#committed.get(partition)?.generation === this.extentOf(partition).generation;
  }

  #committedOffset(partition: number): number {
    const committed = this.#committed.get(partition);
    const { generation } = this.extentOf(partition);
    // The log's position follows the store's in a checkpoint. One that is ahead, or of another topic, was set by somebody else.
    if (committed === undefined || committed.generation !== generation || committed.offset > this.startOf(partition)) return 0;
    return committed.offset;
  }
}

/**
 * Reads what the start is judged by, each before what it must not be ahead of, as a former owner may still be writing: committed, then stored,
 * then the log's end.
 */
export async function readStartState({ group, log, store, topic }: StartSources): Promise<StartState> {
  const committed = group === null ? new Map<number, CommittedPosition>() : await log.committed(topic, group);
  const stored = await store.positions();
  const [published, extents] = await Promise.all([store.models(), log.extents(topic)]);
  return new StartState(extents, stored, committed, published);
}
