import type { Clock } from '@touchstone/runtime';

/**
 * Answers that are dear to compute, kept for a while: dashboards ask the same again and again. An answer is kept for ten times as long as it took, so that cheap ones are
 * always fresh and a dear one uses a tenth of the store at most; whoever asks the same meanwhile waits for the one that is on its way.
 */
const TIMES_KEPT = 10;
const KEPT_MAX_MS = 30_000;
const ANSWERS_MAX = 200;

export interface KeptAnswer<Answer> {
  readonly answer: Answer;
  /** When it was asked of the store, epoch ms. */
  readonly asOf: number;
}

interface Entry {
  readonly kept: Promise<KeptAnswer<unknown>>;
  /** Epoch ms; infinite while it is on its way. */
  freshUntil: number;
}

export class KeptAnswers {
  readonly #clock: Clock;
  readonly #elapsed: () => number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();

  /** @param elapsed ms, of a clock that never goes back */
  constructor(clock: Clock, elapsed: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#elapsed = elapsed;
  }

  /** `question` tells answers apart; JSON of it is the key. */
  get<Answer>(question: unknown, compute: () => Promise<Answer>): Promise<KeptAnswer<Answer>> {
    const key = JSON.stringify(question);
    const found = this.#entries.get(key);
    this.#entries.delete(key);
    const entry = found !== undefined && this.#elapsed() < found.freshUntil ? found : this.#begin(key, compute);
    this.#entries.set(key, entry);
    if (this.#entries.size > ANSWERS_MAX) this.#entries.delete(this.#entries.keys().next().value!);
    return entry.kept as Promise<KeptAnswer<Answer>>;
  }

  #begin<Answer>(key: string, compute: () => Promise<Answer>): Entry {
    const asOf = this.#clock();
    const startedAt = this.#elapsed();
    const kept = compute().then((answer) => ({ answer, asOf }));
    const entry: Entry = { kept, freshUntil: Infinity };
    kept.then(
      () => {
        const now = this.#elapsed();
        entry.freshUntil = now + Math.min(KEPT_MAX_MS, (now - startedAt) * TIMES_KEPT);
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry;
  }
}
