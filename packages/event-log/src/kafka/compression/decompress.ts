import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { EventLogError } from '../../event-log.ts';
import { unlz4 } from './lz4.ts';
import { unsnappy } from './snappy.ts';

/** More than a batch of any sane producer; a bomb of zeros ends here instead of in our memory. */
const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;

type Decompress = (bytes: Buffer, bytesMax: number) => Uint8Array;

/** By the number that a batch's attributes hold. */
const CODECS: readonly (readonly [name: string, decompress: Decompress])[] = [
  ['none', (bytes) => bytes],
  ['gzip', (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength })],
  ['snappy', unsnappy],
  ['lz4', unlz4],
  ['zstd', (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength })],
];

/** @throws EventLogError `corrupt`, for a codec that nobody knows as well */
export function decompress(codec: number, bytes: Buffer, bytesMax = DECOMPRESSED_BYTES_MAX): Uint8Array {
  const known = CODECS[codec];
  if (known === undefined) {
    throw new EventLogError('corrupt', `a record batch is compressed with codec ${codec}: only ${names()} can be read`);
  }
  const [name, decompressWith] = known;
  try {
    return decompressWith(bytes, bytesMax);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EventLogError('corrupt', `a record batch compressed with ${name} can not be read: ${why}`, { cause });
  }
}

function names(): string {
  return CODECS.map(([name]) => name).join(', ');
}
