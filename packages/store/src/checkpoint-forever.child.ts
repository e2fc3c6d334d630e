import { checkpointOf, leadAt, touchAt } from './test-records.ts';
import { openStore } from './open-store.ts';

/**
 * For the durability test, as a process of its own: goes on storing records of three partitions from where the store is, and prints each
 * position once it is acknowledged, until it is killed. Every tenth record is a fact.
 */
const PARTITIONS = [0, 1, 2];

const store = await openStore({ kind: 'chdb', directory: process.argv[2]! });
await store.migrate();
const positions = await store.positions();
const next = new Map(PARTITIONS.map((partition) => [partition, positions.get(partition)?.offset ?? 0]));
for (let round = 0; ; round++) {
  const count = 1 + ((round * 37) % 400);
  const checkpoints = PARTITIONS.map((partition) => {
    const first = next.get(partition)!;
    const offsets = Array.from({ length: count + partition }, (_, index) => first + index);
    return checkpointOf(
      store,
      offsets.map((offset) => (offset % 10 === 0 ? leadAt(offset, undefined, partition) : touchAt(offset, {}, partition))),
    );
  });
  await store.checkpoint(checkpoints);
  for (const { partition, offset } of checkpoints) next.set(partition, offset);
  process.stdout.write(`${JSON.stringify([...next])}\n`);
}
