import { LogRun } from '@touchstone/codec';
import { defaultModel, PartitionLedgers } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { Pair } from './pair.ts';
import { PARTITIONS, smallBlocks, TOUCHES } from './small-world.ts';

/** Numbers that do not fit the processor's nearest caches, as ledgers do not. */
const CELLS = 2 ** 21;
/** Of the yardstick, for each touch: about what a touch looks up and adds to. */
const CELLS_PER_TOUCH = 48;

export function pairEngine(): Pair {
  const blocks = smallBlocks();
  const hashes = new Int32Array(CELLS);
  const sums = new Float64Array(CELLS);
  return {
    ours: {
      units: TOUCHES,
      run() {
        const ledgers = Array.from({ length: PARTITIONS }, (_, partition) => new PartitionLedgers(partition, defaultModel));
        const runs = ledgers.map(({ partition }) => new LogRun<RecordBlock>(partition, new RecordReader()));
        for (const block of blocks) {
          const run = runs[block.partition]!;
          run.open(block);
          while (run.next()) ledgers[block.partition]!.apply(run, false);
        }
      },
    },
    yardstick: { units: TOUCHES, run: () => touchCells(hashes, sums, TOUCHES * CELLS_PER_TOUCH) },
  };
}

/** Hashes, reads and writes of cells all over two arrays: what a processor and its memory can do of the engine's kind of work. */
function touchCells(hashes: Int32Array, sums: Float64Array, count: number): void {
  let hash = 1;
  for (let index = 0; index < count; index++) {
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + index;
    const at = (hash >>> 8) & (CELLS - 1);
    hash ^= hashes[at]!;
    hashes[at] = hash;
    sums[at] = sums[at]! + (hash & 255);
  }
}
