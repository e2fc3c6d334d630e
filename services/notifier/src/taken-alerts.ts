import type { ReadAlert } from './take-alerts.ts';

/** Some ten megabytes. */
const IDS_MAX = 100_000;
/** By how much the clock of one broker may be ahead of another's. */
const CLOCKS_APART_MS = 5000;

interface Seen {
  /** Epoch ms: an alert that happened later can not have been on the topic before this one began to read it. */
  readonly since: number;
  readonly ids: Set<string>;
}

/**
 * Tells which alerts surely have no message yet, so that the store needs not be asked before they are sent. An alert happened before it was
 * appended, and what stands before the first block that is read here was appended before that block. So an alert that happened after the block's
 * append is new, unless it was read here; the ids of those are remembered.
 */
export class TakenAlerts {
  readonly #seen = new Map<number, Seen>();
  readonly #idsMax: number;
  #ids = 0;

  constructor(idsMax = IDS_MAX) {
    this.#idsMax = idsMax;
  }

  /** Notes what was read of the partitions; true for those of the alerts that are surely new. */
  take(alerts: readonly ReadAlert[]): boolean[] {
    return alerts.map(({ alert, appendedAt }) => {
      let seen = this.#seen.get(alert.partition);
      if (seen === undefined) this.#seen.set(alert.partition, (seen = { since: appendedAt + CLOCKS_APART_MS, ids: new Set() }));
      if (alert.at < seen.since || seen.ids.has(alert.id)) return false;
      seen.ids.add(alert.id);
      // Begins again with the next block: for a while the store is asked, as at first.
      if (++this.#ids > this.#idsMax) this.forgetAll();
      return true;
    });
  }

  /** The partition was read elsewhere meanwhile, or from another place. */
  forget(partition: number): void {
    this.#ids -= this.#seen.get(partition)?.ids.size ?? 0;
    this.#seen.delete(partition);
  }

  forgetAll(): void {
    this.#seen.clear();
    this.#ids = 0;
  }
}
