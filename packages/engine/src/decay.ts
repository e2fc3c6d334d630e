import type { ScoringModel } from './model.ts';
import type { StateWalk } from './state-walk.ts';

/**
 * How what a touch is worth fades with its age. A strategy keeps, per sum, one number that needs no visit as time passes.
 *
 * Exponential decay is kept forward (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009): a touch adds worth x weight(occurredAt),
 * and the sum times factor(T) is the sum of all worths, each decayed to T. Late touches need no special case.
 *
 * A decay that does not multiply (linear, a hard window) needs other sums; it comes as another implementation of this interface together with
 * the columns it sums into.
 */
export interface Decay {
  /** What one unit of worth at `occurredAt` (epoch ms) adds to a sum. */
  weight(occurredAt: number): number;
  /** What a sum is multiplied by to give points at `asOf` (epoch ms). */
  factor(asOf: number): number;
  /** The share of a worth that is left after so many ms; all of it when they are none or less. */
  left(ageMs: number): number;
  /** No instant before this has points that are exact: what faded by then may have been dropped. Epoch ms; years ago for usual half-lives. */
  earliestInstant(now: number): number;
  /**
   * Power of two (0 or more) by which all sums must be divided before anything at `now` is added, so that weights stay within the range of a
   * number; the landmark moves with it. Dividing by a power of two is exact, so it changes no result.
   */
  halvingsDue(now: number): number;
  walk(state: StateWalk): void;
}

/** Weights stay below 2^HALVINGS_MAX, with as much room again before a double overflows at 2^1024. */
const HALVINGS_MAX = 400;
/** Sums can be decayed back to so many half-lives before the landmark: what counts then is still within the range of a double. */
const HALVINGS_BACK = 500;

class ExponentialDecay implements Decay {
  readonly #halfLifeMs: number;
  /** The landmark: so many half-lives after the epoch. */
  #landmark: number | null = null;

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  weight(occurredAt: number): number {
    const halfLives = Math.floor(occurredAt / this.#halfLifeMs);
    // Whole half-lives and the rest apart: both parts are then good to the last bit, whatever the distance.
    const rest = (occurredAt - halfLives * this.#halfLifeMs) / this.#halfLifeMs;
    return powerOfTwo(halfLives - (this.#landmark ?? 0)) * 2 ** rest;
  }

  factor(asOf: number): number {
    const halfLives = Math.floor(asOf / this.#halfLifeMs);
    const rest = (asOf - halfLives * this.#halfLifeMs) / this.#halfLifeMs;
    return powerOfTwo((this.#landmark ?? 0) - halfLives) * 2 ** -rest;
  }

  left(ageMs: number): number {
    if (ageMs <= 0) return 1;
    const halfLives = Math.floor(ageMs / this.#halfLifeMs);
    return powerOfTwo(-halfLives) * 2 ** -((ageMs - halfLives * this.#halfLifeMs) / this.#halfLifeMs);
  }

  earliestInstant(now: number): number {
    return now - HALVINGS_BACK * this.#halfLifeMs;
  }

  halvingsDue(now: number): number {
    const halfLives = Math.floor(now / this.#halfLifeMs);
    if (this.#landmark === null) {
      this.#landmark = halfLives;
      return 0;
    }
    const passed = halfLives - this.#landmark;
    if (passed < HALVINGS_MAX) return 0;
    this.#landmark = halfLives;
    return passed;
  }

  walk(state: StateWalk): void {
    const landmark = state.number(this.#landmark ?? -1);
    this.#landmark = landmark < 0 ? null : landmark;
  }
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** 2^exponent exactly, for whole exponents; 0 below the normal range of a double, infinite above it. */
export function powerOfTwo(exponent: number): number {
  if (exponent < -1022) return 0;
  if (exponent > 1023) return Infinity;
  words[0] = 0;
  words[1] = (exponent + 1023) << 20;
  return double[0]!;
}

/** The decay a model asks for, with nothing added yet. */
export function decayOf(model: ScoringModel): Decay {
  return new ExponentialDecay(Math.round(model.decay.halfLifeDays * 86_400_000));
}
