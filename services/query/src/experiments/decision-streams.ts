import { timingSafeEqual } from 'node:crypto';
import type { KeyRing, Metrics, Scheduler } from '@touchstone/runtime';
import { etagOf, type Decider } from './decider.ts';

/** Addresses stay the same for so long at least, and work for twice that: clients keep the connection of an address that is still the same. */
const PERIOD_MS = 12 * 3_600_000;
/** By time alone scores fall into other bands, and exposure windows end. */
const SWEEP_MS = 1000;
/** Streams looked at before others have their turn: some milliseconds of work. */
const LOOKS_A_TURN = 100;
/** Each costs an evaluation of all flags a second. */
export const STREAMS_MAX = 2000;

/** Where the bytes of a stream go. */
export interface StreamOutput {
  /** False when no more should be written before `drain`. */
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

interface Stream {
  readonly accountId: string;
  readonly output: StreamOutput;
  /** What the client knows or was told to fetch. */
  etag: string;
  /** More was written than it has taken: it is looked at again when it has. */
  isBlocked: boolean;
}

export interface DecisionStreamsOptions {
  readonly decider: Decider;
  readonly keys: Pick<KeyRing, 'sign'>;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
}

/**
 * Tells clients that something is decided otherwise for their account, so that they ask again: because it crossed a band, changed its stage or what is known of it, because
 * time has passed, or because of a step of an experiment. What is decided they get by asking.
 */
export class DecisionStreams {
  readonly #options: DecisionStreamsOptions;
  readonly #byAccount = new Map<string, Set<Stream>>();
  #count = 0;
  readonly #due = new Set<string>();
  #isLooking = false;
  #isStopped = false;
  #cancelSweep: () => void = () => {};

  constructor(options: DecisionStreamsOptions) {
    this.#options = options;
    options.metrics.beforeScrape(() => options.metrics.set('decision_streams', {}, this.#count));
  }

  start(): void {
    this.#cancelSweep = this.#options.scheduler.after(SWEEP_MS, () => {
      this.lookAtAll();
      if (!this.#isStopped) this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelSweep();
  }

  get count(): number {
    return this.#count;
  }

  /** Where the stream of an account is, for a caller: EventSource sends no key, so the address is signed in the key's name. */
  addressOf(accountId: string, keyId: string): string {
    const until = (Math.floor(this.#options.scheduler.now() / PERIOD_MS) + 2) * PERIOD_MS;
    const parameters = new URLSearchParams({ account: accountId, key: keyId, until: String(until) });
    const signature = this.#options.keys.sign(keyId, textOf(accountId, until)) ?? '';
    return `/ofrep/v1/events?${parameters.toString()}&signature=${signature}`;
  }

  /** Whether an address is one of ours, its time is not over, and its key is still in force. */
  isValid({ account, key, signature, until }: { account: string; key: string; signature: string; until: number }): boolean {
    const expected = this.#options.keys.sign(key, textOf(account, until));
    if (expected === null || until <= this.#options.scheduler.now()) return false;
    const [given, wanted] = [Buffer.from(signature), Buffer.from(expected)];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  /**
   * Begins to tell; the returned function ends it.
   * @param lastEventId of a client that was here before: what is decided otherwise since it is told at once. Others are told to ask once, as something
   * may have changed between their last answer and this.
   */
  open(accountId: string, output: StreamOutput, lastEventId: string | null): () => void {
    const stream: Stream = { accountId, output, etag: lastEventId ?? '', isBlocked: false };
    const streams = this.#byAccount.get(accountId) ?? new Set();
    this.#byAccount.set(accountId, streams.add(stream));
    this.#count++;
    this.#tell(stream, this.#etagOf(accountId));
    return () => {
      if (!streams.delete(stream)) return;
      this.#count--;
      if (streams.size === 0 && this.#byAccount.get(accountId) === streams) this.#byAccount.delete(accountId);
    };
  }

  /** Something was told of the account. */
  look(accountId: string): void {
    if (!this.#byAccount.has(accountId)) return;
    this.#due.add(accountId);
    this.#lookSoon();
  }

  lookAtAll(): void {
    for (const accountId of this.#byAccount.keys()) this.#due.add(accountId);
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#isLooking || this.#due.size === 0) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      let left = LOOKS_A_TURN;
      for (const accountId of this.#due) {
        if (left-- === 0) break;
        this.#due.delete(accountId);
        this.#lookAt(accountId);
      }
      this.#lookSoon();
    });
  }

  #lookAt(accountId: string): void {
    const streams = this.#byAccount.get(accountId);
    if (streams === undefined) return;
    const etag = this.#etagOf(accountId);
    for (const stream of streams) this.#tell(stream, etag);
  }

  #etagOf(accountId: string): string {
    return etagOf(this.#options.decider.evaluateAll(accountId)).slice(1, -1);
  }

  #tell(stream: Stream, etag: string): void {
    if (stream.etag === etag || stream.isBlocked) return;
    stream.etag = etag;
    const { metrics, scheduler } = this.#options;
    metrics.count('decision_refetches_total', {});
    const data = JSON.stringify({ type: 'refetchEvaluation', etag: `"${etag}"`, lastModified: Math.floor(scheduler.now() / 1000) });
    if (stream.output.write(`id: ${etag}\ndata: ${data}\n\n`)) return;
    stream.isBlocked = true;
    stream.output.once('drain', () => {
      stream.isBlocked = false;
      this.look(stream.accountId);
    });
  }
}

function textOf(accountId: string, until: number): string {
  return `ofrep-events/${until}/${accountId}`;
}
