import { EventLogError } from '../event-log.ts';

/** Larger than any answer that we ask for: a fetch is bounded, and a broker goes beyond it only for one single batch. */
const FRAME_BYTES_MAX = 128 * 1024 * 1024;
const LENGTH_BYTES = 4;

/**
 * Cuts what a socket delivers into Kafka's frames: a length of four bytes, then so many bytes. A frame that lies inside one chunk is a view of
 * it; a larger one is copied once, into memory of its size.
 */
export class FrameCollector {
  /** Bytes of a length that is cut off. */
  #head: Buffer = Buffer.alloc(0);
  #frame: Buffer | null = null;
  #filled = 0;

  /** @throws EventLogError `corrupt` for a length that no frame has; nothing more can be made of the connection then */
  take(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frame !== null) {
        const copied = chunk.copy(this.#frame, this.#filled, at);
        this.#filled += copied;
        at += copied;
        if (this.#filled < this.#frame.length) return;
        const frame = this.#frame;
        this.#frame = null;
        onFrame(frame);
        continue;
      }
      const missing = LENGTH_BYTES - this.#head.length;
      if (chunk.length - at < missing) {
        this.#head = Buffer.concat([this.#head, chunk.subarray(at)]);
        return;
      }
      const length = Buffer.concat([this.#head, chunk.subarray(at, at + missing)]).readInt32BE(0);
      this.#head = Buffer.alloc(0);
      at += missing;
      if (length < LENGTH_BYTES || length > FRAME_BYTES_MAX) throw new EventLogError('corrupt', `a frame of ${length} bytes can not be`);
      if (chunk.length - at >= length) {
        onFrame(chunk.subarray(at, at + length));
        at += length;
      } else {
        this.#frame = Buffer.allocUnsafeSlow(length);
        this.#filled = 0;
      }
    }
  }
}
