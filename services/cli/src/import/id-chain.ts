import { hash } from 'node:crypto';

/**
 * Ids that depend on what a file says, not on its name or on when it is read: each line's id is a hash of the line and of everything before
 * it. The same file imported twice, renamed, compressed or grown at its end gives the same ids, so the server counts each line once; two
 * equal lines of one file stand at different places and get different ids.
 */
export interface IdChain {
  /** Takes the next line, and gives its id: 22 characters of base64url, 132 bits. */
  next(line: string): string;
  /** How many lines were taken, and a fingerprint of them all. */
  readonly count: number;
  readonly head: string;
}

/** `seed` tells apart imports of one file in different ways, such as two mappings of its columns. */
export function createIdChain(seed: string): IdChain {
  let head = hash('sha256', seed, 'base64url');
  let count = 0;
  return {
    next(line) {
      count++;
      head = hash('sha256', `${head}\n${line}`, 'base64url');
      return head.slice(0, 22);
    },
    get count() {
      return count;
    },
    get head() {
      return head;
    },
  };
}
