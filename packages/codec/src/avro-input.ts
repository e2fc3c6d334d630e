const EMPTY = new Uint8Array(0);
const floatingBytes = new Uint8Array(8);
const floatingView = new DataView(floatingBytes.buffer);

/** A 64-bit number takes ten bytes of seven bits. */
const VARINT_BYTES_MAX = 10;

/**
 * Reads Avro's binary encoding from a range of bytes and never outside it. Made once and opened again for each record, so that reading
 * allocates nothing. A failed read leaves `at` where it was.
 */
export class AvroInput {
  bytes: Uint8Array = EMPTY;
  at = 0;
  end = 0;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /**
   * An int or long. NaN when the number does not end within the range or within ten bytes; beyond the safe integers the result is only near,
   * so callers compare it with their limit before they use it.
   */
  readLong(): number {
    const { bytes, end } = this;
    let at = this.at;
    if (at >= end) return Number.NaN;
    const first = bytes[at++]!;
    // The lowest bit is the sign. It is taken off first, so that every safe integer comes out exact.
    let magnitude = (first & 0x7f) >> 1;
    if (first > 127) {
      const stop = this.at + VARINT_BYTES_MAX;
      let scale = 64;
      let byte: number;
      do {
        if (at >= end || at === stop) return Number.NaN;
        byte = bytes[at++]!;
        magnitude += (byte & 0x7f) * scale;
        scale *= 128;
      } while (byte > 127);
    }
    this.at = at;
    return first & 1 ? -magnitude - 1 : magnitude;
  }

  /** The length of a string that lies wholly within the range, leaving `at` at its first byte; -1 when there is none. */
  readLength(): number {
    const before = this.at;
    const length = this.readLong();
    if (length >= 0 && length <= this.end - this.at) return length;
    this.at = before;
    return -1;
  }

  /** A double. The caller has made sure of eight more bytes. */
  readDouble(): number {
    this.#copy(8);
    return floatingView.getFloat64(0, true);
  }

  /** A float. The caller has made sure of four more bytes. */
  readFloat(): number {
    this.#copy(4);
    return floatingView.getFloat32(0, true);
  }

  /** A view of the bytes themselves would have to be made anew for each buffer. */
  #copy(size: number): void {
    const { bytes, at } = this;
    for (let index = 0; index < size; index++) floatingBytes[index] = bytes[at + index]!;
    this.at = at + size;
  }
}
