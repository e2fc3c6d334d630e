import { Output } from './output.ts';

const MAGIC = 0x184d2204;
const BLOCK_BYTES_MIN_LOG = 8;
const INDEPENDENT = 0x20;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;
const RAW_BLOCK = 0x80000000;

/**
 * An LZ4 frame (lz4_Frame_format.md). Checksums of its own are stepped over, for the record batch around it has one. Written out because no
 * library that we found bounds the output of a frame.
 */
export function unlz4(bytes: Buffer, bytesMax: number): Uint8Array {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw new Error('it is no LZ4 frame');
  const flags = bytes[4]!;
  if (flags >>> 6 !== 1 || (flags & DICTIONARY) !== 0) throw new Error('it is a frame of a kind that Kafka does not write');
  const sizeClass = (bytes[5]! >>> 4) & 7;
  if (sizeClass < 4) throw new Error('its blocks have no known size');
  const blockBytesMax = 2 ** (BLOCK_BYTES_MIN_LOG + 2 * sizeClass);
  let at = 7 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8);

  const output = new Output(bytesMax, bytes.length * 4);
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('it is cut off');
    const head = bytes.readUInt32LE(at);
    at += 4;
    if (head === 0) break;
    const length = head & ~RAW_BLOCK;
    if (length > blockBytesMax || at + length > bytes.length) throw new Error('a block is cut off');
    const begin = output.length;
    if (head >= RAW_BLOCK) output.literal(bytes, at, length);
    else readBlock(bytes.subarray(at, at + length), output, (flags & INDEPENDENT) === 0 ? 0 : begin);
    if (output.length - begin > blockBytesMax) throw new Error('a block is larger than it may be');
    at += length + ((flags & BLOCK_CHECKSUM) === 0 ? 0 : 4);
  }
  if (at + ((flags & CONTENT_CHECKSUM) === 0 ? 0 : 4) !== bytes.length) throw new Error('it goes on after its end');
  return output.bytes();
}

/** lz4_Block_format.md: sequences of literals and a match, the last without one. Nothing may be repeated from before `floor`. */
function readBlock(bytes: Uint8Array, output: Output, floor: number): void {
  let at = 0;
  const byte = () => {
    if (at >= bytes.length) throw new Error('a block is cut off');
    return bytes[at++]!;
  };
  const lengthFrom = (nibble: number) => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let more = 255; more === 255; length += more) more = byte();
    return length;
  };
  for (;;) {
    const token = byte();
    const literals = lengthFrom(token >>> 4);
    output.literal(bytes, at, literals);
    at += literals;
    if (at === bytes.length) return;
    const distance = byte() + byte() * 256;
    if (output.length - distance < floor) throw new Error('it repeats what was never there');
    output.repeat(distance, lengthFrom(token & 15) + 4);
  }
}
