/** Something that happens at an instant of virtual time, unless it is cancelled before. */
interface Happening {
  readonly at: number;
  /** Of two at one instant, the one that was planned first happens first. */
  readonly order: number;
  run: (() => void) | null;
}

/** Time goes in parts of a millisecond that add up without rounding, so that what waits for the rest of a span does not come too early. */
const PARTS = 1024;
/** So much at one instant is a loop that waits for time to pass. */
const STEPS_AT_ONCE_MAX = 200_000;

/** Virtual time: a queue of what will happen, in a total order that only the calls made decide. */
export class Timeline {
  /** Milliseconds since the simulation began. */
  now = 0;
  /** How much has happened. */
  steps = 0;
  /** Whether code under test has run since this was last set to false, so that promises may have work to do. */
  isTouched = false;
  readonly #heap: Happening[] = [];
  #planned = 0;
  #stepsAtOnce = 0;

  /** @returns a function that cancels it */
  after(ms: number, run: () => void): () => void {
    const happening: Happening = { at: this.now + Math.ceil(Math.max(0, ms) * PARTS) / PARTS, order: this.#planned++, run };
    this.#push(happening);
    return () => {
      happening.run = null;
    };
  }

  /** Lets what comes next happen; false when nothing is planned. */
  step(): boolean {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return false;
      if (next.run === null) continue;
      this.#stepsAtOnce = next.at === this.now ? this.#stepsAtOnce + 1 : 0;
      if (this.#stepsAtOnce > STEPS_AT_ONCE_MAX) throw new Error(`time stands still at ${this.now} ms`);
      this.now = next.at;
      this.steps++;
      next.run();
      return true;
    }
  }

  #push(added: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(added);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(added, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = added;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
