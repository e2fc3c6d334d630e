/**
 * Numbers of names that were found before, by the entries of a dictionary that have them: answers of the store give a column's texts once a block, and each
 * row's as the number of its entry. Then a name is hashed and compared once a block.
 */
export class KnownEntries {
  #numbers = new Int32Array(0);
  /** How many may be kept. */
  #used = 0;
  #dictionaries: object | null = null;

  /** Entries of other dictionaries say nothing. */
  turnTo(dictionaries: object | null): void {
    if (dictionaries === this.#dictionaries) return;
    this.#dictionaries = dictionaries;
    this.#numbers.fill(-1, 0, this.#used);
    this.#used = 0;
  }

  /** The number kept for an entry; -1 when there is none, and for -1. */
  find(entry: number): number {
    return entry >= 0 && entry < this.#used ? this.#numbers[entry]! : -1;
  }

  keep(entry: number, number: number): void {
    if (entry < 0) return;
    if (entry >= this.#numbers.length) {
      const numbers = new Int32Array(Math.max(entry + 1, this.#numbers.length * 2)).fill(-1);
      numbers.set(this.#numbers.subarray(0, this.#used));
      this.#numbers = numbers;
    }
    this.#numbers[entry] = number;
    if (entry >= this.#used) this.#used = entry + 1;
  }
}
