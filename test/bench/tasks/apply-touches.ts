import { LogRun } from '@touchstone/codec';
import { defaultModel, PartitionLedgers } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import { makeTouchBlocks, type BlockArgs } from './touch-blocks.ts';

export interface ApplyRun {
  readonly readSeconds: number;
  readonly applySeconds: number;
}

/** How long the engine alone takes for touches: reading them from blocks in memory, and then reading and applying them. */
export function applyTouches(args: BlockArgs & { readonly runs: number }): readonly ApplyRun[] {
  const blocks = makeTouchBlocks(args);
  const results = Array.from({ length: args.runs + 1 }, () => ({
    readSeconds: seconds(() => readAll(args.partitions, blocks)),
    applySeconds: seconds(() => applyAll(args.partitions, blocks)),
  }));
  // The first run warms the compiler up.
  return results.slice(1).map(({ applySeconds, readSeconds }) => ({ readSeconds, applySeconds: applySeconds - readSeconds }));
}

function seconds(work: () => void): number {
  const startedAt = performance.now();
  work();
  return (performance.now() - startedAt) / 1000;
}

function readAll(partitions: number, blocks: readonly RecordBlock[]): void {
  const runs = Array.from({ length: partitions }, (_, partition) => new LogRun<RecordBlock>(partition, new RecordReader()));
  for (const block of blocks) {
    const run = runs[block.partition]!;
    run.open(block);
    while (run.next()) if (run.poison !== null) throw new Error(run.poison.detail);
  }
}

function applyAll(partitions: number, blocks: readonly RecordBlock[]): void {
  const ledgers = Array.from({ length: partitions }, (_, partition) => new PartitionLedgers(partition, defaultModel));
  const runs = Array.from({ length: partitions }, (_, partition) => new LogRun<RecordBlock>(partition, new RecordReader()));
  for (const block of blocks) {
    const run = runs[block.partition]!;
    run.open(block);
    while (run.next()) ledgers[block.partition]!.apply(run, false);
  }
}
