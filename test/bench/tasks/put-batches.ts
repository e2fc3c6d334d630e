import { open } from 'lmdb';
import { makeBatches, type AppendArgs } from './append-batches.ts';

/** Durable touches per second of lmdb alone, a value for each of our appends, one figure a run: the least that our log needs of it. */
export async function putBatches({ directory, inFlight, runs, ...rest }: Omit<AppendArgs, 'partitions'>): Promise<readonly number[]> {
  // As our log opens it: a promise resolves when what was put is on disk.
  const file = open<Buffer, number>({ path: directory, encoding: 'binary', overlappingSync: false });
  const values = makeBatches(rest).map((records) => Buffer.concat(records.flatMap(({ key, value }) => [key!, value!])));
  const rates: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const startedAt = performance.now();
    const left = values.entries();
    const put = async (): Promise<void> => {
      for (const [at, value] of left) await file.put(run * values.length + at, value);
    };
    await Promise.all(Array.from({ length: inFlight }, put));
    if (run > 0) rates.push((values.length * rest.touchesPerAppend * 1000) / (performance.now() - startedAt));
  }
  await file.close();
  return rates;
}
