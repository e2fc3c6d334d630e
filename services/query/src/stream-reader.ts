import type { LiveFeed } from './live-feed.ts';
import { StreamEvent, type EventName } from './stream-event.ts';

/** A reader this far behind is cut off: it comes back with the id of the last event it got, and catches up. */
const WAITING_MAX = 10_000;
/** Events in one write: some 25 KB, which is about what a connection holds beyond what the kernel takes. */
const WRITTEN_AT_ONCE = 64;
const RETRY_MS = 1000;

/** Where a reader's bytes go: the answer. */
export interface StreamOutput {
  /** False when no more should be written before `drain`. */
  write(bytes: string | Uint8Array): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

interface StreamReaderOptions {
  readonly feed: Pick<LiveFeed, 'currentId' | 'follow' | 'resume'>;
  readonly output: StreamOutput;
  /** Names of the events that the reader wants, and which of these. */
  readonly names: ReadonlySet<EventName>;
  readonly isWanted: (event: StreamEvent) => boolean;
  /** Id of the last event that the reader got earlier; null for a new one. */
  readonly lastEventId: string | null;
  /** More waits than the reader may leave unread. Nothing can be written to it any more: its connection is to be dropped. */
  readonly onTooSlow: () => void;
}

/**
 * One reader of the stream: what it missed, then what comes. Between the two nothing is lost and nothing comes twice.
 *
 * Budget of an event at a reader: some five microseconds with all that is shared, a thousand readers share a core with everything else. So what comes in one turn of the
 * event loop is written at once, in bytes that all readers share, and nothing is made per reader and event.
 */
export class StreamReader {
  /** Resolves when the reader has left, or is to be let go of. */
  readonly over: Promise<void>;
  readonly #options: StreamReaderOptions;
  readonly #leave: () => void;
  /** What is to be caught up with; the first `#caughtUp` are written. */
  #missed: readonly StreamEvent[] = [];
  #caughtUp = 0;
  #waiting: StreamEvent[] = [];
  #unfollow = (): void => {};
  #isWriteDue = false;
  #isBlocked = false;
  #isOver = false;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#leave = resolve;
  }

  /** Says hello and what was missed, and follows. */
  start(): void {
    const { feed, lastEventId, names } = this.#options;
    // Nothing runs between asking what was missed and following: this is where no event falls in between.
    const resumed = lastEventId === null ? { missed: [], isComplete: true } : feed.resume(lastEventId, names);
    const missed = resumed?.missed ?? [];
    // The id of now goes out first only when nothing is to be caught up: else a reader cut off in the midst of that would skip the rest.
    const id = missed.length === 0 ? `id: ${feed.currentId}\n` : '';
    this.#missed = missed.filter((event) => this.#isWanted(event));
    this.#unfollow = feed.follow((event) => this.#take(event));
    const gap = resumed?.isComplete === true ? '' : 'event: gap\ndata: {}\n\n';
    this.#write(`${id}event: hello\ndata: {}\nretry: ${RETRY_MS}\n\n${gap}`);
    this.#writeWaiting();
  }

  end(): void {
    this.#isOver = true;
    this.#unfollow();
    this.#waiting = [];
    this.#missed = [];
    this.#leave();
  }

  #take(event: StreamEvent): void {
    if (!this.#isWanted(event)) return;
    if (this.#waiting.length === WAITING_MAX) {
      this.end();
      this.#options.onTooSlow();
      return;
    }
    this.#waiting.push(event);
    if (this.#isWriteDue || this.#isBlocked) return;
    // Not at once: a publication has events in every partition, and they come in one turn.
    this.#isWriteDue = true;
    setImmediate(() => {
      this.#isWriteDue = false;
      this.#writeWaiting();
    });
  }

  #isWanted(event: StreamEvent): boolean {
    return this.#options.names.has(event.published.event) && this.#options.isWanted(event);
  }

  #writeWaiting(): void {
    while (!this.#isBlocked && !this.#isOver) {
      const next = this.#next();
      if (next.length === 0) return;
      this.#write(StreamEvent.bytesOf(next));
    }
  }

  #next(): readonly StreamEvent[] {
    if (this.#caughtUp < this.#missed.length) {
      const next = this.#missed.slice(this.#caughtUp, this.#caughtUp + WRITTEN_AT_ONCE);
      this.#caughtUp += next.length;
      return next;
    }
    this.#missed = [];
    this.#caughtUp = 0;
    return this.#waiting.splice(0, WRITTEN_AT_ONCE);
  }

  #write(bytes: string | Uint8Array): void {
    const { output } = this.#options;
    if (output.write(bytes)) return;
    this.#isBlocked = true;
    output.once('drain', () => {
      this.#isBlocked = false;
      this.#writeWaiting();
    });
  }
}
