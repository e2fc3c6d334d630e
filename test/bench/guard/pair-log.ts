import { join } from 'node:path';
import { openEmbeddedLog } from '@touchstone/event-log';
import { open } from 'lmdb';
import { makeBatches } from '../tasks/append-batches.ts';
import type { Pair } from './pair.ts';
import { PARTITIONS, SMALL } from './small-world.ts';

const TOPIC = 'events';
const BATCH = 500;
const TOUCHES = 40_000;

export async function pairLog(directory: string): Promise<Pair> {
  const log = await openEmbeddedLog({
    directory: join(directory, 'log'),
    topics: { [TOPIC]: { partitions: PARTITIONS, retentionMs: Number.MAX_SAFE_INTEGER } },
  });
  const plain = open<Buffer, number>({ path: join(directory, 'plain'), encoding: 'binary', overlappingSync: false });
  const batches = makeBatches({ ...SMALL, touches: TOUCHES, touchesPerAppend: BATCH });
  const values = batches.map((records) => Buffer.concat(records.flatMap(({ key, value }) => [key!, value!])));
  let next = 0;
  return {
    ours: {
      units: TOUCHES,
      async run() {
        for (const batch of batches) await log.append(TOPIC, batch);
      },
    },
    yardstick: {
      units: TOUCHES,
      async run() {
        for (const value of values) await plain.put(next++, value);
      },
    },
    async close() {
      await log.close();
      await plain.close();
    },
  };
}
