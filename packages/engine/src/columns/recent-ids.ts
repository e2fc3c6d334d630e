import type { StateWalk } from '../state-walk.ts';
import { Hash64 } from './hash.ts';

const FIRST_SLOTS = 1 << 10;
/** Numbers a slot: low and high half of the id's hash, and its time + 1 since the generation began (0: empty slot). */
const WIDTH = 3;

/** Of a slot in use: a byte that is not 0, with seven bits of the hash that do not say where its slot is. */
const tagOf = (high: number): number => (high & 0x7f) | 0x80;

/** How many slots hold so many ids: at most two thirds of them are taken. */
function slotsFor(ids: number): number {
  let slots = FIRST_SLOTS;
  while (ids * 3 > slots * 2) slots *= 2;
  return slots;
}

/**
 * Ids remembered since `startedAt`. Open addressing, at most two thirds full.
 *
 * Nearly every id that is asked for is new. That is told by a byte for each slot: they are few enough to stay near the processor, the slots are not.
 */
class Generation {
  startedAt: number;
  count = 0;
  #slots: Int32Array;
  #tags: Uint8Array;

  constructor(startedAt: number, slotCount: number) {
    this.startedAt = startedAt;
    this.#slots = new Int32Array(slotCount * WIDTH);
    this.#tags = new Uint8Array(slotCount);
  }

  get slots(): number {
    return this.#tags.length;
  }

  /** Forgets all, and begins anew where it stands. */
  empty(startedAt: number): void {
    this.startedAt = startedAt;
    this.count = 0;
    this.#slots.fill(0);
    this.#tags.fill(0);
  }

  /** The slot where the id is, or the empty one that it would take; good until the next `remember`. */
  find(low: number, high: number): number {
    const slots = this.#slots;
    const tags = this.#tags;
    const mask = tags.length - 1;
    const asked = tagOf(high);
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const tag = tags[slot]!;
      if (tag === 0) return slot;
      if (tag === asked && slots[slot * WIDTH] === low && slots[slot * WIDTH + 1] === high) return slot;
    }
  }

  /** When the id that was found there was remembered, or -1. */
  timeAt(slot: number): number {
    return this.#tags[slot] === 0 ? -1 : this.startedAt + (this.#slots[slot * WIDTH + 2]! >>> 0) - 1;
  }

  /** @param slot where `find` found the id */
  remember(slot: number, low: number, high: number, time: number): void {
    if (this.#tags[slot] === 0) this.count++;
    this.#put(slot, low, high, time - this.startedAt + 1);
    if (this.count * 3 > this.slots * 2) this.#spread(this.slots * 2);
  }

  #put(slot: number, low: number, high: number, time: number): void {
    const at = slot * WIDTH;
    this.#tags[slot] = tagOf(high);
    this.#slots[at] = low;
    this.#slots[at + 1] = high;
    this.#slots[at + 2] = time;
  }

  #spread(slotCount: number): void {
    const former = this.#slots;
    this.#slots = new Int32Array(slotCount * WIDTH);
    this.#tags = new Uint8Array(slotCount);
    for (let at = 0; at < former.length; at += WIDTH) {
      const [low, high, time] = [former[at]!, former[at + 1]!, former[at + 2]!];
      if (time !== 0) this.#put(this.find(low, high), low, high, time);
    }
  }

  /** The tags follow from the slots. */
  walk(state: StateWalk): void {
    this.startedAt = state.number(this.startedAt);
    this.count = state.number(this.count);
    const { buffer, byteOffset, length } = this.#slots;
    const column = state.column(new Uint32Array(buffer, byteOffset, length), length);
    if (!state.isBringing) return;
    this.#slots = new Int32Array(column.buffer, column.byteOffset, column.length);
    this.#tags = new Uint8Array(this.#slots.length / WIDTH);
    for (let slot = 0; slot < this.#tags.length; slot++) {
      if (this.#slots[slot * WIDTH + 2] !== 0) this.#tags[slot] = tagOf(this.#slots[slot * WIDTH + 1]!);
    }
  }
}

/**
 * Remembers the ids of counted touches for a horizon of log time. Two generations, each a horizon long, hold every id that is young enough
 * (and some older ones, which their time tells apart); forgetting is dropping the older generation. Ids are known by 64 bits of hash, 20 to
 * 39 bytes each.
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
    const slot = current.find(low, high);
    if (!force) {
      const seen = Math.max(current.timeAt(slot), former === null ? -1 : former.timeAt(former.find(low, high)));
      if (seen >= 0 && now - seen < this.#horizonMs) return true;
    }
    current.remember(slot, low, high, now);
    return false;
  }

  #turn(now: number): void {
    // Everything in a generation that ended over a horizon ago is too old; after a long silence that is so of the current one too.
    const stillYoung = now - this.#current.startedAt < 2 * this.#horizonMs && this.#current.count > 0;
    const forgotten = this.#former;
    this.#former = stillYoung ? this.#current : null;
    // As many come as came before, most likely. New memory each time would have the collector run for it, so that of the forgotten ones is used again.
    const slots = stillYoung ? slotsFor(this.#current.count) : FIRST_SLOTS;
    if (forgotten?.slots !== slots) {
      this.#current = new Generation(now, slots);
      return;
    }
    forgotten.empty(now);
    this.#current = forgotten;
  }

  walk(state: StateWalk): void {
    this.#current.walk(state);
    const hasFormer = state.number(this.#former === null ? 0 : 1) === 1;
    if (state.isBringing && hasFormer) this.#former = new Generation(0, FIRST_SLOTS);
    this.#former?.walk(state);
  }
}
