import { statfsSync } from 'node:fs';
import { EventLogError } from '../event-log.ts';

/** The part of `fs.statfs` that is needed; a test passes its own. */
export type StatFs = (path: string) => { readonly bsize: number; readonly bavail: number; readonly blocks: number };

const FREE_BYTES_MIN = 256 * 1024 * 1024;
const FREE_SHARE_MIN = 0.02;
const CHECK_INTERVAL_MS = 1000;

/**
 * Refuses work while the disk is nearly full. A write that fails in the middle of a transaction costs nothing that was promised, but the
 * rest of the machine needs space too, and lmdb-js 3.5.6 writes past the end of its message buffer when a page can't be written: such a
 * process may die later on. So that failure must stay rare, and the floor is what keeps it so.
 */
export class FreeSpace {
  readonly #directory: string;
  readonly #floor: number | null;
  readonly #statFs: StatFs;
  #checkedAt = -Infinity;
  #bytesUntilCheck = 0;
  #free = 0;
  #needed = 0;

  /** `floor` in bytes; null for the larger of 256 MiB and 2 % of the file system. */
  constructor(directory: string, floor: number | null, statFs: StatFs = statfsSync) {
    this.#directory = directory;
    this.#floor = floor;
    this.#statFs = statFs;
  }

  /**
   * Looks again after a second, or once half of the room above the floor has been claimed, whichever comes first.
   * @throws EventLogError `disk_full`, or `io` when the disk does not tell
   */
  claim(bytes: number): void {
    const now = performance.now();
    this.#bytesUntilCheck -= bytes;
    if (now - this.#checkedAt > CHECK_INTERVAL_MS || this.#bytesUntilCheck < 0) {
      const { bsize, bavail, blocks } = this.#stat();
      this.#free = bavail * bsize;
      this.#needed = this.#floor ?? Math.max(FREE_BYTES_MIN, blocks * bsize * FREE_SHARE_MIN);
      this.#bytesUntilCheck = (this.#free - this.#needed) / 2 - bytes;
      this.#checkedAt = now;
    }
    if (this.#free < this.#needed) {
      throw new EventLogError('disk_full', `${this.#directory} has ${mebibytes(this.#free)} MiB free and needs ${mebibytes(this.#needed)}`);
    }
  }

  #stat(): ReturnType<StatFs> {
    try {
      return this.#statFs(this.#directory);
    } catch (cause) {
      throw new EventLogError('io', `the free space of ${this.#directory} is not known: ${String(cause)}`, { cause });
    }
  }
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024));
}
