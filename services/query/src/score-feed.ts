import { decodeAccountScore, isPoison, type AccountScore } from '@touchstone/codec';
import { RecordReader, type EventLog, type RecordBlock, type Subscription } from '@touchstone/event-log';
import { timeText, timeTextOrNull } from './answers.ts';

/** One published score, ready to send. `id` says how far the reader is in every partition once it has this event. */
export interface ScoreEvent {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
  readonly accountId: string;
  readonly score: number;
  readonly json: string;
}

/** Events kept for readers that come back: some seconds at full speed, hours at a usual one. */
const EVENTS_KEPT = 20_000;

export type Follower = (event: ScoreEvent) => void;

/** Where a reader that comes back goes on. */
export interface Resumed {
  /** What it missed, oldest first. */
  readonly missed: readonly ScoreEvent[];
  /** False when some of what it missed is no longer kept. */
  readonly isComplete: boolean;
}

/**
 * The published scores as one stream: follows the scores topic in every partition, keeps the latest events, and hands each new one to all
 * followers. It begins a little before the end of the topic, so that readers can resume across a restart.
 */
export class ScoreFeed {
  readonly #log: EventLog;
  readonly #topic: string;
  readonly #kept: ScoreEvent[] = [];
  #keptFrom = 0;
  readonly #followers = new Set<Follower>();
  /** Offset after the last event, by partition. */
  #positions: number[] = [];
  /** Offset of the first event that is still kept, by partition. */
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

  async start(onFailed: (cause: unknown) => void): Promise<void> {
    const extents = await this.#log.extents(this.#topic);
    const each = Math.floor(EVENTS_KEPT / Math.max(1, extents.length));
    this.#generation = extents[0]?.generation ?? '';
    this.#positions = extents.map(({ start, end }) => Math.max(start, end - each));
    this.#oldest = [...this.#positions];
    const reader = new RecordReader();
    this.#subscription = await this.#log.subscribe({
      topic: this.#topic,
      group: null,
      onAssigned: (partition) => this.#positions[partition]!,
      onBlock: (block) => this.#take(reader, block),
      onFailed,
    });
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

  /** What came after the event with this id; null when the id is none of this topic. */
  resume(id: string): Resumed | null {
    const positions = this.#positionsOf(id);
    if (positions === null) return null;
    const missed: ScoreEvent[] = [];
    for (let i = 0; i < this.#kept.length; i++) {
      const event = this.#kept[(this.#keptFrom + i) % this.#kept.length]!;
      if (event.offset >= positions[event.partition]!) missed.push(event);
    }
    return { missed, isComplete: positions.every((offset, partition) => offset >= this.#oldest[partition]!) };
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
      const event: ScoreEvent = {
        id: this.#idAt(this.#positions),
        partition: block.partition,
        offset: reader.offset,
        accountId: score.accountId,
        score: score.score,
        json: jsonOf(score),
      };
      this.#keep(event);
      for (const follower of this.#followers) follower(event);
    }
  }

  #keep(event: ScoreEvent): void {
    if (this.#kept.length < EVENTS_KEPT) {
      this.#kept.push(event);
      return;
    }
    const dropped = this.#kept[this.#keptFrom]!;
    this.#oldest[dropped.partition] = dropped.offset + 1;
    this.#kept[this.#keptFrom] = event;
    this.#keptFrom = (this.#keptFrom + 1) % EVENTS_KEPT;
  }

  #idAt(positions: readonly number[]): string {
    return `${this.#generation}:${positions.map((offset) => offset.toString(36)).join('.')}`;
  }

  #positionsOf(id: string): number[] | null {
    const colon = id.lastIndexOf(':');
    if (id.slice(0, colon) !== this.#generation) return null;
    const offsets = id.slice(colon + 1).split('.');
    if (offsets.length !== this.#positions.length || offsets.some((text) => !/^[0-9a-z]{1,11}$/.test(text))) return null;
    return offsets.map((text) => Number.parseInt(text, 36));
  }
}

function jsonOf({ asOf, lastTouchAt, ...score }: AccountScore): string {
  return JSON.stringify({ ...score, asOf: timeText(asOf), lastTouchAt: timeTextOrNull(lastTouchAt) });
}
