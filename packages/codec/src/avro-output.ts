/** What records that are written by hand are made of. Each writes at a position of bytes that have room for it, and returns where it ended. */

/** UTF-8 needs at most three bytes for a UTF-16 unit. */
export const BYTES_PER_UNIT = 3;

/** Up to this many units a loop beats the call into Node's own encoder. */
const LOOP_UNITS_MAX = 40;

/** Where the text that was written last begins, after its length. */
export let textStart = 0;

/** A zigzag varint, seven bits a byte, the lowest first. `value` is a whole number from 0 to the safe integers. */
export function writeLong(bytes: Buffer, at: number, value: number): number {
  let rest = value * 2;
  while (rest >= 0x8000_0000) {
    bytes[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 127) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Takes the text for ASCII, so that its length in bytes is known, and begins again when it turns out not to be. */
export function writeText(bytes: Buffer, at: number, text: string): number {
  const units = text.length;
  const from = writeLong(bytes, at, units);
  textStart = from;
  if (units > LOOP_UNITS_MAX) {
    const written = bytes.write(text, from, 'utf8');
    return written === units ? from + written : writeUnicode(bytes, at, text);
  }
  for (let index = 0; index < units; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 127) return writeUnicode(bytes, at, text);
    bytes[from + index] = unit;
  }
  return from + units;
}

/** Writes text that is UTF-8 already: the bytes of `source` from `start` to `end`. */
export function copyText(bytes: Buffer, at: number, source: Uint8Array, start: number, end: number): number {
  const to = writeLong(bytes, at, end - start);
  if (end - start > LOOP_UNITS_MAX) bytes.set(source.subarray(start, end), to);
  else for (let from = start; from < end; from++) bytes[to + from - start] = source[from]!;
  return to + end - start;
}

function writeUnicode(bytes: Buffer, at: number, text: string): number {
  textStart = writeLong(bytes, at, Buffer.byteLength(text));
  return textStart + bytes.write(text, textStart, 'utf8');
}
