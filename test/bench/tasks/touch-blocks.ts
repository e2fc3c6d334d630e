import { TouchWriter } from '@touchstone/codec';
import { partitionOfKey, RecordBlockBuilder, type RecordBlock } from '@touchstone/event-log';
import { Traffic, type World } from '../workload/traffic.ts';

const DAY_MS = 86_400_000;
const TOUCHES_PER_ROUND = 4000;

export interface BlockArgs extends World {
  readonly touches: number;
  readonly partitions: number;
  readonly days: number;
  /** When the days end, epoch ms; default now. */
  readonly end?: number;
}

/** Blocks as the log would hand them over, in memory, the partitions by turns. */
export function makeTouchBlocks({ days, end = Date.now(), partitions, touches, ...world }: BlockArgs): RecordBlock[] {
  const traffic = new Traffic(world);
  const writer = new TouchWriter();
  const begin = end - days * DAY_MS;
  const ends = Array.from({ length: partitions }, () => 0);
  const blocks: RecordBlock[] = [];
  for (let made = 0; made < touches;) {
    const now = begin + Math.floor(((end - begin) * made) / touches);
    const builders = Array.from({ length: partitions }, () => new RecordBlockBuilder());
    for (let round = 0; round < TOUCHES_PER_ROUND && made < touches; round++, made++) {
      writer.write(traffic.next(now));
      builders[partitionOfKey(writer.key(), partitions)]!.append(writer.key(), writer.value());
    }
    for (const [partition, builder] of builders.entries()) {
      if (builder.count === 0) continue;
      const baseOffset = ends[partition]!;
      const nextOffset = baseOffset + builder.count;
      ends[partition] = nextOffset;
      blocks.push({ partition, baseOffset, nextOffset, count: builder.count, appendedAt: now, bytes: builder.bytes().slice() });
    }
  }
  return blocks;
}
