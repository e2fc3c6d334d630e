/** A seeded source of randomness (mulberry32), so that a run can be repeated as far as the machine's timing allows. */
export interface Random {
  /** From 0 up to, not including, 1. */
  (): number;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  pick<T>(values: readonly T[]): T;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** The same values in another order. */
  shuffle<T>(values: readonly T[]): T[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  function whole(least: number, most: number): number {
    return least + Math.floor(next() * (most - least + 1));
  }

  return Object.assign(next, {
    whole,
    pick: <T>(values: readonly T[]): T => values[whole(0, values.length - 1)]!,
    chance: (probability: number): boolean => next() < probability,
    shuffle<T>(values: readonly T[]): T[] {
      const shuffled = [...values];
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = whole(0, at);
        [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
      }
      return shuffled;
    },
  });
}
