/** Smaller ones come and go unnoticed. */
const REUSED_MIN_BYTES = 64 * 1024;
/** Memory is asked for in powers of two, from this size on, so that a frame fits where one like it was. What is not filled takes none of the machine's. */
const FIRST_BYTES = 1024 * 1024;
/** How many are kept that nobody uses, and for how long. */
const FREE_MAX = 4;
const IDLE_MS = 10_000;

interface Free {
  readonly memory: ArrayBuffer;
  readonly since: number;
}

/**
 * Memory for large frames, such as the answers to a fetch while a backlog is worked off: filled again once its user gives it back. New memory
 * for each of them would have the collector run for it every few answers, and the system clear it before.
 */
export class FrameMemory {
  readonly #now: () => number;
  /** Longest unused first. */
  #free: Free[] = [];
  readonly #lent = new WeakSet<ArrayBuffer>();

  /** @param now ms, by a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Bytes that nobody uses. */
  get freeBytes(): number {
    return this.#free.reduce((sum, { memory }) => sum + memory.byteLength, 0);
  }

  /** Room for `length` bytes, with whatever it held before. It may also be kept for good. */
  take(length: number): Buffer {
    if (length < REUSED_MIN_BYTES) return Buffer.allocUnsafeSlow(length);
    const fits = this.#free.filter(({ memory }) => memory.byteLength >= length);
    const smallest = fits.toSorted((a, b) => a.memory.byteLength - b.memory.byteLength).at(0);
    this.#free = this.#free.filter((free) => free !== smallest);
    const memory = smallest?.memory ?? new ArrayBuffer(powerOfTwoFrom(length));
    this.#lent.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Takes back what `bytes` is a view of, where it was taken here: nobody may look at it any more. */
  giveBack(bytes: Uint8Array): void {
    const memory = bytes.buffer as ArrayBuffer;
    if (!this.#lent.delete(memory)) return;
    this.#free.push({ memory, since: this.#now() });
    if (this.#free.length <= FREE_MAX) return;
    // The larger a frame's memory, the more frames fit into it.
    const smallest = Math.min(...this.#free.map(({ memory }) => memory.byteLength));
    this.#free.splice(
      this.#free.findIndex(({ memory }) => memory.byteLength === smallest),
      1,
    );
  }

  /** Lets go of what has not been used for a while. */
  trim(): void {
    const oldest = this.#now() - IDLE_MS;
    if (this.#free.length > 0 && this.#free[0]!.since < oldest) this.#free = this.#free.filter(({ since }) => since >= oldest);
  }
}

function powerOfTwoFrom(length: number): number {
  let bytes = FIRST_BYTES;
  while (bytes < length) bytes *= 2;
  return bytes;
}
