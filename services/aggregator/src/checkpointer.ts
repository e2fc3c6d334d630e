import type { Subscription } from '@touchstone/event-log';
import type { Logger, Metrics } from '@touchstone/runtime';
import { StoreError, type Checkpoint, type Store } from '@touchstone/store';
import type { Intake } from './intake.ts';
import type { ScorePublisher } from './publish-scores.ts';
import { isRetriable, pause, pauseMsAfter } from './retry.ts';

interface CheckpointerOptions {
  readonly intakes: () => Iterable<Intake>;
  readonly publisher: ScorePublisher;
  readonly store: Store;
  readonly subscription: () => Subscription | null;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Whether a publication that begins now brings out every effect of what is applied. */
  readonly mayCommit: () => boolean;
}

/**
 * Makes what was applied durable, one checkpoint at a time:
 *
 *     cut -> publish scores, await their acks -> insert rows -> commit positions
 *
 * The stored position says what the ledgers are restored from; the committed one, that everything below it has been published as well. It
 * stays behind while effects are held back, and a start publishes what it finds between the two. Every step may be repeated. A cut that fails
 * is kept and tried again, with growing pauses, before another is made: partitions go on meanwhile until the bound on what they gather holds
 * them.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #failedCut: readonly Checkpoint[] = [];
  /** Positions that are stored and not committed yet. */
  readonly #uncommitted = new Map<number, number>();
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #failures = 0;
  #isStopping = false;
  #lastAt: number;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#lastAt = options.clock();
  }

  /** When the last checkpoint succeeded, epoch ms. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** No more retries with pauses from here on: the process is on its way out. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Makes everything applied before the call durable. Calls during a checkpoint share the next one. */
  run(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#checkpoint().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    const running = this.#running;
    this.#next ??= running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return this.run();
      });
    return this.#next;
  }

  async #checkpoint(): Promise<void> {
    for (;;) {
      try {
        // First what failed before: positions move in order.
        if (this.#failedCut.length > 0) await this.#store(this.#failedCut);
        const cut = [...this.#options.intakes()].map((intake) => intake.cut()).filter((one) => one !== null);
        this.#failedCut = cut;
        await this.#store(cut);
        this.#failures = 0;
        this.#lastAt = this.#options.clock();
        return;
      } catch (cause) {
        await this.#pauseAfter(cause);
      }
    }
  }

  async #store(cut: readonly Checkpoint[]): Promise<void> {
    const { clock, mayCommit, metrics, publisher, store } = this.#options;
    // Asked before the publication: what is held back during it is not out after it.
    const isOut = mayCommit();
    if (cut.length === 0 && (!isOut || this.#uncommitted.size === 0)) return;
    const startedAt = clock();
    await publisher.publish();
    const scores = publisher.takeUnsaved();
    try {
      await store.saveScores([...scores.values()]);
    } catch (cause) {
      publisher.keep(scores);
      throw cause;
    }
    if (cut.length > 0) await store.checkpoint(cut);
    this.#failedCut = [];
    for (const { partition, offset } of cut) this.#uncommitted.set(partition, offset);
    if (isOut) await this.#commit();
    metrics.count(
      'checkpoint_rows_total',
      {},
      cut.reduce((rows, { touches, facts }) => rows + touches.count + facts.length, scores.size),
    );
    metrics.observe('checkpoint_seconds', {}, (clock() - startedAt) / 1000);
  }

  async #commit(): Promise<void> {
    await this.#options.subscription()?.commit(new Map(this.#uncommitted));
    this.#uncommitted.clear();
  }

  async #pauseAfter(cause: unknown): Promise<void> {
    const { logger, metrics } = this.#options;
    this.#failures++;
    metrics.count('checkpoint_failures_total', {});
    if (cause instanceof StoreError) metrics.count('store_errors_total', { code: cause.code });
    if (!isRetriable(cause) || this.#isStopping) throw cause;
    const pauseMs = pauseMsAfter(this.#failures);
    logger.warn({ err: cause, failures: this.#failures, pauseMs }, 'a checkpoint failed; what it holds is kept and tried again');
    await pause(pauseMs);
  }
}
