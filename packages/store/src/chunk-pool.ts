/** Of every chunk of rows but the first of each checkpoint. */
export const CHUNK_BYTES = 1024 * 1024;

/**
 * Chunks whose rows are stored, to be filled again. New ones would count as garbage to come: while a backlog is worked off, the runtime would
 * look through its whole heap for every few tens of megabytes of them.
 */
export class ChunkPool {
  #free: Uint8Array[] = [];

  take(): Uint8Array | undefined {
    return this.#free.pop();
  }

  /** Keeps what one checkpoint has filled, and as much again at most: little when little comes. Those of another size are let go. */
  refill(buffers: readonly ArrayBufferLike[]): void {
    const given = buffers.filter(({ byteLength }) => byteLength === CHUNK_BYTES).map((buffer) => new Uint8Array(buffer));
    this.#free = [...given, ...this.#free].slice(0, 2 * given.length);
  }
}
