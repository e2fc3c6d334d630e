/** A block takes milliseconds; nothing for so long, though there is something to read, means that a part of this process is stuck. */
const STALLED_AFTER_MS = 60_000;
/** Looks further apart say nothing of what was between them: the log did not answer, or the process stood still. */
const LOOKS_APART_MS = 10_000;

/** Records wait and none was applied for a minute, with nothing to hold them up: a new process does better than this one. */
class StalledError extends Error {
  readonly code = 'log_stalled';

  constructor(partition: number, position: number, end: number) {
    super(
      `Partition ${partition} stands at ${position} while the log goes on to ${end}: nothing of it has come for a minute. Starting again is the remedy.`,
    );
    this.name = 'StalledError';
  }
}

/** Looks whether partitions move on as long as there is something to read in them. */
export class LagWatchdog {
  readonly #standing = new Map<number, { readonly position: number; readonly since: number }>();
  #lookedAt = -Infinity;

  /**
   * To be called about every second.
   * @param now by a clock that is never set, ms
   * @param positions of the partitions that should be moving
   * @throws StalledError
   */
  look(now: number, positions: ReadonlyMap<number, number>, ends: ReadonlyMap<number, number>): void {
    if (now - this.#lookedAt > LOOKS_APART_MS) this.#standing.clear();
    this.#lookedAt = now;
    for (const partition of this.#standing.keys()) if (!positions.has(partition)) this.#standing.delete(partition);
    for (const [partition, position] of positions) {
      const end = ends.get(partition) ?? 0;
      const standing = this.#standing.get(partition);
      if (position >= end) this.#standing.delete(partition);
      else if (standing?.position !== position) this.#standing.set(partition, { position, since: now });
      else if (now - standing.since > STALLED_AFTER_MS) throw new StalledError(partition, position, end);
    }
  }
}
