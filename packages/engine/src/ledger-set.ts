import type { PartitionLedgers } from './ledgers.ts';

/** An account's place: its partition's ledgers and its row in them. */
export interface LedgerPlace {
  readonly ledgers: PartitionLedgers;
  readonly account: number;
}

const encoder = new TextEncoder();
/** Places that are remembered, 150 bytes each. */
const FOUND_MAX = 16_384;

/**
 * The ledgers of all partitions that a process holds, as readers see them. All are of one scoring model: a new one replaces them in one step,
 * so that no answer mixes scores of two.
 */
export class LedgerSet {
  #byPartition: ReadonlyMap<number, PartitionLedgers> = new Map();
  /** Accounts that were asked for lately: an account stays where it is, and to find it means to look into every partition. */
  readonly #found = new Map<string, LedgerPlace>();
  readonly #onReplaced: (() => void)[] = [];

  /** Calls `replaced` at once whenever other ledgers take over. */
  whenReplaced(replaced: () => void): void {
    this.#onReplaced.push(replaced);
  }

  /** @throws RangeError when the ledgers are of different models */
  replace(ledgers: Iterable<PartitionLedgers>): void {
    const byPartition = new Map([...ledgers].map((one) => [one.partition, one]));
    const versions = new Set([...byPartition.values()].map((one) => one.model.version));
    if (versions.size > 1) throw new RangeError(`ledgers of several models can't be served together: ${[...versions].join(', ')}`);
    this.#byPartition = byPartition;
    this.#found.clear();
    for (const replaced of this.#onReplaced) replaced();
  }

  get partitions(): Iterable<PartitionLedgers> {
    return this.#byPartition.values();
  }

  /** How many partitions are held. */
  get size(): number {
    return this.#byPartition.size;
  }

  of(partition: number): PartitionLedgers | undefined {
    return this.#byPartition.get(partition);
  }

  find(accountId: string): LedgerPlace | null {
    const found = this.#found.get(accountId);
    if (found !== undefined) return found;
    const bytes = encoder.encode(accountId);
    for (const ledgers of this.#byPartition.values()) {
      const account = ledgers.accounts.names.find(0, bytes, 0, bytes.length);
      if (account < 0) continue;
      const place = { ledgers, account };
      if (this.#found.size === FOUND_MAX) this.#found.clear();
      this.#found.set(accountId, place);
      return place;
    }
    return null;
  }

  get accountCount(): number {
    let count = 0;
    for (const { accounts } of this.#byPartition.values()) count += accounts.size;
    return count;
  }

  get contactCount(): number {
    let count = 0;
    for (const { contacts } of this.#byPartition.values()) count += contacts.size;
    return count;
  }
}
