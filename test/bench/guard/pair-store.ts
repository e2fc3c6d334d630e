import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Checkpoint } from '@touchstone/store';
import { Session } from 'chdb';
import { checkpointsOf } from '../tasks/time-checkpoints.ts';
import type { Pair } from './pair.ts';
import { PARTITIONS, smallBlocks, TOUCHES } from './small-world.ts';

export async function pairStore(directory: string): Promise<Pair> {
  const store = await openStore({ kind: 'chdb', directory });
  await store.migrate();
  const blocks = smallBlocks();
  let checkpoints: Checkpoint[] = [];
  let from = 0;

  // Of the same engine, on a table that promises nothing: no sync, no dropping of repeats.
  const plain = new Session(join(directory, 'clickhouse'));
  const rows = join(directory, 'rows.bin');
  await store.checkpoint(checkpointsOf(store, blocks, PARTITIONS, from));
  await plain.queryAsync(`SELECT * FROM touches INTO OUTFILE '${rows}' FORMAT RowBinary`);
  await plain.queryAsync('CREATE TABLE plain AS touches ENGINE = MergeTree ORDER BY (partition, offset)');
  return {
    ours: {
      units: TOUCHES,
      prepare() {
        checkpoints = checkpointsOf(store, blocks, PARTITIONS, (from += TOUCHES));
      },
      run: () => store.checkpoint(checkpoints),
    },
    yardstick: {
      units: TOUCHES,
      async run() {
        await plain.queryAsync(`INSERT INTO plain SELECT * FROM file('${rows}', RowBinary)`);
      },
    },
    async close() {
      await store.close();
      rmSync(rows);
    },
  };
}
