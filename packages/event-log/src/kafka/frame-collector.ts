import { EventLogError } from '../event-log.ts';
import type { FrameMemory } from './frame-memory.ts';

/** Larger than any answer that we ask for: a fetch is bounded, and a broker goes beyond it only for one single batch. */
const FRAME_BYTES_MAX = 128 * 1024 * 1024;
const LENGTH_BYTES = 4;
const CHUNK_BYTES = 64 * 1024;

/**
 * Cuts what a socket delivers into Kafka's frames: a length of four bytes, then so many bytes. The socket reads into `room`: of a frame that has
 * begun that is its own memory, so nearly all of a large one is never copied.
 */
export class FrameCollector {
  readonly #memory: FrameMemory;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** Bytes of a length that is cut off, at the beginning of the chunk. */
  #held = 0;
  #frame: Buffer | null = null;
  #filled = 0;

  constructor(memory: FrameMemory) {
    this.#memory = memory;
  }

  /** Where the next bytes belong; good until `filled`. */
  room(): Buffer {
    return this.#frame === null ? this.#chunk.subarray(this.#held) : this.#frame.subarray(this.#filled);
  }

  /**
   * So many bytes were put into `room`. The frames that are whole by now are whoever's that takes them.
   * @throws EventLogError `corrupt` for a length that no frame has; nothing more can be made of the connection then
   */
  filled(count: number, onFrame: (frame: Buffer) => void): void {
    if (this.#frame === null) this.#cut(this.#held + count, onFrame);
    else {
      this.#filled += count;
      if (this.#filled === this.#frame.length) this.#end(this.#frame, onFrame);
    }
  }

  #cut(end: number, onFrame: (frame: Buffer) => void): void {
    const chunk = this.#chunk;
    let at = 0;
    while (end - at >= LENGTH_BYTES) {
      const length = chunk.readInt32BE(at);
      if (length < LENGTH_BYTES || length > FRAME_BYTES_MAX) throw new EventLogError('corrupt', `a frame of ${length} bytes can not be`);
      at += LENGTH_BYTES;
      const frame = this.#memory.take(length);
      const copied = chunk.copy(frame, 0, at, Math.min(end, at + length));
      at += copied;
      if (copied < length) {
        this.#frame = frame;
        this.#filled = copied;
      } else onFrame(frame);
    }
    this.#held = chunk.copy(chunk, 0, at, end);
  }

  #end(frame: Buffer, onFrame: (frame: Buffer) => void): void {
    this.#frame = null;
    onFrame(frame);
  }
}
