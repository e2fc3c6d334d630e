import type { StateWalk } from '../state-walk.ts';
import { Hash64 } from './hash.ts';

const FIRST_SLOTS = 1 << 10;
/** Numbers a slot: low and high half of the id's hash, and its time + 1 since the generation began (0: empty slot). */
const WIDTH = 3;

/** Ids remembered since `startedAt`. Open addressing, at most two thirds full. */
class Generation {
  startedAt: number;
  count = 0;
  #slots: Uint32Array;
  #mask: number;

  constructor(startedAt: number, slotCount: number) {
    this.startedAt = startedAt;
    this.#slots = new Uint32Array(slotCount * WIDTH);
    this.#mask = slotCount - 1;
  }

  get slots(): number {
    return this.#mask + 1;
  }

  /** Where the id is, or the empty slot it would take; good until the next `remember`. */
  find(low: number, high: number): number {
    const slots = this.#slots;
    for (let slot = low & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * WIDTH;
      if (slots[at + 2] === 0 || (slots[at] === low && slots[at + 1] === high)) return at;
    }
  }

  /** When the id that was found there was remembered, or -1. */
  timeAt(at: number): number {
    const time = this.#slots[at + 2]!;
    return time === 0 ? -1 : this.startedAt + time - 1;
  }

  /** @param at where `find` found the id */
  remember(at: number, low: number, high: number, time: number): void {
    if (this.#slots[at + 2] === 0) this.count++;
    this.#slots[at] = low;
    this.#slots[at + 1] = high;
    this.#slots[at + 2] = time - this.startedAt + 1;
    if (this.count * 3 > (this.#mask + 1) * 2) this.#spread((this.#mask + 1) * 2);
  }

  #spread(slotCount: number): void {
    const former = this.#slots;
    this.#slots = new Uint32Array(slotCount * WIDTH);
    this.#mask = slotCount - 1;
    for (let at = 0; at < former.length; at += WIDTH) {
      if (former[at + 2] === 0) continue;
      const to = this.find(former[at]!, former[at + 1]!);
      this.#slots[to] = former[at]!;
      this.#slots[to + 1] = former[at + 1]!;
      this.#slots[to + 2] = former[at + 2]!;
    }
  }

  walk(state: StateWalk): void {
    this.startedAt = state.number(this.startedAt);
    this.count = state.number(this.count);
    this.#slots = state.column(this.#slots, this.#slots.length);
    this.#mask = this.#slots.length / WIDTH - 1;
  }
}

/**
 * Remembers the ids of counted touches for a horizon of log time. Two generations, each a horizon long, hold every id that is young enough
 * (and some older ones, which their time tells apart); forgetting is dropping the older generation. Ids are known by 64 bits of hash, 18 to
 * 36 bytes each.
 */
export class RecentIds {
  readonly #horizonMs: number;
  #current: Generation;
  #former: Generation | null = null;
  readonly #hash = new Hash64();

  /** @param horizonMs shorter than 49 days: times are kept in 32 bits */
  constructor(horizonMs: number) {
    if (!(horizonMs > 0 && horizonMs < 2 ** 32 - 2))
      throw new RangeError(`the dedupe horizon must be 1 ms to 49 days, not ${horizonMs} ms`);
    this.#horizonMs = horizonMs;
    this.#current = new Generation(0, FIRST_SLOTS);
  }

  get size(): number {
    return this.#current.count + (this.#former?.count ?? 0);
  }

  /**
   * True, and nothing else, when a touch with this id was counted less than a horizon before `now`. Otherwise the id is remembered as counted
   * at `now`. With `force` it is remembered in any case: what is stored as counted stays counted.
   */
  isRepeated(bytes: Uint8Array, start: number, end: number, now: number, force: boolean): boolean {
    if (now - this.#current.startedAt >= this.#horizonMs) this.#turn(now);
    this.#hash.set(bytes, start, end);
    const { high, low } = this.#hash;
    const current = this.#current;
    const former = this.#former;
    const at = current.find(low, high);
    if (!force) {
      const seen = Math.max(current.timeAt(at), former === null ? -1 : former.timeAt(former.find(low, high)));
      if (seen >= 0 && now - seen < this.#horizonMs) return true;
    }
    current.remember(at, low, high, now);
    return false;
  }

  #turn(now: number): void {
    // Everything in a generation that ended over a horizon ago is too old; after a long silence that is so of the current one too.
    const stillYoung = now - this.#current.startedAt < 2 * this.#horizonMs && this.#current.count > 0;
    // As many come as came before, most likely: half the slots of then, as tables are between a third and two thirds full.
    const slots = stillYoung ? Math.max(FIRST_SLOTS, this.#current.slots / 2) : FIRST_SLOTS;
    this.#former = stillYoung ? this.#current : null;
    this.#current = new Generation(now, slots);
  }

  walk(state: StateWalk): void {
    this.#current.walk(state);
    const hasFormer = state.number(this.#former === null ? 0 : 1) === 1;
    if (state.isBringing && hasFormer) this.#former = new Generation(0, FIRST_SLOTS);
    this.#former?.walk(state);
  }
}
