import { closeSync, existsSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { CliError } from '../cli-error.ts';

export interface RejectedLine {
  readonly line: number;
  readonly reason: string;
  readonly message: string;
  readonly text: string;
}

/** NDJSON of the lines that were not taken, each with its number and the reason. The file appears with the first of them. */
export interface RejectedFile {
  readonly bytes: number;
  write(line: RejectedLine): void;
  close(): void;
}

/** `keptBytes` of an earlier run stay; 0 begins anew. A null path writes nowhere. */
export function openRejectedFile(path: string | null, keptBytes: number): RejectedFile {
  let bytes = 0;
  let descriptor: number | null = null;

  function refuse(cause: unknown): CliError {
    return new CliError(`Can not write ${path}, where rejected lines go. Name another place with --rejected.`, { cause });
  }

  function append(file: string, line: RejectedLine): void {
    try {
      descriptor ??= openSync(file, 'w');
      const entry = Buffer.from(`${JSON.stringify(line)}\n`);
      bytes += writeSync(descriptor, entry, 0, entry.length, bytes);
    } catch (cause) {
      throw refuse(cause);
    }
  }

  if (path !== null) {
    try {
      if (keptBytes === 0) rmSync(path, { force: true });
      else if (existsSync(path)) {
        descriptor = openSync(path, 'r+');
        ftruncateSync(descriptor, keptBytes);
        bytes = keptBytes;
      }
    } catch (cause) {
      throw refuse(cause);
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    write(line) {
      if (path !== null) append(path, line);
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}
