import type { Checkpoint } from '@touchstone/store';
import type { Host } from './host.ts';
import type { SimulationOptions } from './options.ts';
import type { ModelTouchRows } from './stored-touches.ts';
import type { Watcher } from './watcher.ts';

/** No block of the workload is larger. */
const BLOCK_BYTES_MAX = 25 * 2 * 600;

interface Told {
  readonly onRows: (rows: ModelTouchRows) => void;
  readonly onCheckpoint: (checkpoints: readonly Checkpoint[], isDone: boolean) => void;
}

/** Watches what processes gather for the store: it is bounded, however long the store is away. */
export class MemoryBound {
  readonly #watcher: Watcher;
  readonly #bytesMax: number;

  constructor({ partitions, pendingBytesMax }: SimulationOptions, watcher: Watcher) {
    this.#watcher = watcher;
    // What waits for a cut, and what one cut holds: each at most the bound, and the block of each partition that reached it.
    this.#bytesMax = 2 * (pendingBytesMax + partitions * BLOCK_BYTES_MAX);
  }

  of(host: Host): Told {
    const gathered = new Set<ModelTouchRows>();
    const check = (): void => {
      let bytes = 0;
      for (const rows of gathered) bytes += rows.byteLength;
      if (bytes > this.#bytesMax) this.#watcher.violate(`${host.name} holds ${bytes} bytes for the store, ${this.#bytesMax} are allowed`);
    };
    return {
      onRows(rows) {
        gathered.add(rows);
        check();
      },
      onCheckpoint(checkpoints, isDone) {
        check();
        if (isDone) for (const { touches } of checkpoints) gathered.delete(touches as ModelTouchRows);
      },
    };
  }
}
