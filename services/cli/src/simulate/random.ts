import { hash } from 'node:crypto';

/** A sequence of numbers that a seed decides. sfc32, by Chris Doty-Humphrey (PractRand): small, fast, and good enough for made-up traffic. */
export interface Random {
  /** 0 inclusive to 1 exclusive. */
  next(): number;
  /** A whole number, min to max inclusive. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T;
  /** An entry by weight; weights need not add up to anything. */
  weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): T;
}

export function createRandom(seed: string): Random {
  const state = new Uint32Array(Uint8Array.from(hash('sha256', seed, 'buffer').subarray(0, 16)).buffer);

  function next(): number {
    const sum = (state[0]! + state[1]! + state[3]!) >>> 0;
    state[3] = state[3]! + 1;
    state[0] = state[1]! ^ (state[1]! >>> 9);
    state[1] = state[2]! + (state[2]! << 3);
    state[2] = ((state[2]! << 21) | (state[2]! >>> 11)) + sum;
    return sum / 2 ** 32;
  }

  return {
    next,
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (from) => from[Math.floor(next() * from.length)]!,
    weighted(entries) {
      let left = next() * entries.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of entries) {
        left -= weight;
        if (left < 0) return value;
      }
      return entries.at(-1)![1];
    },
  };
}
