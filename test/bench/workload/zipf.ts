/** Ranks from 0 to `count - 1`, rank r with a probability in proportion to 1 / (r + 1): Zipf's law with exponent 1. */
export class ZipfRanks {
  readonly #upTo: Float64Array;

  constructor(count: number) {
    this.#upTo = new Float64Array(count);
    let sum = 0;
    for (let rank = 0; rank < count; rank++) this.#upTo[rank] = sum += 1 / (rank + 1);
    for (let rank = 0; rank < count; rank++) this.#upTo[rank]! /= sum;
  }

  /** The rank that a number from 0 to 1 falls on. */
  at(share: number): number {
    let low = 0;
    let high = this.#upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#upTo[middle]! > share) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
