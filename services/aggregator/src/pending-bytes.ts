import type { Intake } from './intake.ts';

/** Bytes that wait to be stored and told, about: of partitions that are held, and of those that are kept for a while. */
export function pendingBytesOf(held: Iterable<Intake>, kept: Iterable<Intake>): number {
  let bytes = 0;
  for (const { pendingBytes, untold } of held) bytes += pendingBytes + untold.byteLength;
  // What those have to tell waits for them to come back, which is no reason for others to wait.
  for (const { pendingBytes } of kept) bytes += pendingBytes;
  return bytes;
}
