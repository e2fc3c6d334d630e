/** Draws from a seed; the same seed gives the same draws, on every machine. */
export interface Random {
  /** From 0 up to, not including, 1. */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** Shape not below 1, scale 1. */
  gamma(shape: number): number;
}

/** Seeded by 32 bits (mulberry32, Tommy Ettinger, public domain). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function uniform(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Box and Muller, 1958; 1 - u is never 0. */
  function normal(): number {
    return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  /** Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26(3), 2000. */
  function gamma(shape: number): number {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  return { uniform, normal, gamma };
}
