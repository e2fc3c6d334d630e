const SIZE_BYTES = 4;

/** Cuts a stream into Kafka's frames: four bytes of size, then so many bytes. */
export class FrameSplitter {
  #pieces: Buffer[] = [];
  #length = 0;
  /** Bytes of the frame under way, known once its size is. */
  #wanted = SIZE_BYTES;

  /** The frames that are whole now, sizes included. */
  push(bytes: Buffer): Buffer[] {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    if (this.#length < this.#wanted) return [];
    let rest = this.#pieces.length === 1 ? bytes : Buffer.concat(this.#pieces);
    const frames: Buffer[] = [];
    this.#wanted = SIZE_BYTES;
    while (rest.length >= SIZE_BYTES) {
      this.#wanted = SIZE_BYTES + rest.readInt32BE(0);
      if (rest.length < this.#wanted) break;
      frames.push(rest.subarray(0, this.#wanted));
      rest = rest.subarray(this.#wanted);
      this.#wanted = SIZE_BYTES;
    }
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return frames;
  }
}
