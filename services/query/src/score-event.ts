import type { AccountScore } from '@touchstone/codec';
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

/** A published score on its way to readers. All of them are handed the same object, so that it is encoded once, however many they are. */
export class ScoreEvent {
  /** Says how far a reader is in every partition once it has this event. */
  readonly id: string;
  readonly published: PublishedScore;
  /** Counts what is told live. What a reader catches up with is its own: null. */
  readonly #number: number | null;
  #bytes: Buffer | null = null;
  /** This event and those right after it, as they were last written together. */
  #run: { readonly length: number; readonly bytes: Buffer } | null = null;

  constructor(id: string, published: PublishedScore, number: number | null) {
    this.id = id;
    this.published = published;
    this.#number = number;
  }

  /** Events in a row as bytes of the stream. Readers that want every event share them: what they leave unread is in memory once. */
  static bytesOf(events: readonly ScoreEvent[]): Buffer {
    const first = events[0]!;
    if (events.length === 1) return first.#encoded();
    const last = events.at(-1)!;
    const isWhole = first.#number !== null && last.#number !== null && last.#number - first.#number === events.length - 1;
    if (isWhole && first.#run?.length === events.length) return first.#run.bytes;
    const bytes = Buffer.concat(events.map((event) => event.#encoded()));
    if (isWhole) first.#run = { length: events.length, bytes };
    return bytes;
  }

  #encoded(): Buffer {
    return (this.#bytes ??= Buffer.from(`id: ${this.id}\nevent: score\ndata: ${this.published.json}\n\n`));
  }
}

function jsonOf({ asOf, lastTouchAt, ...score }: AccountScore): string {
  return JSON.stringify({ ...score, asOf: timeText(asOf), lastTouchAt: timeTextOrNull(lastTouchAt) });
}
