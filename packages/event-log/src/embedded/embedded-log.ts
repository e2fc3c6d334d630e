import { join } from 'node:path';
import { EventLogError } from '../event-log.ts';
import type { CommittedPosition, EventLog, OutgoingRecord, PartitionExtent, SubscribeOptions, Subscription } from '../event-log.ts';
import { lockDirectory } from '../lock-directory.ts';
import type { DirectoryLock } from '../lock-directory.ts';
import { Turn } from '../turn.ts';
import { asEventLogError } from './as-event-log-error.ts';
import { BlockFile } from './block-file.ts';
import { dropOldBlocks } from './drop-old-blocks.ts';
import type { DroppedBlocks } from './drop-old-blocks.ts';
import { EmbeddedSubscription } from './embedded-subscription.ts';
import { FreeSpace } from './free-space.ts';
import type { StatFs } from './free-space.ts';
import { GroupCommit, bytesToAppend } from './group-commit.ts';
import type { CommitReport } from './group-commit.ts';
import { GroupPositions } from './group-positions.ts';
import { assertName, openTopic } from './topic.ts';
import type { Topic, TopicOptions } from './topic.ts';

const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;
const SWEEP_INTERVAL_MS = 60_000;

export type EmbeddedLogEvent =
  | ({ readonly type: 'committed' } & CommitReport)
  | ({ readonly type: 'swept' } & DroppedBlocks)
  | { readonly type: 'sweep_failed'; readonly cause: unknown };

export interface EmbeddedLogOptions {
  /** Made if it does not exist; one process at a time. */
  readonly directory: string;
  /** Made on first sight; a topic that is in the directory but not here stays as it is. */
  readonly topics: Readonly<Record<string, TopicOptions>>;
  /** Wall clock, epoch ms; default `Date.now`. */
  readonly clock?: () => number;
  /** Bytes that may wait to become durable before `append` answers `backlogged`; default 64 MiB. */
  readonly backlogBytesMax?: number;
  /** Free bytes of the file system below which `append` answers `disk_full`; default the larger of 256 MiB and 2 %. */
  readonly freeBytesMin?: number;
  readonly statFs?: StatFs;
  /** How often old blocks are looked for; default a minute, 0 for never. */
  readonly sweepIntervalMs?: number;
  /** Called with what happened, for metrics and logs. Must not throw. */
  readonly onEvent?: (event: EmbeddedLogEvent) => void;
}

export interface EmbeddedLog extends EventLog {
  /** Bytes appended that are not durable yet. */
  readonly backlogBytes: number;
  /** Drops the blocks that retention no longer wants at `now`, epoch ms; a timer does the same. */
  sweep(now: number): Promise<DroppedBlocks>;
}

