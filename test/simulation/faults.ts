/** How often each kind of fault was injected. */
export class FaultCounts {
  /** Requests that nobody waits for any more and that will still arrive. */
  underWay = 0;
  readonly #counts = new Map<string, number>();

  add(kind: string, count = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }
}
