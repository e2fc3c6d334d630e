import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PartitionLedgers, STATE_FORMAT, type ScoringModel } from '@touchstone/engine';
import { readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts';
import { StateCopy } from './state-copy.ts';
import { StateReader } from './state-reader.ts';

/** What ledgers are a function of, besides the records below their position. */
export interface SnapshotOrigin {
  readonly partition: number;
  /** Of the topic. */
  readonly generation: string;
  readonly model: ScoringModel;
  readonly dedupeHorizonMs: number;
  /** For how many days figures of creatives are kept; 0 for none. */
  readonly creativeDays: number;
}

/** What became of a snapshot that was looked for. */
export type Found =
  | { readonly outcome: 'used'; readonly ledgers: PartitionLedgers; readonly bytes: number }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'foreign' | 'broken'; readonly detail: string };

/**
 * Copies of ledgers on disk, one file a partition, so that a start has less to replay. A cache: whatever does not fit to the last bit of its
 * head is ignored and deleted, and the whole directory may be deleted at any time, as the stored touches are the state.
 */
export class Snapshots {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Writes the ledgers' snapshot in place of the one before.
   * @param options.whileStill runs a step while nothing is applied to the ledgers: some milliseconds for each ten megabytes
   * @param options.untilStored resolves once all that is applied to them by now is stored: no snapshot is ahead of the store
   * @returns its bytes
   * @throws when another model takes over before it is copied
   */
  async write(
    ledgers: PartitionLedgers,
    origin: SnapshotOrigin,
    options: {
      readonly whileStill: (step: () => Promise<void>) => Promise<void>;
      readonly untilStored: () => Promise<void>;
      readonly breathe: () => Promise<void>;
    },
  ): Promise<number> {
    await mkdir(this.#directory, { recursive: true });
    const copy = new StateCopy();
    let position = 0;
    await options.whileStill(async () => {
      // It may have come while this waited: what stands in the ledgers by now is of that one.
      if (ledgers.model.version !== origin.model.version) throw new Error('another model has taken over meanwhile');
      ({ position } = ledgers);
      ledgers.walk(copy);
      await copy.copy(options.breathe);
    });
    return writeSnapshotFile(this.#pathOf(origin.partition), { ...headOf(origin), position }, copy.bytes(), options.untilStored);
  }

  /** The ledgers of a snapshot of this very origin, at `positionMax` or before. Any other is deleted. */
  async read(origin: SnapshotOrigin, positionMax: number): Promise<Found> {
    const path = this.#pathOf(origin.partition);
    let found: Found;
    try {
      found = await readFrom(path, origin, positionMax);
    } catch (cause) {
      found = { outcome: 'broken', detail: cause instanceof Error ? cause.message : String(cause) };
    }
    // A directory that can not be read from can not be deleted from either; nothing depends on it.
    if (found.outcome === 'foreign' || found.outcome === 'broken') await rm(path, { force: true }).catch(() => {});
    return found;
  }

  #pathOf(partition: number): string {
    return join(this.#directory, `partition-${partition}.ledgers`);
  }
}

async function readFrom(path: string, origin: SnapshotOrigin, positionMax: number): Promise<Found> {
  const file = await readSnapshotFile(path);
  if (file === null) return { outcome: 'none' };
  const { position, ...head } = file.head as { position?: unknown };
  const expected = headOf(origin);
  if (!isDeepStrictEqual(head, expected)) {
    return { outcome: 'foreign', detail: `it says ${JSON.stringify(head)}, wanted is ${JSON.stringify(expected)}` };
  }
  if (!(typeof position === 'number' && position <= positionMax)) {
    return { outcome: 'foreign', detail: `it is at ${String(position)}, the store at ${positionMax}` };
  }
  const ledgers = new PartitionLedgers(origin.partition, origin.model, origin.dedupeHorizonMs, origin.creativeDays);
  const reader = new StateReader(file.bytes, file.bodyAt);
  ledgers.walk(reader);
  if (!reader.isAtEnd || ledgers.position !== position) return { outcome: 'broken', detail: 'it has other parts than these ledgers' };
  return { outcome: 'used', ledgers, bytes: file.bytes.length };
}

function headOf({ creativeDays, dedupeHorizonMs, generation, model, partition }: SnapshotOrigin) {
  const sha256 = createHash('sha256').update(JSON.stringify(model)).digest('hex');
  return {
    format: STATE_FORMAT,
    byteOrder: endianness(),
    partition,
    generation,
    dedupeHorizonMs,
    creativeDays,
    model: model.version,
    sha256,
  };
}
