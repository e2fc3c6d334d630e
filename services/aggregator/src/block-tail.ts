import type { ReplayTarget } from '@touchstone/engine';
import type { RecordBlock } from '@touchstone/event-log';
import type { BlockRun } from './scoring-job.ts';

/** Copies of the blocks that a partition has applied lately, to be applied again without the store. When they are too many, none are kept. */
export class BlockTail {
  #blocks: RecordBlock[] = [];
  /** Offsets of records that left nothing to store. */
  readonly #passedOver = new Set<number>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The record, of the block that is added next, is a repeat, or was set aside. */
  passOver(offset: number): void {
    if (this.#bytes <= this.#bytesMax) this.#passedOver.add(offset);
  }

  /** The block is applied. */
  add(block: RecordBlock): void {
    this.#bytes += block.bytes.length;
    if (this.#bytes > this.#bytesMax) this.#blocks = [];
    // A copy: the block's memory may be filled again.
    else this.#blocks.push({ ...block, bytes: block.bytes.slice() });
  }

  /**
   * Applies what comes after the target's position, as a replay of the stored records would. If the tail has become too long, nothing.
   * @returns how many records were applied
   */
  replayInto(target: ReplayTarget, run: BlockRun): number {
    let applied = 0;
    for (const block of this.#blocks) {
      run.open(block);
      while (run.next()) {
        if (run.offset < target.position || this.#passedOver.has(run.offset)) continue;
        target.take(run, true);
        applied++;
      }
      // Before the run goes on to other bytes.
      target.settle();
      target.position = Math.max(target.position, block.nextOffset);
    }
    return applied;
  }
}
