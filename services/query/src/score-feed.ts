import { decodeAccountScore, isPoison, type AccountScore } from '@touchstone/codec';
import type { LedgerSet } from '@touchstone/engine';
import { EVENTS_TOPIC, RecordReader, SCORES_TOPIC, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { sleep, type Metrics, type Scheduler } from '@touchstone/runtime';
import { PublishedScore, ScoreEvent } from './score-event.ts';
import { ToldScores } from './told-scores.ts';

/** Scores kept for readers that come back: some seconds at full speed, hours at a usual one. */
const SCORES_KEPT = 20_000;
/** A reader that comes from another process may be ahead of this one, by as much as one lags behind the other; that is soon over. */
const REACHED_WITHIN_MS = 1000;
/** A score whose version is not applied yet is looked at again after this: ledgers are rarely behind, and then by little. */
const LOOK_INTERVAL_MS = 2;

export type Follower = (event: ScoreEvent) => void;

/** Where a reader that comes back goes on. */
export interface Resumed {
  /** What it missed, oldest first. */
  readonly missed: readonly ScoreEvent[];
  /** False when some of what it missed is no longer kept. */
  readonly isComplete: boolean;
}

export interface ScoreFeedOptions {
  /** The ledgers that answers are computed from, of the same partitions as the topic's. */
  readonly ledgers: LedgerSet;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
}

/**
 * The published scores as one stream: follows the scores topic in every partition, keeps the latest ones, and hands each new one to all
 * followers. It begins a little before the end of the topic, so that readers can resume across a restart.
 *
 * No account goes back: scores that are no news are left out, and each waits until its version is applied to the ledgers here, so that who
 * gets it and then asks for the account is never told less. Its partition waits with it, in the log.
 */
export class ScoreFeed {
  readonly #options: ScoreFeedOptions;
  readonly #told: ToldScores;
  readonly #kept: PublishedScore[] = [];
  #keptFrom = 0;
  readonly #followers = new Set<Follower>();
  /** Offset after the last score, by partition. */
  #positions: number[] = [];
  /** Offset of the first score that is still kept, by partition. */
  #oldest: number[] = [];
  #generation = '';
  #toldCount = 0;
  #subscription: Subscription | null = null;

  /** Where the topic ended at the start, by partition. */
  #ends: number[] = [];
  /** Where the events ended at the start, by partition. */
  #eventsEnds: number[] = [];
  /** Partitions that wait for the ledgers. */
  readonly #waiting = new Set<number>();
  #isStopped = false;

  constructor(options: ScoreFeedOptions) {
    this.#options = options;
    this.#told = new ToldScores(options.ledgers);
    options.metrics.beforeScrape(() => options.metrics.set('stream_partitions_held', {}, this.#waiting.size));
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  /**
   * Begins before the ledgers are restored, and resolves once everything that was published before the call is read: a reader that comes back
   * right after a restart would else get once more what it has, with older versions than it has seen.
   * @param onFailed called when the topic can not be followed any more
   */
  async start(log: Pick<EventLog, 'extents' | 'subscribe'>, onFailed: (cause: unknown) => void): Promise<void> {
    const extents = await log.extents(SCORES_TOPIC);
    this.#eventsEnds = (await log.extents(EVENTS_TOPIC)).map(({ end }) => end);
    const each = Math.floor(SCORES_KEPT / Math.max(1, extents.length));
    this.#generation = extents[0]?.generation ?? '';
    this.#positions = extents.map(({ start, end }) => Math.max(start, end - each));
    this.#oldest = [...this.#positions];
    this.#ends = extents.map(({ end }) => end);
    const unread = new Set(extents.filter(({ partition, end }) => this.#positions[partition]! < end).map(({ partition }) => partition));
    const caughtUp = Promise.withResolvers<void>();
    if (unread.size === 0) caughtUp.resolve();
    this.#subscription = await log.subscribe({
      topic: SCORES_TOPIC,
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

  /** Hands over every event from now on, until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  /** The id of a reader that has seen everything so far. */
  get currentId(): string {
    return this.#idAt(this.#positions);
  }

  /**
   * Waits, though not for long, until everything up to the event with this id is read here too: who was told more by another process would
   * else be told it again, and older things before.
   */
  async reaches(id: string): Promise<void> {
    const { scheduler } = this.#options;
    const deadline = scheduler.elapsed() + REACHED_WITHIN_MS;
    const seen = this.#offsetsOf(id);
    const isAhead = (): boolean => seen?.some((offset, partition) => offset > this.#positions[partition]!) ?? false;
    while (isAhead() && scheduler.elapsed() < deadline) await sleep(scheduler, LOOK_INTERVAL_MS);
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
      missed.push(new ScoreEvent(this.#idAt(seen), published, null));
    }
    return { missed, isComplete };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#subscription?.stop();
  }

  async #take(block: RecordBlock): Promise<void> {
    const { partition } = block;
    // A reader of its own: the blocks of several partitions may wait at the same time.
    const reader = new RecordReader().open(block);
    while (reader.next()) {
      const score = reader.valueStart < 0 ? null : decodeAccountScore(block.bytes, reader.valueStart, reader.valueEnd);
      const isOurs = score !== null && !isPoison(score) && !this.#isOfFormerLog(partition, reader.offset, score.version);
      const isNews = isOurs && this.#isNews(partition, score);
      if (isNews && this.#isAhead(partition, reader.offset, score.version)) await this.#ledgersReach(partition, score.version);
      if (this.#isStopped) return;
      this.#positions[partition] = reader.offset + 1;
      if (isNews) this.#tell(new PublishedScore(partition, reader.offset, score));
    }
  }

  /**
   * What was there at the start is of versions that the log had then. A higher one is left over from a log before this one, and would hide all
   * that is published now.
   */
  #isOfFormerLog(partition: number, offset: number, version: number): boolean {
    return offset < this.#ends[partition]! && version >= (this.#eventsEnds[partition] ?? 0);
  }

  #isNews(partition: number, score: AccountScore): boolean {
    const isNews = this.#told.isNews(partition, score);
    if (!isNews) this.#options.metrics.count('stream_scores_dropped_total', {});
    return isNews;
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

  #tell(published: PublishedScore): void {
    this.#keep(published);
    if (this.#followers.size === 0) return;
    const event = new ScoreEvent(this.#idAt(this.#positions), published, ++this.#toldCount);
    for (const follower of this.#followers) follower(event);
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
    const offsets = this.#offsetsOf(id);
    return offsets?.every((offset, partition) => offset <= this.#positions[partition]!) === true ? offsets : null;
  }

  /** What the id says, whether or not it is read here; null when it is no id of this topic. */
  #offsetsOf(id: string): number[] | null {
    const colon = id.lastIndexOf(':');
    if (id.slice(0, colon) !== this.#generation) return null;
    const offsets = id.slice(colon + 1).split('.');
    if (offsets.length !== this.#positions.length || offsets.some((text) => !/^[0-9a-z]{1,11}$/.test(text))) return null;
    return offsets.map((text) => Number.parseInt(text, 36));
  }
}