/**
 * Opens the log of one process in a directory of its own.
 * @throws EventLogError `locked` when another process has it, `io` or `corrupt` when it can not be read; RangeError for a topic that can not
 * be as the options want it
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const lock = lockDirectory(options.directory);
  let file: BlockFile | null = null;
  try {
    file = new BlockFile(join(options.directory, 'blocks'));
    const topics = new Map<string, TopicInUse>();
    for (const [name, topicOptions] of Object.entries(options.topics)) {
      const topic = await openTopic(file, name, topicOptions, (options.clock ?? Date.now)());
      topics.set(name, { topic, positions: new GroupPositions(file, topic) });
    }
    return new LmdbLog(options, lock, file, topics);
  } catch (cause) {
    await file?.close();
    lock.release();
    if (cause instanceof RangeError) throw cause;
    throw asEventLogError(cause, `the log in ${options.directory} could not be opened`);
  }
}

interface TopicInUse {
  readonly topic: Topic;
  readonly positions: GroupPositions;
}

class LmdbLog implements EmbeddedLog {
  readonly #options: EmbeddedLogOptions;
  readonly #lock: DirectoryLock;
  readonly #file: BlockFile;
  readonly #topics: ReadonlyMap<string, TopicInUse>;
  readonly #commits: GroupCommit;
  readonly #freeSpace: FreeSpace;
  readonly #turn = new Turn();
  readonly #subscriptions = new Set<EmbeddedSubscription>();
  /** Who commits for a group, by topic and group. */
  readonly #owners = new Map<string, EmbeddedSubscription>();
  readonly #sweeper: NodeJS.Timeout | null;
  #sweeping: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(options: EmbeddedLogOptions, lock: DirectoryLock, file: BlockFile, topics: ReadonlyMap<string, TopicInUse>) {
    const { directory, clock = Date.now, backlogBytesMax = BACKLOG_BYTES_MAX, sweepIntervalMs = SWEEP_INTERVAL_MS } = options;
    this.#options = options;
    this.#lock = lock;
    this.#file = file;
    this.#topics = topics;
    this.#freeSpace = new FreeSpace(directory, options.freeBytesMin ?? null, options.statFs);
    this.#commits = new GroupCommit({ file, clock, backlogBytesMax, onCommit: (report) => this.#tell({ type: 'committed', ...report }) });
    this.#sweeper = sweepIntervalMs > 0 ? setInterval(() => void this.#sweepByTimer(clock()), sweepIntervalMs).unref() : null;
  }

  get backlogBytes(): number {
    return this.#commits.waitingBytes;
  }

  partitionCount(topic: string): number {
    return this.#inUse(topic).topic.partitions.length;
  }

  async append(topicName: string, records: readonly OutgoingRecord[]): Promise<void> {
    const { topic } = this.#inUse(topicName);
    if (records.length === 0) return;
    const bytes = bytesToAppend(records);
    this.#freeSpace.claim(bytes);
    await this.#commits.append(topic, records, bytes);
  }

  async extents(topicName: string): Promise<readonly PartitionExtent[]> {
    const { partitions, generation } = this.#inUse(topicName).topic;
    return partitions.map(({ index, start, end }) => ({ partition: index, start, end, generation }));
  }

  async committed(topic: string, group: string): Promise<ReadonlyMap<number, CommittedPosition>> {
    return this.#inUse(topic).positions.committed(group);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const { topic, positions } = this.#inUse(options.topic);
    const key = JSON.stringify([options.topic, options.group]);
    const owner = this.#owners.get(key);
    if (options.group !== null) {
      assertName('group', options.group);
      if (owner?.active) throw new EventLogError('not_owner', `${options.group} is subscribed to ${options.topic} already`);
    }
    const subscription = new EmbeddedSubscription(options, topic, this.#file, positions, this.#turn);
    this.#subscriptions.add(subscription);
    void subscription.ended.then(() => this.#subscriptions.delete(subscription));
    if (options.group !== null) {
      owner?.disown();
      this.#owners.set(key, subscription);
    }
    return subscription;
  }

  async sweep(now: number): Promise<DroppedBlocks> {
    this.#assertOpen();
    const sweep = this.#sweeping.then(() => this.#sweepTopics(now));
    this.#sweeping = sweep.catch(() => {});
    return sweep;
  }

  /** Stops the subscriptions, finishes what was appended, and leaves the directory to others. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
    await this.#commits.settled();
    await this.#sweeping;
    await this.#file.close();
    this.#lock.release();
  }

  #inUse(topic: string): TopicInUse {
    this.#assertOpen();
    const inUse = this.#topics.get(topic);
    if (inUse === undefined)
      throw new RangeError(`there is no topic ${topic}: the log was opened with ${[...this.#topics.keys()].join(', ')}`);
    return inUse;
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new EventLogError('closed', `the log in ${this.#options.directory} is closed`);
  }

  async #sweepTopics(now: number): Promise<DroppedBlocks> {
    let blocks = 0;
    let bytes = 0;
    for (const { topic, positions } of this.#topics.values()) {
      const dropped = await dropOldBlocks(this.#file, topic, positions, now);
      blocks += dropped.blocks;
      bytes += dropped.bytes;
    }
    return { blocks, bytes };
  }

  async #sweepByTimer(now: number): Promise<void> {
    try {
      this.#tell({ type: 'swept', ...(await this.sweep(now)) });
    } catch (cause) {
      this.#tell({ type: 'sweep_failed', cause });
    }
  }

  #tell(event: EmbeddedLogEvent): void {
    this.#options.onEvent?.(event);
  }
}
