import type { LedgerPlace, LedgerSet } from '@touchstone/engine';
import type { EventLog, OutgoingRecord } from '@touchstone/event-log';
import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { ScoreRow } from '@touchstone/store';
import type { ScoringJob } from './scoring-job.ts';

/** Scores in one append: enough to share its cost, few enough that readers and other work get a turn between two. */
const SCORES_PER_APPEND = 2000;
/** When another model has taken over there is news of every account. In one append go so many of them behind those that changed by themselves, which wait for no more. */
const RESTATED_PER_APPEND = 1000;

/**
 * The rest after a publication is so many times as long as it kept the event loop, so that publishing takes a tenth of the time: under load
 * accounts change many times between two, and those that are further apart publish as much news of each with less work. Who reads what is
 * published, here too, takes about as long again.
 */
const REST_TIMES = 9;
/** From the beginning of one publication to the next, unless it takes longer by itself: scores are live. */
const PERIOD_MS_MAX = 200;

interface PublisherOptions {
  readonly job: Pick<ScoringJob, 'publicationOf' | 'scoresTopic'>;
  readonly ledgers: LedgerSet;
  readonly log: Pick<EventLog, 'append'>;
  readonly metrics: Metrics;
  readonly scheduler: Scheduler;
  /** Whether the scores of a partition may go out now: it is ours, and they are newer than what readers know. While not, changes gather. */
  readonly mayPublish: (partition: number) => boolean;
}

interface WaitingBlock {
  readonly partition: number;
  readonly appendedAt: number;
}

/** Publishes the scores of changed accounts to the log, one publication at a time, and remembers the latest of each for the store. */
export class ScorePublisher {
  readonly #options: PublisherOptions;
  /** Latest score of each account published since the store last got them. */
  #unsaved = new Map<string, ScoreRow>();
  /** The blocks whose scores are not out yet. */
  #waiting: WaitingBlock[] = [];
  #running: Promise<void> = Promise.resolve();
  /** How long the last publication kept the event loop, and the one before. */
  #tookMs = 0;
  #formerTookMs = 0;
  /** How long the last publication took, the waits for the disk included. */
  #lastedMs = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Notes a block whose scores will go out with the next publication. */
  expect({ appendedAt, partition }: WaitingBlock): void {
    // Not the block itself, whose bytes would stay in memory; and of what is held back nothing is noted, for a backlog is no latency of ours.
    if (this.#options.mayPublish(partition)) this.#waiting.push({ partition, appendedAt });
  }

  /**
   * Publishes every change made so far of the partitions whose scores may go out; resolves once all of it is durable on the log. After a
   * failure the changes are kept for the next time.
   * @returns the partitions of which all changes are out now
   */
  publish(): Promise<ReadonlySet<number>> {
    const publication = this.#running.then(() => this.#publishChanges());
    this.#running = publication.then(
      () => {},
      () => {},
    );
    return publication;
  }

  /** How long to wait at least until the next publication. Nothing worth mentioning, unless thousands of accounts change in each. */
  get restMs(): number {
    // Of two, so that a pause of the collector in the midst of one says nothing.
    return Math.min(Math.min(this.#tookMs, this.#formerTookMs) * REST_TIMES, Math.max(0, PERIOD_MS_MAX - this.#lastedMs));
  }

  /** The scores published since the last call. Give them back with `keep` if they could not be stored. */
  takeUnsaved(): ReadonlyMap<string, ScoreRow> {
    const unsaved = this.#unsaved;
    this.#unsaved = new Map();
    return unsaved;
  }

  keep(rows: ReadonlyMap<string, ScoreRow>): void {
    this.#unsaved = new Map([...rows, ...this.#unsaved]);
  }

  async #publishChanges(): Promise<ReadonlySet<number>> {
    const { ledgers, mayPublish, scheduler } = this.#options;
    const startedAt = scheduler.elapsed();
    this.#formerTookMs = this.#tookMs;
    this.#tookMs = 0;
    const whole = new Set([...ledgers.partitions].map(({ partition }) => partition).filter(mayPublish));
    do await this.#publishSome(whole);
    while (hasRestated(ledgers, whole));
    this.#lastedMs = scheduler.elapsed() - startedAt;
    return whole;
  }

  /**
   * Publishes the changes made so far, and some of the accounts that another model has restated.
   * @param whole loses the partitions that are not ours any more
   */
  async #publishSome(whole: Set<number>): Promise<void> {
    const { ledgers, mayPublish, metrics, scheduler } = this.#options;
    const waiting = this.#waiting.filter(({ partition }) => mayPublish(partition));
    this.#waiting = [];
    let published = 0;
    // The partitions together: each append waits for the disk.
    const changes = takeChanges(ledgers, whole);
    for (let from = 0; from < changes.length; from += SCORES_PER_APPEND) {
      const next = changes.slice(from, from + SCORES_PER_APPEND).filter((change) => {
        const { partition } = change.ledgers;
        if (mayPublish(partition)) return true;
        whole.delete(partition);
        return putBack(change);
      });
      try {
        await this.#append(next);
      } catch (cause) {
        for (const change of [...next, ...changes.slice(from + SCORES_PER_APPEND)]) putBack(change);
        this.#waiting = [...waiting, ...this.#waiting];
        throw cause;
      }
      published += next.length;
    }
    if (published > 0) metrics.count('scores_published_total', {}, published);
    const now = scheduler.now();
    for (const { appendedAt } of waiting) metrics.observe('touch_to_score_seconds', {}, Math.max(0, now - appendedAt) / 1000);
  }

  async #append(changes: readonly LedgerPlace[]): Promise<void> {
    if (changes.length === 0) return;
    const { job, log, scheduler } = this.#options;
    const startedAt = scheduler.elapsed();
    const now = scheduler.now();
    const publications = changes.map((change) => job.publicationOf(change, now));
    const records = publications.map(({ key, value }, i): OutgoingRecord => ({ key, value, partition: changes[i]!.ledgers.partition }));
    const appended = log.append(job.scoresTopic, records);
    this.#tookMs += scheduler.elapsed() - startedAt;
    await appended;
    for (const { row } of publications) if (row !== null) this.#unsaved.set(row.accountId, row);
  }
}

/** @returns false, for a filter that leaves it out */
function putBack({ account, ledgers }: LedgerPlace): false {
  ledgers.accounts.markChanged(account);
  return false;
}

/** All that changed, and some that are restated behind these. */
function takeChanges(ledgers: LedgerSet, partitions: ReadonlySet<number>): LedgerPlace[] {
  const changes: LedgerPlace[] = [];
  const ours = [...ledgers.partitions].filter(({ partition }) => partitions.has(partition));
  for (const one of ours) for (const account of one.accounts.takeChanged()) changes.push({ ledgers: one, account });
  let room = RESTATED_PER_APPEND;
  for (const one of ours) {
    const restated = one.accounts.takeRestated(room);
    room -= restated.length;
    for (const account of restated) changes.push({ ledgers: one, account });
  }
  return changes;
}

function hasRestated(ledgers: LedgerSet, partitions: ReadonlySet<number>): boolean {
  return [...ledgers.partitions].some(({ accounts, partition }) => partitions.has(partition) && accounts.hasRestated);
}
