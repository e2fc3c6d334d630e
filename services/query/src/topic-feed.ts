import { isPoison } from '@touchstone/codec';
import type { LedgerSet, Poison } from '@touchstone/engine';
import { RecordReader, type EventLog, type PartitionExtent, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { sleep, type Scheduler } from '@touchstone/runtime';
import type { Published } from './stream-event.ts';

/** What is not applied yet is looked at again after this: ledgers are rarely behind, and then by little. */
const LOOK_INTERVAL_MS = 2;

/** What a topic says of an account, as of a version of it. */
interface Told {
  readonly version: number;
}

export interface TopicFeedOptions<Item extends Told, Of extends Published> {
  readonly topic: string;
  /** So many are kept for readers that come back. */
  readonly kept: number;
  /** So many are read at the start, shared by the partitions: what was told before decides whether what comes is news. */
  readonly readAtStart: number;
  /** The ledgers that answers are computed from, of the same partitions as the topic's. */
  readonly ledgers: LedgerSet;
  readonly scheduler: Scheduler;
  readonly decode: (bytes: Uint8Array, start: number, end: number) => Item | Poison;
  /** Called once for each that is read, in order of the partition: a repeat, or what was overtaken, is none. */
  readonly isNews: (partition: number, item: Item) => boolean;
  /** Numbers what all topics tell, in order. */
  readonly nextNumber: () => number;
  readonly publishedOf: (partition: number, offset: number, item: Item) => Of;
  readonly onTold: (published: Of) => void;
}

/** With its number in the order in which it was read here, over all topics. */
export interface Kept<Of extends Published = Published> {
  readonly number: number;
  readonly published: Of;
}

/**
 * Follows one topic in every partition, keeps the latest of what is news and hands each on. It begins a little before the end of the topic, so
 * that readers can resume across a restart.
 *
 * Each waits until its version is applied to the ledgers here, so that who gets it and then asks for the account is never told less. Its
 * partition waits with it, in the log.
 */
export class TopicFeed<Item extends Told, Of extends Published> {
  readonly #options: TopicFeedOptions<Item, Of>;
  readonly #kept: Kept<Of>[] = [];
  #keptFrom = 0;
  /** Offset after the last that was read, by partition. */
  #positions: number[] = [];
  /** Offset of the first that is still kept, by partition. */
  #oldest: number[] = [];
  #generation = '';
  #id: string | null = null;
  #subscription: Subscription | null = null;
  /** Where the topic ended at the start, by partition. */
  #ends: number[] = [];
  /** Where the events ended at the start, by partition. */
  #eventsEnds: readonly number[] = [];
  readonly #waiting = new Set<number>();
  #isStopped = false;

  constructor(options: TopicFeedOptions<Item, Of>) {
    this.#options = options;
  }

  /** Partitions that wait for the ledgers. */
  get waiting(): ReadonlySet<number> {
    return this.#waiting;
  }

  /** Resolves once everything that was on the topic before the call is read. */
  async start(
    log: Pick<EventLog, 'subscribe'>,
    extents: readonly PartitionExtent[],
    eventsEnds: readonly number[],
    onFailed: (cause: unknown) => void,
  ): Promise<void> {
    const { readAtStart, topic } = this.#options;
    this.#eventsEnds = eventsEnds;
    const each = Math.floor(readAtStart / Math.max(1, extents.length));
    this.#generation = extents[0]?.generation ?? '';
    this.#positions = extents.map(({ start, end }) => Math.max(start, end - each));
    this.#oldest = [...this.#positions];
    this.#ends = extents.map(({ end }) => end);
    this.#id = null;
    const unread = new Set(extents.filter(({ partition, end }) => this.#positions[partition]! < end).map(({ partition }) => partition));
    const caughtUp = Promise.withResolvers<void>();
    if (unread.size === 0) caughtUp.resolve();
    this.#subscription = await log.subscribe({
      topic,
      group: null,
      onAssigned: (partition) => this.#positions[partition]!,
      onBlock: async (block) => {
        await this.#take(block);
        if (block.nextOffset >= extents[block.partition]!.end && unread.delete(block.partition) && unread.size === 0) caughtUp.resolve();
      },
      onFailed: (cause) => {
        caughtUp.reject(cause);
        onFailed(cause);
      },
    });
    await caughtUp.promise;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#subscription?.stop();
  }

  /** Of a reader that has seen everything of this topic so far. */
  get currentId(): string {
    return (this.#id ??= this.idAt(this.#positions));
  }

  idAt(positions: readonly number[]): string {
    return `${this.#generation}:${positions.map((offset) => offset.toString(36)).join('.')}`;
  }

  /** The offsets that an id says, whether or not they are read here; null when it is no id of this topic. */
  offsetsOf(id: string): number[] | null {
    const colon = id.lastIndexOf(':');
    if (id.slice(0, colon) !== this.#generation) return null;
    const offsets = id.slice(colon + 1).split('.');
    if (offsets.length !== this.#positions.length || offsets.some((text) => !/^[0-9a-z]{1,11}$/.test(text))) return null;
    return offsets.map((text) => Number.parseInt(text, 36));
  }

  /** Whether all below these offsets is read here. */
  hasRead(offsets: readonly number[]): boolean {
    return offsets.every((offset, partition) => offset <= this.#positions[partition]!);
  }

  /** Whether all from these offsets on is still kept. */
  keepsAllFrom(offsets: readonly number[]): boolean {
    return offsets.every((offset, partition) => offset >= this.#oldest[partition]!);
  }

  /** What is kept, oldest first. */
  *kept(): Generator<Kept<Of>> {
    for (let i = 0; i < this.#kept.length; i++) yield this.#kept[(this.#keptFrom + i) % this.#kept.length]!;
  }

  async #take(block: RecordBlock): Promise<void> {
    const { decode, isNews, publishedOf } = this.#options;
    const { partition } = block;
    // A reader of its own: the blocks of several partitions may wait at the same time.
    const reader = new RecordReader().open(block);
    while (reader.next()) {
      const item = reader.valueStart < 0 ? null : decode(block.bytes, reader.valueStart, reader.valueEnd);
      const isOurs = item !== null && !isPoison(item) && !this.#isOfFormerLog(partition, reader.offset, item.version);
      const isTold = isOurs && isNews(partition, item);
      if (isTold && this.#isAhead(partition, reader.offset, item.version)) await this.#ledgersReach(partition, item.version);
      if (this.#isStopped) return;
      this.#positions[partition] = reader.offset + 1;
      this.#id = null;
      if (isTold) this.#tell(publishedOf(partition, reader.offset, item));
    }
  }

  /**
   * What was there at the start is of versions that the log had then. A higher one is left over from a log before this one, and would hide all
   * that is published now.
   */
  #isOfFormerLog(partition: number, offset: number, version: number): boolean {
    return offset < this.#ends[partition]! && version >= (this.#eventsEnds[partition] ?? 0);
  }

  /**
   * Whether the ledgers here have not applied the version yet. What was on the topic at the start is of versions that were on the log then:
   * nobody is answered before these are applied.
   */
  #isAhead(partition: number, offset: number, version: number): boolean {
    return offset >= this.#ends[partition]! && (this.#options.ledgers.of(partition)?.position ?? 0) <= version;
  }

  async #ledgersReach(partition: number, version: number): Promise<void> {
    const { ledgers, scheduler } = this.#options;
    this.#waiting.add(partition);
    while (!this.#isStopped && (ledgers.of(partition)?.position ?? 0) <= version) await sleep(scheduler, LOOK_INTERVAL_MS);
    this.#waiting.delete(partition);
  }

  #tell(published: Of): void {
    this.#keep({ number: this.#options.nextNumber(), published });
    this.#options.onTold(published);
  }

  #keep(kept: Kept<Of>): void {
    if (this.#kept.length < this.#options.kept) {
      this.#kept.push(kept);
      return;
    }
    const { published: dropped } = this.#kept[this.#keptFrom]!;
    this.#oldest[dropped.partition] = dropped.offset + 1;
    this.#kept[this.#keptFrom] = kept;
    this.#keptFrom = (this.#keptFrom + 1) % this.#options.kept;
  }
}
