import { EventLogError, RECORD_BYTES_MAX } from '../event-log.ts';
import type { OutgoingRecord } from '../event-log.ts';
import { FRAME_BYTES_MAX, RecordBlockBuilder } from '../record-block.ts';
import { asEventLogError } from './as-event-log-error.ts';
import type { BlockFile, NewBlock } from './block-file.ts';
import type { Partition } from './partition.ts';
import type { Topic } from './topic.ts';

/** Blocks are cut at this size, so that reading one costs bounded time and memory; a larger record has a block of its own. */
export const BLOCK_BYTES_MAX = 1024 * 1024;
/** Arenas kept for the next commits; what a burst needed beyond it goes back to the collector. */
const SPARE_BYTES_MAX = 32 * 1024 * 1024;

/** A group of appends that became durable in one transaction: what metrics want to know of it. */
export interface CommitReport {
  readonly appends: number;
  readonly records: number;
  readonly bytes: number;
  readonly blocks: number;
  readonly durationMs: number;
}

interface GroupCommitOptions {
  readonly file: BlockFile;
  readonly clock: () => number;
  readonly backlogBytesMax: number;
  readonly onCommit: (report: CommitReport) => void;
}

/**
 * Makes appends durable, many in one sync of the disk. While a transaction is under way, what is appended collects; when it is through, all
 * of that goes into the next one, framed into one block per partition:
 *
 *     append ──> collecting ──(nothing under way)──> committing ──> durable: end offsets move, readers wake, callers resolve
 *                                                        └────────> failed: callers get `io`, end offsets are read again from the file
 *
 * An idle log commits an append at once; a busy one needs no tuning, for the longer a sync takes the more appends share the next.
 * An append is never split over two transactions, so it is there as a whole or not at all.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #spare: RecordBlockBuilder[] = [];
  #collecting = new Group();
  #draining: Promise<void> | null = null;
  #waitingBytes = 0;
  /** Set by a commit whose outcome is not known: what memory says of its partitions may be wrong. */
  readonly #doubtful = new Set<Partition>();

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Bytes taken that are not durable yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Copies the records before it returns, so the caller may change their bytes at once. `bytes` is their `bytesToAppend`.
   * @throws EventLogError `backlogged`, with nothing taken
   */
  append(topic: Topic, records: readonly OutgoingRecord[], bytes: number): Promise<void> {
    const { backlogBytesMax } = this.#options;
    // What is larger than the whole bound is taken when nothing else waits, for it would fit no better later.
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > backlogBytesMax) {
      throw new EventLogError('backlogged', `${this.#waitingBytes} bytes wait to be written; ${bytes} more would pass ${backlogBytesMax}`);
    }
    // All partitions are found before the first record is taken: a record for none throws.
    const partitions = records.map((record) => topic.partitionFor(record));
    const group = this.#collecting;
    for (const [index, { key, value }] of records.entries()) {
      const size = FRAME_BYTES_MAX + (key?.length ?? 0) + (value?.length ?? 0);
      this.#blockFor(group, partitions[index]!, size).append(key, value);
    }
    group.appends++;
    group.records += records.length;
    group.bytes += bytes;
    this.#waitingBytes += bytes;
    this.#draining ??= this.#drain();
    return group.outcome.promise;
  }

  /** Resolves when nothing waits any more; whether it became durable is told to those who appended it. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  #blockFor(group: Group, partition: Partition, bytes: number): RecordBlockBuilder {
    let blocks = group.blocks.get(partition);
    if (blocks === undefined) group.blocks.set(partition, (blocks = []));
    const newest = blocks.at(-1);
    if (newest !== undefined && newest.byteLength + bytes <= BLOCK_BYTES_MAX) return newest;
    const next = this.#spare.pop() ?? new RecordBlockBuilder();
    blocks.push(next);
    return next;
  }

  async #drain(): Promise<void> {
    // The turn of the event loop is finished first, so that what arrived together is committed together.
    await new Promise(setImmediate);
    while (this.#collecting.appends > 0) {
      const group = this.#collecting;
      this.#collecting = new Group();
      try {
        const report = await this.#commit(group);
        group.outcome.resolve();
        this.#options.onCommit(report);
      } catch (error) {
        group.outcome.reject(asEventLogError(error, 'the append could not be written'));
      }
      this.#waitingBytes -= group.bytes;
      this.#takeBack(group);
    }
    this.#draining = null;
  }

  async #commit(group: Group): Promise<CommitReport> {
    const startedAt = performance.now();
    this.#resolveDoubts();
    const now = this.#options.clock();
    const placed = new Map<Partition, NewBlock[]>();
    for (const [partition, builders] of group.blocks) placed.set(partition, placeBlocks(partition, builders, now));
    const newBlocks = [...placed.values()].flat();
    try {
      await this.#options.file.appendBlocks(newBlocks);
    } catch (error) {
      for (const partition of placed.keys()) this.#doubtful.add(partition);
      this.#resolveDoubtsIfPossible();
      throw error;
    }
    for (const [partition, blocks] of placed) {
      const newest = blocks.at(-1)!;
      partition.advance(newest.nextOffset, newest.appendedAt, newest.bytesBefore + newest.bytes.length);
    }
    const { appends, records, bytes } = group;
    return { appends, records, bytes, blocks: newBlocks.length, durationMs: performance.now() - startedAt };
  }

  /** @throws EventLogError `io` when the file can not be read */
  #resolveDoubts(): void {
    for (const partition of this.#doubtful) {
      partition.load(this.#options.file);
      this.#doubtful.delete(partition);
    }
  }

  #resolveDoubtsIfPossible(): void {
    try {
      this.#resolveDoubts();
    } catch {
      // Not readable now: the next commit tries again, and fails if it still can not.
    }
  }

  #takeBack(group: Group): void {
    let kept = 0;
    for (const builder of this.#spare) kept += builder.capacity;
    for (const builder of [...group.blocks.values()].flat()) {
      kept += builder.capacity;
      if (kept > SPARE_BYTES_MAX) return;
      builder.reset();
      this.#spare.push(builder);
    }
  }
}

/**
 * What the records will take at most once framed.
 * @throws EventLogError `record_too_large`
 */
export function bytesToAppend(records: readonly OutgoingRecord[]): number {
  let bytes = 0;
  for (const { key, value } of records) {
    const size = (key?.length ?? 0) + (value?.length ?? 0);
    if (size > RECORD_BYTES_MAX) throw new EventLogError('record_too_large', `a record has ${size} bytes, ${RECORD_BYTES_MAX} are allowed`);
    bytes += size + FRAME_BYTES_MAX;
  }
  return bytes;
}

/** Appends that will be durable together, already framed. */
class Group {
  readonly outcome = Promise.withResolvers<void>();
  readonly blocks = new Map<Partition, RecordBlockBuilder[]>();
  appends = 0;
  records = 0;
  bytes = 0;
}

/** Gives the blocks of one partition their offsets and their time, after what is durable of it. */
function placeBlocks(partition: Partition, builders: readonly RecordBlockBuilder[], now: number): NewBlock[] {
  const appendedAt = Math.max(now, partition.appendedAt);
  let baseOffset = partition.end;
  let bytesBefore = partition.bytesAppended;
  return builders.map((builder) => {
    const bytes = builder.bytes();
    const nextOffset = baseOffset + builder.count;
    const block = { topic: partition.topic, partition: partition.index, baseOffset, nextOffset, appendedAt, bytesBefore, bytes };
    baseOffset = nextOffset;
    bytesBefore += bytes.length;
    return block;
  });
}
