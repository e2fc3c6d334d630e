import { encodeAccountScore } from '@touchstone/codec';
import { engagementOf, pointsOf, scoreOf, type LedgerPlace, type LedgerSet, type PartitionLedgers } from '@touchstone/engine';
import type { EventLog, OutgoingRecord } from '@touchstone/event-log';
import type { Metrics } from '@touchstone/runtime';
import type { ScoreRow } from '@touchstone/store';

export const SCORES_TOPIC = 'account-scores';

/** Scores in one append: enough to share its cost, few enough that readers and other work get a turn between two. */
const SCORES_PER_APPEND = 2000;

const encoder = new TextEncoder();

interface PublisherOptions {
  readonly ledgers: LedgerSet;
  readonly log: EventLog;
  readonly metrics: Metrics;
  readonly clock: () => number;
  /** Whether changes gather for later: while they do, nothing is published. */
  readonly isHeld: () => boolean;
}

/** Publishes the scores of changed accounts to the log, one publication at a time, and remembers the latest of each for the store. */
export class ScorePublisher {
  readonly #options: PublisherOptions;
  /** Latest score of each account published since the store last got them. */
  #unsaved = new Map<string, ScoreRow>();
  /** Times of append of the blocks whose scores are not out yet. */
  #waiting: number[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Notes a block whose scores will go out with the next publication. */
  expect(appendedAt: number): void {
    this.#waiting.push(appendedAt);
  }

  /**
   * Publishes every change made so far, unless it is held; resolves once all of it is durable on the log. After a failure the changes are kept
   * for the next time.
   */
  publish(): Promise<void> {
    const publication = this.#running.then(() => this.#publishChanges());
    this.#running = publication.catch(() => {});
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

  async #publishChanges(): Promise<void> {
    const { clock, isHeld, ledgers, metrics } = this.#options;
    if (isHeld()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let published = 0;
    // The partitions together: each append waits for the disk.
    const changes = takeChanges(ledgers);
    while (published < changes.length) {
      const next = changes.slice(published, published + SCORES_PER_APPEND);
      try {
        await this.#append(next);
      } catch (cause) {
        for (const change of changes.slice(published)) change.ledgers.accounts.markChanged(change.account);
        this.#waiting = [...waiting, ...this.#waiting];
        throw cause;
      }
      published += next.length;
    }
    if (published > 0) metrics.count('scores_published_total', {}, published);
    const now = clock();
    for (const appendedAt of waiting) metrics.observe('touch_to_score_seconds', {}, Math.max(0, now - appendedAt) / 1000);
  }

  async #append(changes: readonly LedgerPlace[]): Promise<void> {
    const now = this.#options.clock();
    const rows = changes.map(({ ledgers, account }) => rowOf(ledgers, account, Math.max(now, ledgers.now)));
    const records = rows.map((row, i): OutgoingRecord => {
      const { ledgers, account } = changes[i]!;
      const score = { ...row, lastTouchAt: ledgers.accounts.lastTouch(account) };
      return { key: encoder.encode(row.accountId), value: encodeAccountScore(score), partition: row.partition };
    });
    await this.#options.log.append(SCORES_TOPIC, records);
    for (const row of rows) this.#unsaved.set(row.accountId, row);
  }
}

function takeChanges(ledgers: LedgerSet): LedgerPlace[] {
  const changes: LedgerPlace[] = [];
  for (const partition of ledgers.partitions) {
    for (const account of partition.accounts.takeChanged()) changes.push({ ledgers: partition, account });
  }
  return changes;
}

function rowOf(ledgers: PartitionLedgers, account: number, asOf: number): ScoreRow & { contacts: number } {
  const points = pointsOf(ledgers, account, asOf);
  const { engaged, contacts } = engagementOf(ledgers, account, asOf);
  return {
    accountId: ledgers.accounts.names.text(account),
    partition: ledgers.partition,
    version: ledgers.accounts.version[account]!,
    modelVersion: ledgers.model.version,
    asOf,
    points,
    score: scoreOf(points, ledgers.model.halfScorePoints),
    engaged,
    contacts,
  };
}
