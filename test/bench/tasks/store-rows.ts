import { LogRun } from '@touchstone/codec';
import { defaultModel, fieldsUsed } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import { openStore, type Checkpoint, type Store } from '@touchstone/store';
import { makeTouchBlocks, type BlockArgs } from './touch-blocks.ts';

const GENERATION = 'bench';

export interface StoreArgs extends BlockArgs {
  readonly directory: string;
  readonly rowsPerCheckpoint: number;
  readonly runs: number;
}

export interface StoreRun {
  /** Checkpoints until durable, rows made beforehand. */
  readonly checkpointRowsPerSecond: number;
  /** The stored rows read back in order and stepped through. */
  readonly replayRowsPerSecond: number;
}

/** What the store alone gives: rows in by checkpoints, and the same rows out by replay. */
export async function storeRows(args: StoreArgs): Promise<readonly StoreRun[]> {
  const { directory, runs, touches } = args;
  const store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  const blocks = makeTouchBlocks(args);
  const results: StoreRun[] = [];
  let from = 0;
  for (let run = 0; run <= runs; run++) {
    const shifted = shift(blocks, from);
    const next = Math.max(...shifted.map(({ nextOffset }) => nextOffset));
    let insertSeconds = 0;
    for (const checkpoints of gather(store, shifted, args)) {
      const startedAt = performance.now();
      await store.checkpoint(checkpoints);
      insertSeconds += (performance.now() - startedAt) / 1000;
    }
    const startedAt = performance.now();
    const rows = await replayAll(store, args.partitions, from, next);
    if (rows !== touches) throw new Error(`${rows} rows came back of ${touches}`);
    const replaySeconds = (performance.now() - startedAt) / 1000;
    if (run > 0) results.push({ checkpointRowsPerSecond: touches / insertSeconds, replayRowsPerSecond: touches / replaySeconds });
    from = next;
  }
  await store.close();
  return results;
}

function shift(blocks: readonly RecordBlock[], by: number): RecordBlock[] {
  return blocks.map((block) => ({ ...block, baseOffset: block.baseOffset + by, nextOffset: block.nextOffset + by }));
}

/** The blocks' touches as checkpoints of all partitions together. */
function* gather(store: Store, blocks: readonly RecordBlock[], { partitions, rowsPerCheckpoint }: StoreArgs): Generator<Checkpoint[]> {
  const runs = Array.from({ length: partitions }, (_, partition) => new LogRun<RecordBlock>(partition, new RecordReader()));
  let touches = runs.map(({ partition }) => store.touchRows(partition));
  const ends = runs.map(() => 0);
  let rows = 0;
  const checkpoints = (): Checkpoint[] =>
    touches.map((ofPartition, partition) => ({
      partition,
      generation: GENERATION,
      offset: ends[partition]!,
      touches: ofPartition,
      facts: [],
      deadLetters: [],
      transitions: [],
    }));
  for (const block of blocks) {
    const run = runs[block.partition]!;
    run.open(block);
    while (run.next()) touches[block.partition]!.add(run.offset, run.appendedAt, run.touch);
    ends[block.partition] = block.nextOffset;
    rows += block.count;
    if (rows < rowsPerCheckpoint) continue;
    yield checkpoints();
    touches = runs.map(({ partition }) => store.touchRows(partition));
    rows = 0;
  }
  if (rows > 0) yield checkpoints();
}

async function replayAll(store: Store, partitions: number, from: number, before: number): Promise<number> {
  let rows = 0;
  for (let partition = 0; partition < partitions; partition++) {
    for await (const run of store.replay(partition, before, { from, fields: fieldsUsed(defaultModel) })) while (run.next()) rows++;
  }
  return rows;
}
