import type { BlockFile, BlockHead } from './block-file.ts';
import type { GroupPositions } from './group-positions.ts';
import type { Partition } from './partition.ts';
import type { Topic } from './topic.ts';

/** How many blocks of a partition are looked at, and so dropped, in one transaction. */
const HEADS_PER_ROUND = 128;

interface Candidates {
  readonly partition: Partition;
  /** Oldest first; none that a group still needs, and never the newest block, which carries the end offset over a restart. */
  readonly heads: BlockHead[];
}

export interface DroppedBlocks {
  readonly blocks: number;
  readonly bytes: number;
}

/**
 * Drops the blocks of a topic that are too old or too many, the oldest of all partitions first, but nothing that a group which ever
 * committed has not yet passed: a group that fell behind finds everything, at the price of disk space.
 */
export async function dropOldBlocks(file: BlockFile, topic: Topic, positions: GroupPositions, now: number): Promise<DroppedBlocks> {
  const total = { blocks: 0, bytes: 0 };
  for (;;) {
    await file.ready();
    const dropped = chooseBlocks(topic, candidatesOf(file, topic, positions), now);
    if (dropped.length === 0) return total;
    for (const { partition, head } of dropped) {
      // Before the transaction, so that a reader who asks for them hears that they are gone, not that they are missing.
      partition.start = head.nextOffset;
      partition.bytesDropped = head.bytesBefore + head.byteLength;
      total.blocks++;
      total.bytes += head.byteLength;
    }
    try {
      await file.dropBlocks(
        topic.name,
        dropped.map(({ partition, head }) => ({ partition: partition.index, baseOffset: head.baseOffset })),
      );
    } catch (error) {
      for (const partition of topic.partitions) partition.load(file);
      throw error;
    }
  }
}

function candidatesOf(file: BlockFile, topic: Topic, positions: GroupPositions): Candidates[] {
  return topic.partitions.map((partition) => {
    const limit = Math.min(positions.lowest(partition.index), partition.end - 1);
    const heads = file.headsFrom(topic.name, partition.index, partition.start, HEADS_PER_ROUND);
    return { partition, heads: heads.filter((head) => head.nextOffset <= limit) };
  });
}

function chooseBlocks(topic: Topic, candidates: readonly Candidates[], now: number): { partition: Partition; head: BlockHead }[] {
  let kept = 0;
  for (const partition of topic.partitions) kept += partition.bytesKept;
  const chosen = [];
  for (;;) {
    const oldest = oldestOf(candidates);
    const head = oldest?.heads[0];
    if (oldest === undefined || head === undefined) return chosen;
    if (head.appendedAt >= now - topic.retentionMs && kept <= topic.retentionBytes) return chosen;
    oldest.heads.shift();
    kept -= head.byteLength;
    chosen.push({ partition: oldest.partition, head });
  }
}

function oldestOf(candidates: readonly Candidates[]): Candidates | undefined {
  let oldest: Candidates | undefined;
  for (const candidate of candidates) {
    const appendedAt = candidate.heads[0]?.appendedAt ?? Infinity;
    if (appendedAt < (oldest?.heads[0]?.appendedAt ?? Infinity)) oldest = candidate;
  }
  return oldest;
}
