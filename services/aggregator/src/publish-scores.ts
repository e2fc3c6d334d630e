import type { LedgerPlace, LedgerSet } from '@touchstone/engine';
import type { EventLog, OutgoingRecord } from '@touchstone/event-log';
import type { Metrics, Scheduler } from '@touchstone/runtime';
import type { ScoreRow } from '@touchstone/store';
import type { ScoringJob } from './scoring-job.ts';

/** Scores in one append: enough to share its cost, few enough that readers and other work get a turn between two. */
const SCORES_PER_APPEND = 2000;

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
    const { ledgers, mayPublish, metrics, scheduler } = this.#options;
    const waiting = this.#waiting.filter(({ partition }) => mayPublish(partition));
    this.#waiting = [];
    let published = 0;
    // The partitions together: each append waits for the disk.
    const whole = new Set([...ledgers.partitions].map(({ partition }) => partition).filter(mayPublish));
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
    return whole;
  }

  async #append(changes: readonly LedgerPlace[]): Promise<void> {
    if (changes.length === 0) return;
    const { job, log, scheduler } = this.#options;
    const now = scheduler.now();
    const publications = changes.map((change) => job.publicationOf(change, now));
    const records = publications.map(({ key, value }, i): OutgoingRecord => ({ key, value, partition: changes[i]!.ledgers.partition }));
    await log.append(job.scoresTopic, records);
    for (const { row } of publications) if (row !== null) this.#unsaved.set(row.accountId, row);
  }
}

/** @returns false, for a filter that leaves it out */
function putBack({ account, ledgers }: LedgerPlace): false {
  ledgers.accounts.markChanged(account);
  return false;
}

function takeChanges(ledgers: LedgerSet, partitions: ReadonlySet<number>): LedgerPlace[] {
  const changes: LedgerPlace[] = [];
  for (const partition of ledgers.partitions) {
    if (!partitions.has(partition.partition)) continue;
    for (const account of partition.accounts.takeChanged()) changes.push({ ledgers: partition, account });
  }
  return changes;
}
