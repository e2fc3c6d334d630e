import { mixed } from './hash.ts';

const FIRST_SLOTS = 1 << 8;
/** Numbers a slot: who + 1 (0: empty), day and rule, how many. */
const WIDTH = 3;

/**
 * How many touches of one contact (or of nobody known, for a whole account), UTC day and rule have counted. Every day within the model's
 * retention is kept, since a late touch may still ask for it; older days are dropped when the table has to grow. Open addressing, at most
 * three quarters full: 16 to 32 bytes a count.
 */
export class CapCounts {
  #slots = new Uint32Array(FIRST_SLOTS * WIDTH);
  #used = 0;

  /**
   * Counts one more unless `cap` is reached; says whether it counted.
   * @param who contact row, or an account row, told apart by the caller
   * @param day UTC days since the epoch, below 65,536
   * @param rule place of the rule in its model, below 256
   * @param oldestDay days before this may be forgotten
   */
  take(who: number, day: number, rule: number, cap: number, oldestDay: number): boolean {
    const dayAndRule = ((day << 8) | rule) >>> 0;
    let at = this.#find(who + 1, dayAndRule);
    if (this.#slots[at] === 0) {
      if ((this.#used + 1) * 4 * WIDTH > this.#slots.length * 3) {
        this.#spread(oldestDay);
        at = this.#find(who + 1, dayAndRule);
      }
      this.#slots[at] = who + 1;
      this.#slots[at + 1] = dayAndRule;
      this.#used++;
    }
    if (this.#slots[at + 2]! >= cap) return false;
    this.#slots[at + 2]!++;
    return true;
  }

  #find(who: number, dayAndRule: number): number {
    const mask = this.#slots.length / WIDTH - 1;
    for (let slot = (mixed(who) ^ mixed(dayAndRule + 0x9e3779b9)) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WIDTH;
      if (this.#slots[at] === 0 || (this.#slots[at] === who && this.#slots[at + 1] === dayAndRule)) return at;
    }
  }

  #spread(oldestDay: number): void {
    const former = this.#slots;
    let kept = 0;
    for (let at = 0; at < former.length; at += WIDTH) if (former[at] !== 0 && former[at + 1]! >>> 8 >= oldestDay) kept++;
    let slotCount = FIRST_SLOTS;
    while (kept * 2 >= slotCount) slotCount *= 2;
    this.#slots = new Uint32Array(slotCount * WIDTH);
    this.#used = kept;
    for (let at = 0; at < former.length; at += WIDTH) {
      if (former[at] === 0 || former[at + 1]! >>> 8 < oldestDay) continue;
      const to = this.#find(former[at]!, former[at + 1]!);
      this.#slots[to] = former[at]!;
      this.#slots[to + 1] = former[at + 1]!;
      this.#slots[to + 2] = former[at + 2]!;
    }
  }
}
