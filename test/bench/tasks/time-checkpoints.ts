import { LogRun } from '@touchstone/codec';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import { openStore, type Checkpoint, type Store } from '@touchstone/store';
import { makeTouchBlocks, type BlockArgs } from './touch-blocks.ts';

const GENERATION = 'bench';
/** The first make files, and the engine loads what it needs for them. */
const WARM_UP_RUNS = 5;

export interface CheckpointArgs extends Omit<BlockArgs, 'touches'> {
  readonly directory: string;
  readonly rows: number;
  readonly runs: number;
}

export interface CheckpointRun {
  /** Until the rows and the position are on disk. */
  readonly seconds: number;
  /** Of all threads, ClickHouse's own included. */
  readonly cpuSeconds: number;
}

/** What a checkpoint of so many rows costs. The rows are there before, as the server makes them while it applies. */
export async function timeCheckpoints(args: CheckpointArgs): Promise<readonly CheckpointRun[]> {
  const { directory, rows, runs } = args;
  const store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  const blocks = makeTouchBlocks({ ...args, touches: rows });
  const results: CheckpointRun[] = [];
  for (let run = 0; run < WARM_UP_RUNS + runs; run++) {
    const checkpoints = checkpointsOf(store, blocks, args.partitions, run * rows);
    const usedBefore = process.cpuUsage();
    const startedAt = performance.now();
    await store.checkpoint(checkpoints);
    const seconds = (performance.now() - startedAt) / 1000;
    const { system, user } = process.cpuUsage(usedBefore);
    if (run >= WARM_UP_RUNS) results.push({ seconds, cpuSeconds: (user + system) / 1e6 });
  }
  await store.close();
  return results;
}

/** The blocks as checkpoints of all partitions, with offsets that begin higher each time. */
export function checkpointsOf(store: Store, blocks: readonly RecordBlock[], partitions: number, from: number): Checkpoint[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const touches = store.touchRows(partition);
    const run = new LogRun<RecordBlock>(partition, new RecordReader());
    let offset = from;
    for (const block of blocks) {
      if (block.partition !== partition) continue;
      run.open(block);
      while (run.next()) touches.add(from + run.offset, run.appendedAt, run.touch);
      offset = from + block.nextOffset;
    }
    return { partition, generation: GENERATION, offset, touches, facts: [], deadLetters: [], transitions: [] };
  });
}
