import type { PartitionLedgers } from '../ledgers.ts';
import type { Metric } from './metrics.ts';

/** One look at an account at an instant: each figure is computed once, however many conditions ask for it. */
export class Reading {
  readonly ledgers: PartitionLedgers;
  account = -1;
  at = 0;
  /** Another number for each look. */
  look = 1;
  readonly #values = new Map<Metric, { look: number; value: number }>();

  constructor(ledgers: PartitionLedgers) {
    this.ledgers = ledgers;
  }

  /** Begins a look, since columns, account or instant are others now. An account nobody knows, -1, has nothing. */
  begin(account: number, at: number): this {
    this.account = account;
    this.at = at;
    this.look++;
    return this;
  }

  value(metric: Metric): number {
    if (this.account < 0) return 0;
    let known = this.#values.get(metric);
    if (known === undefined) this.#values.set(metric, (known = { look: 0, value: 0 }));
    if (known.look !== this.look) {
      known.look = this.look;
      known.value = metric.value(this.ledgers, this.account, this.at);
    }
    return known.value;
  }
}
