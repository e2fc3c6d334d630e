import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@touchstone/runtime';

/**
 * Answers that are dear to compute, kept for a while: dashboards ask the same again and again, and statements of the embedded ClickHouse wait for each
 * other and for checkpoints.
 *
 *     computed -- fresh: given as it is -------> stale: given as it is, while a new one is computed -----> gone: who asks waits
 *              for ten times as long as it took  a cheap one only if the new one takes its time          half a minute after it came
 *
 * So a question that is asked at least every half minute is answered at once and says by `asOf` how old that is, and a dear one takes a tenth of the
 * store at most, or what it takes every twenty seconds. New ones of dear answers are computed one after the other. A cheap one is worth waiting for, unless it waits for its turn behind a dear one.
 * Whoever asks while there is none at all waits for the one on its way.
 */
const TIMES_KEPT = 10;
/** Less than answers are kept, so that a new one comes before the old one is gone. */
const FRESH_MAX_MS = 20_000;
/** What `asOf` of answers says they may be late by, beside the time they took. */
const KEPT_MS = 30_000;
const DEAR_MS = 100;
/** Some 20 kB each with a series; lists of opportunities and credits of thousands of campaigns are many times as large. */
const ANSWERS_MAX = 500;
const BYTES_MAX = 64 * 1024 * 1024;

/** Keeps no process from ending. */
const waitAside = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false });

export interface KeptAnswer<Answer> {
  readonly answer: Answer;
  /** When it was asked of the store, epoch ms. */
  readonly asOf: number;
}

export interface KeptAnswersOptions {
  readonly clock: Clock;
  /** Ms, of a clock that never goes back. */
  readonly elapsed?: () => number;
  /** Answers are fresh for so long however little they took. */
  readonly freshMinMs?: number;
  /** Answers that took less are given stale only to who would have to wait longer. */
  readonly dearMs?: number;
  /** Resolves after so many ms. */
  readonly wait?: (ms: number) => Promise<unknown>;
  /** Of all answers as JSON. */
  readonly bytesMax?: number;
}

interface Entry {
  kept: Promise<KeptAnswer<unknown>>;
  /** Of `elapsed`; infinite while the answer is on its way. */
  freshUntil: number;
  keptUntil: number;
  isDear: boolean;
  isRenewed: boolean;
  /** The one before, while a cheap one is on its way. */
  before: Promise<KeptAnswer<unknown>> | null;
  /** Of the answer as JSON; 0 while the first is on its way. */
  bytes: number;
}

export class KeptAnswers {
  readonly #clock: Clock;
  readonly #elapsed: () => number;
  readonly #freshMinMs: number;
  readonly #dearMs: number;
  readonly #bytesMax: number;
  readonly #wait: NonNullable<KeptAnswersOptions['wait']>;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #renewals: Promise<void> = Promise.resolve();

  constructor({
    bytesMax = BYTES_MAX,
    clock,
    dearMs = DEAR_MS,
    elapsed = () => performance.now(),
    freshMinMs = 0,
    wait = waitAside,
  }: KeptAnswersOptions) {
    this.#clock = clock;
    this.#elapsed = elapsed;
    this.#freshMinMs = freshMinMs;
    this.#dearMs = dearMs;
    this.#bytesMax = bytesMax;
    this.#wait = wait;
  }

  /**
   * `question` tells answers apart; JSON of it is the key. What "now" means in it is for `compute` to say, which is given the instant as epoch ms: with the
   * instant in the key no answer would ever be found again.
   */
  get<Answer>(question: unknown, compute: (now: number) => Promise<Answer>): Promise<KeptAnswer<Answer>> {
    const key = JSON.stringify(question);
    const now = this.#elapsed();
    const found = this.#entries.get(key);
    this.#entries.delete(key);
    const isThere = found !== undefined && now < found.keptUntil;
    const entry = isThere && (found.isDear || now < found.freshUntil) ? found : this.#begin(key, compute, isThere ? found.kept : null);
    this.#entries.set(key, entry);
    this.#dropOldest();
    if (now >= entry.freshUntil) this.#renew(key, entry, compute);
    return this.#given(entry) as Promise<KeptAnswer<Answer>>;
  }

  /** The one on its way, or the one before where that comes first or none comes. */
  async #given({ before, kept }: Entry): Promise<KeptAnswer<unknown>> {
    if (before === null) return kept;
    return Promise.race([kept.catch(() => before), this.#wait(this.#dearMs).then(() => before)]);
  }

  /** The next who asks is told what is so then. */
  forget(question: unknown): void {
    this.#entries.delete(JSON.stringify(question));
  }

  #begin<Answer>(key: string, compute: (now: number) => Promise<Answer>, before: Entry['before']): Entry {
    const kept = this.#ask(compute);
    const entry: Entry = { kept, freshUntil: Infinity, keptUntil: Infinity, isDear: true, isRenewed: false, before, bytes: 0 };
    this.#keep(entry).then(
      () => this.#dropOldest(),
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry;
  }

  #renew<Answer>(key: string, entry: Entry, compute: (now: number) => Promise<Answer>): void {
    if (entry.isRenewed) return;
    entry.isRenewed = true;
    this.#renewals = this.#renewals.then(async () => this.#renewInTurn(key, entry, compute));
  }

  async #renewInTurn<Answer>(key: string, entry: Entry, compute: (now: number) => Promise<Answer>): Promise<void> {
    try {
      if (this.#entries.get(key) !== entry) return;
      const next: Entry = { ...entry, kept: this.#ask(compute) };
      await this.#keep(next);
      Object.assign(entry, next);
      this.#dropOldest();
    } catch {
      // The store counts its failures; the old answer stays for as long as it may be given.
    } finally {
      entry.isRenewed = false;
    }
  }

  /** Until what is left is within its bounds. One answer may be larger than all may be: it goes to who waits for it, and is not kept. */
  #dropOldest(): void {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= ANSWERS_MAX && bytes <= this.#bytesMax) return;
      // One that is on its way takes nothing yet, and several may wait for it.
      if (entry.bytes === 0 && this.#entries.size <= ANSWERS_MAX) continue;
      this.#entries.delete(key);
      bytes -= entry.bytes;
    }
  }

  async #keep(entry: Entry): Promise<void> {
    const startedAt = this.#elapsed();
    const { answer } = await entry.kept;
    entry.bytes = JSON.stringify(answer)?.length ?? 0;
    const now = this.#elapsed();
    const took = now - startedAt;
    entry.freshUntil = now + Math.max(this.#freshMinMs, Math.min(FRESH_MAX_MS, took * TIMES_KEPT));
    entry.keptUntil = now + KEPT_MS;
    entry.isDear = took >= this.#dearMs;
    entry.before = null;
  }

  async #ask<Answer>(compute: (now: number) => Promise<Answer>): Promise<KeptAnswer<Answer>> {
    const asOf = this.#clock();
    return { answer: await compute(asOf), asOf };
  }
}
