import { Backoff } from './retry.ts';

/** Where the reading of one partition is, from its assignment until it is taken away. */
export class PartitionCursor {
  readonly partition: number;
  readonly backoff = new Backoff();
  /** What to hand over next; null until the subscriber has said where to begin. */
  offset: number | null = null;
  /** What to ask for next where that is not `offset`, because what lies between was fetched already; null otherwise. */
  ahead: number | null = null;
  /** Part of a request that is under way, or of an answer after which it is not known yet where to go on. */
  busy = false;
  /** Answers that are being handed over, or wait for it. */
  waiting = 0;
  /** Taken away: nothing of it is handed over any more. */
  gone = false;
  /** By `performance.now`: it is not asked for before. */
  retryAt = 0;
  /** How often in a row what came could not be read. */
  unreadable = 0;

  constructor(partition: number) {
    this.partition = partition;
  }
}
