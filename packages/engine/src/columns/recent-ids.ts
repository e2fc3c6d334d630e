import { hash32 } from './hash.ts';

const SEED_LOW = 0x2545f491;
const SEED_HIGH = 0x6c078965;
const FIRST_SLOTS = 1 << 10;
/** Numbers a slot: low and high half of the id's hash, and its time + 1 since the generation began (0: empty slot). */
const WIDTH = 3;

/** Ids remembered since `startedAt`. Open addressing, at most two thirds full. */
class Generation {
  readonly startedAt: number;
  count = 0;
  #slots: Uint32Array;

  constructor(startedAt: number, slotCount: number) {
    this.startedAt = startedAt;
    this.#slots = new Uint32Array(slotCount * WIDTH);
  }

  get slotCount(): number {
    return this.#slots.length / WIDTH;
  }

  /** When the id was remembered, or -1. */
  timeOf(low: number, high: number): number {
    const at = this.#find(low, high);
    const time = this.#slots[at + 2]!;
    return time === 0 ? -1 : this.startedAt + time - 1;
  }

  remember(low: number, high: number, time: number): void {
    const at = this.#find(low, high);
    if (this.#slots[at + 2] === 0) this.count++;
    this.#slots[at] = low;
    this.#slots[at + 1] = high;
    this.#slots[at + 2] = time - this.startedAt + 1;
    if (this.count * 3 > this.slotCount * 2) this.#spread(this.slotCount * 2);
  }

  #find(low: number, high: number): number {
    const mask = this.slotCount - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WIDTH;
      if (this.#slots[at + 2] === 0 || (this.#slots[at] === low && this.#slots[at + 1] === high)) return at;
    }
  }

  #spread(slotCount: number): void {
    const former = this.#slots;
    this.#slots = new Uint32Array(slotCount * WIDTH);
    for (let at = 0; at < former.length; at += WIDTH) {
      if (former[at + 2] === 0) continue;
      const to = this.#find(former[at]!, former[at + 1]!);
      this.#slots[to] = former[at]!;
      this.#slots[to + 1] = former[at + 1]!;
      this.#slots[to + 2] = former[at + 2]!;
    }
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
    const low = hash32(bytes, start, end, SEED_LOW);
    const high = hash32(bytes, start, end, SEED_HIGH);
    if (!force) {
      const seen = Math.max(this.#current.timeOf(low, high), this.#former === null ? -1 : this.#former.timeOf(low, high));
      if (seen >= 0 && now - seen < this.#horizonMs) return true;
    }
    this.#current.remember(low, high, now);
    return false;
  }

  #turn(now: number): void {
    // Everything in a generation that ended over a horizon ago is too old; after a long silence that is so of the current one too.
    const stillYoung = now - this.#current.startedAt < 2 * this.#horizonMs && this.#current.count > 0;
    this.#former = stillYoung ? this.#current : null;
    this.#current = new Generation(now, FIRST_SLOTS);
  }
}
