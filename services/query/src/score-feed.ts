import { decodeAccountScore, isPoison, type AccountScore } from '@touchstone/codec';
import { RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { timeText, timeTextOrNull } from './answers.ts';

/** A score as it was published. */
export class PublishedScore {
  readonly partition: number;
  readonly offset: number;
  readonly #score: AccountScore;
  #json: string | null = null;

  constructor(partition: number, offset: number, score: AccountScore) {
    this.partition = partition;
    this.offset = offset;
    this.#score = score;
  }

  get accountId(): string {
    return this.#score.accountId;
  }

  get score(): number {
    return this.#score.score;
  }

  /** Made when the first reader wants it, which is never for most scores of a server under load. */
  get json(): string {
    return (this.#json ??= jsonOf(this.#score));
  }
}

/** A published score on its way to a reader. `id` says how far the reader is in every partition once it has this event. */
export interface ScoreEvent {
  readonly id: string;
  readonly published: PublishedScore;
}

/** Scores kept for readers that come back: some seconds at full speed, hours at a usual one. */
const SCORES_KEPT = 20_000;

export type Follower = (event: ScoreEvent) => void;

/** Where a reader that comes back goes on. */
export interface Resumed {
  /** What it missed, oldest first. */
  readonly missed: readonly ScoreEvent[];
  /** False when some of what it missed is no longer kept. */
  readonly isComplete: boolean;
}

/**
 * The published scores as one stream: follows the scores topic in every partition, keeps the latest ones, and hands each new one to all
 * followers. It begins a little before the end of the topic, so that readers can resume across a restart.
 */
export class ScoreFeed {
  readonly #log: EventLog;
  readonly #topic: string;
  readonly #kept: PublishedScore[] = [];
  #keptFrom = 0;
  readonly #followers = new Set<Follower>();
  /** Offset after the last score, by partition. */
  #positions: number[] = [];
  /** Offset of the first score that is still kept, by partition. */
  #oldest: number[] = [];
  #generation = '';
  #subscription: Subscription | null = null;

  constructor(log: EventLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  /**
   * Resolves once everything that was published before the call is read: a reader that comes back right after a restart would else get
   * once more what it has, with older versions than it has seen.
   */
  async start(onFailed: (cause: unknown) => void): Promise<void> {
    const extents = await this.#log.extents(this.#topic);
    const each = Math.floor(SCORES_KEPT / Math.max(1, extents.length));
    this.#generation = extents[0]?.generation ?? '';
    this.#positions = extents.map(({ start, end }) => Math.max(start, end - each));
    this.#oldest = [...this.#positions];
    const reader = new RecordReader();
    const unread = new Set(extents.filter(({ partition, end }) => this.#positions[partition]! < end).map(({ partition }) => partition));
    const caughtUp = Promise.withResolvers<void>();
    if (unread.size === 0) caughtUp.resolve();
    this.#subscription = await this.#log.subscribe({
      topic: this.#topic,
      group: null,
      onAssigned: (partition) => this.#positions[partition]!,
      onBlock: (block) => {
        this.#take(reader, block);
        if (block.nextOffset >= extents[block.partition]!.end && unread.delete(block.partition) && unread.size === 0) caughtUp.resolve();
      },
      onFailed: (cause) => {
        caughtUp.reject(cause);
        onFailed(cause);
      },
    });
    await caughtUp.promise;
  }

  /** Hands over every event from now on, until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** The id of a reader that has seen everything so far. */
  get currentId(): string {
    return this.#idAt(this.#positions);
  }

  /** What came after the event with this id; null when the id is none of this topic, or of an event that is still to come. */
  resume(id: string): Resumed | null {
    const seen = this.#positionsOf(id);
    if (seen === null) return null;
    const isComplete = seen.every((offset, partition) => offset >= this.#oldest[partition]!);
    const missed: ScoreEvent[] = [];
    for (let i = 0; i < this.#kept.length; i++) {
      const published = this.#kept[(this.#keptFrom + i) % this.#kept.length]!;
      if (published.offset < seen[published.partition]!) continue;
      seen[published.partition] = published.offset + 1;
      // Its own id, for the order of partitions may have been another where the reader was before, as it is after a restart.
      missed.push({ id: this.#idAt(seen), published });
    }
    return { missed, isComplete };
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
  }

  #take(reader: RecordReader, block: RecordBlock): void {
    reader.open(block);
    while (reader.next()) {
      this.#positions[block.partition] = reader.offset + 1;
      if (reader.valueStart < 0) continue;
      const score = decodeAccountScore(block.bytes, reader.valueStart, reader.valueEnd);
      if (isPoison(score)) continue;
      const published = new PublishedScore(block.partition, reader.offset, score);
      this.#keep(published);
      if (this.#followers.size === 0) continue;
      const event: ScoreEvent = { id: this.#idAt(this.#positions), published };
      for (const follower of this.#followers) follower(event);
    }
  }

  #keep(published: PublishedScore): void {
    if (this.#kept.length < SCORES_KEPT) {
      this.#kept.push(published);
      return;
    }
    const dropped = this.#kept[this.#keptFrom]!;
    this.#oldest[dropped.partition] = dropped.offset + 1;
    this.#kept[this.#keptFrom] = published;
    this.#keptFrom = (this.#keptFrom + 1) % SCORES_KEPT;
  }

  #idAt(positions: readonly number[]): string {
    return `${this.#generation}:${positions.map((offset) => offset.toString(36)).join('.')}`;
  }

  #positionsOf(id: string): number[] | null {
    const colon = id.lastIndexOf(':');
    if (id.slice(0, colon) !== this.#generation) return null;
    const offsets = id.slice(colon + 1).split('.');
    if (offsets.length !== this.#positions.length || offsets.some((text) => !/^[0-9a-z]{1,11}$/.test(text))) return null;
    const positions = offsets.map((text) => Number.parseInt(text, 36));
    return positions.every((offset, partition) => offset <= this.#positions[partition]!) ? positions : null;
  }
}

function jsonOf({ asOf, lastTouchAt, ...score }: AccountScore): string {
  return JSON.stringify({ ...score, asOf: timeText(asOf), lastTouchAt: timeTextOrNull(lastTouchAt) });
}
