import type { PartName } from './run-part.ts';

/**
 * What the guard holds each part to: its speed beside a yardstick that does the least of the same job, by turns in the same minute, so that a
 * slow or busy machine slows both. `usual` is what `node test/bench/guard/main.ts --times 5` printed on a quiet machine of two cores; whoever
 * makes a part faster, or a dependency does, writes down the new one. Half of it is red.
 */
export interface Part {
  readonly name: PartName;
  readonly what: string;
  /** Speed of ours divided by speed of the yardstick. */
  readonly usual: number;
  /** Why it is what it is. */
  readonly because: string;
}

/** Halving is to be seen, noise is not: what each part varied by is told beside it, and none came near. */
const LIMIT_SHARE = 0.5;

export function limitOf({ usual }: Part): number {
  return usual * LIMIT_SHARE;
}

export const PARTS: readonly Part[] = [
  {
    name: 'engine',
    what: 'reading and applying touches, beside as many rounds of hashing, reading and writing at random in typed arrays',
    usual: 2,
    because:
      'a touch costs less than forty-eight such cells: most of what it looks up lies side by side, and some of it in the nearer caches',
  },
  {
    name: 'decode',
    what: 'reading touches from blocks of the log, beside avsc decoding the same bytes',
    usual: 3.2,
    because: 'nothing is allocated for a touch, where avsc makes an object and its strings',
  },
  {
    name: 'log',
    what: 'appends of 500 touches, one at a time, each on disk, beside lmdb putting the same bytes as one value, each on disk',
    usual: 0.57,
    because:
      "eight partitions' blocks, their heads with a checksum each, and the framing of every record, where the yardstick has one value",
  },
  {
    name: 'store',
    what: "synced checkpoints, beside chDB's plain insert of the same rows, from a file that is there already",
    usual: 1.5,
    because:
      'ours is synced and keeps a position as well, and is faster nevertheless: the plain insert leaves types and block sizes to the engine',
  },
  {
    name: 'ingest',
    what: 'arrays of 500 over HTTP until all are durable and applied, beside a server that only reads and answers them',
    usual: 0.058,
    because:
      'validation, encoding, the log, ledgers, scores and the store share two cores with the generator; the yardstick parses nothing',
  },
];
