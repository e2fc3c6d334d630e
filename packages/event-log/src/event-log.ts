/**
 * The port to the event log: partitioned, append-only, durable. Two adapters keep the same promises and pass one contract suite:
 * `embedded` (lmdb, one process) and, for many processes, Kafka.
 *
 * Records move in blocks, because a call, a promise and an object per record would cost more than the work done on it. Inside a block the
 * records are framed as in a Kafka record batch (format v2), so a block fetched from Kafka needs no rewriting.
 */

/** Records of one partition with consecutive or increasing offsets, as stored. Read them with `RecordReader`. */
export interface RecordBlock {
  readonly partition: number;
  /** What the offset deltas inside the records count from. The first record may lie above it, when a block is read from its middle. */
  readonly baseOffset: number;
  /** Offset after the block's last record. */
  readonly nextOffset: number;
  /** 0 for offsets that hold nothing for a reader, such as the marks of Kafka's transactions: only the position moves on. */
  readonly count: number;
  /** When the log took the block, epoch ms by the log's clock: it falls only where that clock was set back. */
  readonly appendedAt: number;
  /**
   * Framed records, `count` of them: good until the handler is done with the block, for its memory may be filled again then. Never a Buffer:
   * what is sliced off is a copy.
   */
  readonly bytes: Uint8Array;
}

/** Key and value of a record to append take at most this; other producers of a Kafka topic may write larger ones. */
export const RECORD_BYTES_MAX = 1024 * 1024;

/** A record to append. Without `partition` it goes where the murmur2 hash of its key says, as Kafka's own producers do. */
export interface OutgoingRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly partition?: number;
}

/** What a partition holds. `generation` changes when the topic is made anew, so that a position of the former one is never mistaken. */
export interface PartitionExtent {
  readonly partition: number;
  /** Offset of the oldest record kept. */
  readonly start: number;
  /** Offset the next record will get. */
  readonly end: number;
  readonly generation: string;
}

export interface SubscribeOptions {
  readonly topic: string;
  /** Consumer group whose positions `commit` moves; null reads every partition and commits nothing. */
  readonly group: string | null;
  /**
   * Called when a partition is assigned, before its first block; resolves to the offset to read from. With many processes a partition may be
   * taken away while this is under way; no block of it follows then, unless it is assigned again.
   */
  readonly onAssigned: (partition: number) => Promise<number> | number;
  /**
   * Called when a partition was taken away, or when that can't be ruled out any more; never while it is being assigned to us still. Another
   * process may have gone on with it long before: whoever stood still learns of it last.
   */
  readonly onRevoked?: (partition: number) => void;
  /** The next block of the same partition waits until this resolves: that is the backpressure. */
  readonly onBlock: (block: RecordBlock) => Promise<void> | void;
  /**
   * The subscription has ended by itself, all its partitions; it delivers nothing more. The cause is an EventLogError, such as
   * `offset_out_of_range` for an offset from `onAssigned` that is not kept, or what a handler threw.
   */
  readonly onFailed: (cause: unknown) => void;
}

export interface Subscription {
  /** The partitions assigned to it; null until that is known for the first time. */
  readonly assigned: ReadonlySet<number> | null;
  /**
   * Whether the partition is assigned and nothing speaks against it: false once the group has not been heard of for most of the time after
   * which it gives partitions to others. To be asked before anything is done that only the owner should do.
   */
  owns(partition: number): boolean;
  /** Stops delivery of a partition, until it is resumed or taken away; a block already being handled is finished. */
  pause(partition: number): void;
  resume(partition: number): void;
  /**
   * Makes positions durable: the offset of the next record to handle, by partition; all or none.
   * @throws EventLogError `not_owner` for a partition not assigned, `io`. RangeError for a position below the committed one or past the end
   */
  commit(positions: ReadonlyMap<number, number>): Promise<void>;
  /** Waits for handlers that are under way (so never await it inside one), then delivers nothing more. */
  stop(): Promise<void>;
}

/** A group's position in a partition, and the generation of the topic it was committed in. */
export interface CommittedPosition {
  readonly offset: number;
  readonly generation: string;
}

export interface EventLog {
  partitionCount(topic: string): number;
  /**
   * Appends all records or none and resolves once they are durable; with Kafka an append that fails with `io` may leave some of them. Records of
   * one key keep their order.
   * @throws EventLogError `backlogged`, `disk_full`, `record_too_large` or `closed`, before anything was written; `io` when the outcome is
   * not known. RangeError for a topic or partition that does not exist
   */
  append(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  extents(topic: string): Promise<readonly PartitionExtent[]>;
  committed(topic: string, group: string): Promise<ReadonlyMap<number, CommittedPosition>>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  close(): Promise<void>;
}

/** The closed list of what can go wrong, with whether the same call may succeed later. */
export const EVENT_LOG_ERRORS = {
  backlogged: { retriable: true, means: 'too many bytes wait to be appended; send again later' },
  disk_full: { retriable: true, means: 'the disk is nearly full; nothing more is taken until space is freed' },
  io: { retriable: true, means: 'the log could not be written or read; whether the records are kept is not known' },
  closed: { retriable: false, means: 'the log is closed' },
  locked: { retriable: false, means: 'another process has the log directory open' },
  offset_out_of_range: { retriable: false, means: 'the asked offset is older than what is kept, or past the end' },
  not_owner: { retriable: true, means: 'the partition is not, or not surely, assigned to this subscription' },
  record_too_large: { retriable: false, means: 'a record is larger than the limit' },
  topic_mismatch: { retriable: false, means: 'a topic is not as this program needs it: its number of partitions or its settings' },
  refused: { retriable: false, means: 'the log does not let this program in, or does not let it do that' },
  corrupt: { retriable: false, means: 'what is stored can not be read as written' },
} as const;

export type EventLogErrorCode = keyof typeof EVENT_LOG_ERRORS;

export class EventLogError extends Error {
  readonly code: EventLogErrorCode;
  readonly retriable: boolean;

  constructor(code: EventLogErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EventLogError';
    this.code = code;
    this.retriable = EVENT_LOG_ERRORS[code].retriable;
  }
}
