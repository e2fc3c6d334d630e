import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * A file that is there whole or not at all:
 *
 *     "tsledger" | bytes of the head, a double | the head, JSON, blanks up to a multiple of 8 | the body | checksum of all before, a double
 */
const MAGIC = Buffer.from('tsledger');
const BODY_OFFSET_MIN = 16;
const CHECKSUM_BYTES = 8;
const WRITE_BYTES = 1024 * 1024;
const READ_BYTES = 8 * 1024 * 1024;

/**
 * Writes a file beside its place and moves it there once it is on disk.
 * @param mayTakePlace awaited before the move
 */
export async function writeSnapshotFile(
  path: string,
  head: object,
  body: Iterable<Uint8Array>,
  mayTakePlace: () => Promise<void>,
): Promise<number> {
  // Always the same: what a killed process leaves is written over.
  const beside = `${path}.tmp`;
  try {
    const file = await open(beside, 'w');
    let bytes: number;
    try {
      bytes = await writeAll(file, head, body);
      await file.sync();
    } finally {
      await file.close();
    }
    await mayTakePlace();
    await rename(beside, path);
    await syncDirectory(dirname(path));
    return bytes;
  } catch (cause) {
    await rm(beside, { force: true });
    throw cause;
  }
}

async function writeAll(file: FileHandle, head: object, body: Iterable<Uint8Array>): Promise<number> {
  let checksum = 0;
  let written = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async (): Promise<void> => {
    await writeWhole(file, Buffer.concat(waiting));
    written += waitingBytes;
    waiting = [];
    waitingBytes = 0;
  };
  for (const bytes of withHead(head, body)) {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      const some = bytes.subarray(at, at + WRITE_BYTES);
      checksum = crc32(some, checksum);
      waiting.push(some);
      waitingBytes += some.length;
      if (waitingBytes >= WRITE_BYTES) await flush();
    }
  }
  waiting.push(new Uint8Array(Float64Array.of(checksum).buffer));
  waitingBytes += CHECKSUM_BYTES;
  await flush();
  return written;
}

function* withHead(head: object, body: Iterable<Uint8Array>): Generator<Uint8Array> {
  const text = Buffer.from(JSON.stringify(head));
  const padded = Buffer.alloc((text.length + 7) & ~7, ' ');
  padded.set(text);
  yield MAGIC;
  yield new Uint8Array(Float64Array.of(padded.length).buffer);
  yield padded;
  yield* body;
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** @returns null when there is none; @throws RangeError when it is no whole file of this kind */
export async function readSnapshotFile(path: string): Promise<{ head: unknown; bytes: Buffer; bodyAt: number } | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const bodyEnd = size - CHECKSUM_BYTES;
    if (bodyEnd < BODY_OFFSET_MIN) throw new RangeError('the file is cut off');
    const bytes = Buffer.allocUnsafeSlow(size);
    let checksum = 0;
    for (let at = 0; at < size;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, size - at), at);
      if (bytesRead === 0) throw new RangeError('the file became shorter');
      checksum = crc32(bytes.subarray(at, Math.min(at + bytesRead, bodyEnd)), checksum);
      at += bytesRead;
    }
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('the file is something else');
    if (bytes.readDoubleLE(bodyEnd) !== checksum) throw new RangeError('the checksum is wrong');
    const bodyAt = BODY_OFFSET_MIN + bytes.readDoubleLE(MAGIC.length);
    const head: unknown = JSON.parse(bytes.toString('utf8', BODY_OFFSET_MIN, bodyAt));
    return { head, bytes: bytes.subarray(0, bodyEnd), bodyAt };
  } finally {
    await file.close();
  }
}
