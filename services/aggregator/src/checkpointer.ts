import { EventLogError, type Subscription } from '@touchstone/event-log';
import { isRetriable, pauseMsAfter, sleep, type Logger, type Metrics, type Scheduler } from '@touchstone/runtime';
import { StoreError, type Checkpoint, type Store } from '@touchstone/store';
import type { Intake } from './intake.ts';
import type { AlertPublisher } from './publish-alerts.ts';
import type { ScorePublisher } from './publish-scores.ts';
import type { DeadLetterPublisher } from './publish-dead-letters.ts';

interface CheckpointerOptions {
  /** All that gather rows, those of partitions that were taken away included: to store their rows does no harm. */
  readonly intakes: () => Iterable<Intake>;
  readonly publisher: Pick<ScorePublisher, 'publish' | 'takeUnsaved' | 'keep'>;
  readonly alerts: Pick<AlertPublisher, 'publish'>;
  readonly publishDeadLetters: DeadLetterPublisher;
  readonly store: Pick<Store, 'saveScores' | 'checkpoint'>;
  readonly subscription: () => Pick<Subscription, 'commit'> | null;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  /** Whether a publication that begins now brings out every effect of what is applied in the partition. */
  readonly mayCommit: (partition: number) => boolean;
}

/**
 * Makes what was applied durable, one checkpoint at a time:
 *
 *     cut -> publish scores, alerts and dead letters, await their acks -> insert rows -> commit positions
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
    this.#lastAt = options.scheduler.now();
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
        this.#lastAt = this.#options.scheduler.now();
        return;
      } catch (cause) {
        await this.#pauseAfter(cause);
      }
    }
  }

  /** The partition is stored so far, by us or by a former owner, and whether that is committed is not known. */
  remember(partition: number, offset: number): void {
    // A cut under way and a partition that is taken up again meanwhile may tell of this in any order.
    this.#uncommitted.set(partition, Math.max(offset, this.#uncommitted.get(partition) ?? 0));
  }

  /** The partition was taken away: its positions are for its next owner to commit. */
  forget(partition: number): void {
    this.#uncommitted.delete(partition);
  }

  async #store(cut: readonly Checkpoint[]): Promise<void> {
    const { alerts, mayCommit, metrics, publishDeadLetters, publisher, scheduler, store } = this.#options;
    // Asked before the publication: what is held back during it is not out after it.
    const out = new Set([...cut.map(({ partition }) => partition), ...this.#uncommitted.keys()].filter(mayCommit));
    if (cut.length === 0 && out.size === 0) return;
    const startedAt = scheduler.elapsed();
    // A partition may be ours before and after the publication and not in its midst: then it was left out.
    const published = await publisher.publish();
    const told = await alerts.publish();
    await publishDeadLetters(cut);
    const scores = publisher.takeUnsaved();
    try {
      await store.saveScores([...scores.values()]);
    } catch (cause) {
      publisher.keep(scores);
      throw cause;
    }
    if (cut.length > 0) await store.checkpoint(cut);
    this.#failedCut = [];
    for (const { partition, offset } of cut) this.remember(partition, offset);
    await this.#commit(out.intersection(published).intersection(told));
    metrics.count(
      'checkpoint_rows_total',
      {},
      cut.reduce((rows, { touches, facts, transitions }) => rows + touches.count + facts.length + transitions.length, scores.size),
    );
    metrics.observe('checkpoint_seconds', {}, (scheduler.elapsed() - startedAt) / 1000);
  }

  async #commit(out: ReadonlySet<number>): Promise<void> {
    // Asked anew: while rows were inserted the partition may have gone, or come back with older effects to bring out.
    const positions = new Map([...this.#uncommitted].filter(([partition]) => out.has(partition) && this.#options.mayCommit(partition)));
    if (positions.size === 0) return;
    try {
      await this.#options.subscription()?.commit(positions);
    } catch (cause) {
      if (!(cause instanceof EventLogError) || cause.code !== 'not_owner') throw cause;
      // Kept for when it is known whose they are: committed next time, or forgotten.
      this.#options.logger.info({ err: cause }, 'positions are not committed: a partition is no longer, or not surely, ours');
      return;
    }
    for (const [partition, offset] of positions) if (this.#uncommitted.get(partition) === offset) this.#uncommitted.delete(partition);
  }

  async #pauseAfter(cause: unknown): Promise<void> {
    const { logger, metrics, scheduler } = this.#options;
    this.#failures++;
    metrics.count('checkpoint_failures_total', {});
    if (cause instanceof StoreError) metrics.count('store_errors_total', { code: cause.code });
    if (!isRetriable(cause) || this.#isStopping) throw cause;
    const pauseMs = pauseMsAfter(this.#failures, scheduler);
    logger.warn({ err: cause, failures: this.#failures, pauseMs }, 'a checkpoint failed; what it holds is kept and tried again');
    await sleep(scheduler, pauseMs);
  }
}
