/** Of more than these a list is not kept. */
const WANTED_MAX = 64;

/** The newest few of many hours or days, one after the other: what keeps the first of them at a level until it falls out of a window. */
export class NewestSlots {
  readonly #slots = new Uint32Array(WANTED_MAX);
  #wanted = 0;

  /** @returns false when so many are too many */
  begin(wanted: number): boolean {
    this.#wanted = wanted;
    this.#slots.fill(0, 0, Math.min(wanted, WANTED_MAX));
    return wanted <= WANTED_MAX;
  }

  add(slot: number): void {
    const slots = this.#slots;
    let place = this.#wanted - 1;
    if (slot <= slots[place]!) return;
    for (; place > 0 && slots[place - 1]! < slot; place--) slots[place] = slots[place - 1]!;
    slots[place] = slot;
  }

  /** The oldest of those wanted; 0 when there were fewer. */
  get oldest(): number {
    return this.#slots[this.#wanted - 1]!;
  }
}
