import type { StateWalk } from '../state-walk.ts';
import { mixed } from './hash.ts';

const FIRST_SLOTS = 1 << 6;
/** Numbers a slot: who + 1 (0: empty); the rule, and in the lower half how many. */
const WIDTH = 2;
const COUNT_BITS = 16;
const COUNT_MASK = (1 << COUNT_BITS) - 1;

/** The counts of one day. Open addressing with linear probing, at most three quarters full. */
class DayCounts {
  #slots: Uint32Array<ArrayBuffer>;
  #used = 0;

  /** @param slots a power of two */
  constructor(slots = FIRST_SLOTS) {
    this.#slots = new Uint32Array(slots * WIDTH);
  }

  get slots(): number {
    return this.#slots.length / WIDTH;
  }

  take(who: number, rule: number, cap: number): boolean {
    const at = this.#find(who + 1, rule);
    if (this.#slots[at] === 0) {
      this.#slots[at] = who + 1;
      this.#slots[at + 1] = (rule << COUNT_BITS) | 1;
      this.#used++;
      if (this.#used * 4 * WIDTH > this.#slots.length * 3) this.#spread();
      return true;
    }
    if ((this.#slots[at + 1]! & COUNT_MASK) >= cap) return false;
    this.#slots[at + 1]!++;
    return true;
  }

  #find(who: number, rule: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = ((mixed(who) + rule) * WIDTH) & mask; ; at = (at + WIDTH) & mask) {
      if (slots[at] === 0 || (slots[at] === who && slots[at + 1]! >>> COUNT_BITS === rule)) return at;
    }
  }

  /** Twice as many slots. */
  #spread(): void {
    const former = this.#slots;
    this.#slots = new Uint32Array(former.length * 2);
    for (let at = 0; at < former.length; at += WIDTH) {
      if (former[at] === 0) continue;
      const to = this.#find(former[at]!, former[at + 1]! >>> COUNT_BITS);
      this.#slots[to] = former[at]!;
      this.#slots[to + 1] = former[at + 1]!;
    }
  }

  walk(state: StateWalk): void {
    this.#used = state.number(this.#used);
    this.#slots = state.column(this.#slots, this.#slots.length);
  }
}

/**
 * How many touches of one contact (or of nobody known, for a whole account), UTC day and rule have counted. Every day within the model's
 * retention is kept, since a late touch may still ask for it.
 *
 * Each day has a table of its own: nearly all touches ask for the same day or two, whose tables stay in the processor's cache; a table that
 * grows is small; and forgetting a day is dropping its table. 11 to 21 bytes a count.
 */
export class CapCounts {
  readonly #days = new Map<number, DayCounts>();
  /** The day asked for last, and its counts: the next touch is likely of the same. */
  #day = -1;
  #counts = new DayCounts();
  #newestDay = -1;

  /**
   * Counts one more unless `cap` is reached; says whether it counted.
   * @param who contact row, or an account row, told apart by the caller
   * @param day UTC days since the epoch
   * @param rule place of the rule in its model, below 256
   * @param cap 1 to 65,535
   * @param oldestDay days before this may be forgotten
   */
  take(who: number, day: number, rule: number, cap: number, oldestDay: number): boolean {
    if (day !== this.#day) this.#turnTo(day, oldestDay);
    return this.#counts.take(who, rule, cap);
  }

  #turnTo(day: number, oldestDay: number): void {
    let counts = this.#days.get(day);
    if (counts === undefined) {
      for (const known of this.#days.keys()) if (known < oldestDay) this.#days.delete(known);
      // Of a day that begins, half of what the one before it needed: growing copies what is there several times over.
      counts = new DayCounts(day > this.#newestDay ? Math.max(FIRST_SLOTS, this.#counts.slots / 2) : FIRST_SLOTS);
      this.#newestDay = Math.max(this.#newestDay, day);
      this.#days.set(day, counts);
    }
    this.#day = day;
    this.#counts = counts;
  }

  walk(state: StateWalk): void {
    const days = state.list([...this.#days.keys()]);
    if (state.isBringing) for (const day of days) this.#days.set(day, new DayCounts());
    for (const counts of this.#days.values()) counts.walk(state);
  }
}
