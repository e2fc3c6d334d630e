import type { CreativeSums, Creatives } from './creatives.ts';
import { grown } from './growth.ts';

const NO_SUMS: Float64Array<ArrayBuffer> = new Float64Array(0);

/** What another model adds up for the cells of creatives that go on living: see `RescoredSums`. */
export class RescoredCreatives implements CreativeSums {
  readonly live: Creatives;
  readonly #sums = new Map<number, Float64Array<ArrayBuffer>>();

  constructor(live: Creatives) {
    this.live = live;
  }

  /** The row of a cell among the living ones, with room for its sum; -1 when its day is not kept any more. */
  find(day: number, creative: number, account: number, contact: number): number {
    const table = this.live.dayOf(day);
    const row = table?.find(creative, account, contact) ?? -1;
    if (row < 0) return -1;
    const sums = this.#sums.get(day) ?? NO_SUMS;
    if (row >= sums.length) this.#sums.set(day, grown(sums, table!.sum.length));
    return row;
  }

  sumsOf(day: number): Float64Array {
    return this.#sums.get(day) ?? NO_SUMS;
  }

  scale(by: number): void {
    for (const sum of this.#sums.values()) for (let row = 0; row < sum.length; row++) sum[row]! *= by;
  }

  takeOver(): void {
    this.live.replaceSums(this.#sums);
  }
}
