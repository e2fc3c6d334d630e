import type { ScoreEvent, ScoreFeed } from './score-feed.ts';

/** A reader this far behind is cut off: it comes back with the id of the last event it got, and catches up. */
const WAITING_MAX = 10_000;

/** What goes out, in the words of server-sent events. */
export interface StreamMessage {
  readonly id?: string;
  readonly event: 'hello' | 'gap' | 'score';
  readonly data: string;
  readonly retry?: number;
}

interface StreamReaderOptions {
  readonly feed: ScoreFeed;
  readonly isWanted: (event: ScoreEvent) => boolean;
  /** Id of the last event that the reader got earlier; null for a new one. */
  readonly lastEventId: string | null;
  /** More waits than the reader may leave unread. Nothing can be written to it any more: its connection is to be dropped. */
  readonly onTooSlow: () => void;
}

/** One reader of the stream: what it missed, then what comes. Between the two nothing is lost and nothing comes twice. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #missed: readonly ScoreEvent[];
  readonly #isComplete: boolean;
  /** The id of now goes out first only when nothing is to be caught up: else a reader cut off in the midst of that would skip the rest. */
  readonly #firstId: string | null;
  readonly #waiting: ScoreEvent[] = [];
  readonly #unfollow: () => void;
  #wake = (): void => {};
  #isOver = false;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    const { feed, lastEventId } = options;
    // Nothing runs between asking what was missed and following: this is where no event falls in between.
    const resumed = lastEventId === null ? { missed: [], isComplete: true } : feed.resume(lastEventId);
    this.#missed = resumed?.missed ?? [];
    this.#isComplete = resumed?.isComplete ?? false;
    this.#firstId = this.#missed.length === 0 ? feed.currentId : null;
    this.#unfollow = feed.follow((event) => this.#take(event));
  }

  async *messages(): AsyncGenerator<StreamMessage> {
    const { isWanted } = this.#options;
    yield { event: 'hello', data: '{}', retry: 1000, ...(this.#firstId !== null && { id: this.#firstId }) };
    if (!this.#isComplete) yield { event: 'gap', data: '{}' };
    for (const event of this.#missed) if (isWanted(event)) yield messageOf(event);
    while (!this.#isOver) {
      const event = this.#waiting.shift();
      if (event === undefined) await this.#somethingNew();
      else yield messageOf(event);
    }
  }

  end(): void {
    this.#isOver = true;
    this.#unfollow();
    this.#wake();
  }

  #take(event: ScoreEvent): void {
    if (!this.#options.isWanted(event)) return;
    if (this.#waiting.length === WAITING_MAX) {
      this.end();
      this.#options.onTooSlow();
      return;
    }
    this.#waiting.push(event);
    this.#wake();
  }

  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function messageOf({ id, published }: ScoreEvent): StreamMessage {
  return { id, event: 'score', data: published.json };
}
