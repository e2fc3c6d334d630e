/** Where a decompressor writes: grows up to a bound, and copies from what it wrote before. */
export class Output {
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #end = 0;

  constructor(bytesMax: number, initialBytes: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(bytesMax, initialBytes));
  }

  get length(): number {
    return this.#end;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Copies `length` bytes from `source`. */
  literal(source: Uint8Array, from: number, length: number): void {
    if (length < 0 || from + length > source.length) throw new Error('it is cut off');
    this.#room(length);
    this.#bytes.set(source.subarray(from, from + length), this.#end);
    this.#end += length;
  }

  /** Repeats `length` bytes from `distance` before the end; a distance below the length repeats what this very copy writes. */
  repeat(distance: number, length: number): void {
    if (distance < 1 || distance > this.#end) throw new Error('it repeats what was never there');
    this.#room(length);
    const bytes = this.#bytes;
    let at = this.#end;
    if (distance >= length) bytes.copyWithin(at, at - distance, at - distance + length);
    else for (const end = at + length; at < end; at++) bytes[at] = bytes[at - distance]!;
    this.#end += length;
  }

  #room(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed > this.#bytesMax) throw new Error(`it has more than ${this.#bytesMax} bytes`);
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.bytes());
    this.#bytes = grown;
  }
}
