import { Output } from './output.ts';

/** What the Java client puts before its blocks: `\x82SNAPPY\0`, two versions. Every block then has its length before it. */
const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEAD_BYTES = 16;

/** Snappy, as one raw block (librdkafka) or as Xerial's sequence of blocks (Java). Written out because no library bounds hostile input. */
export function unsnappy(bytes: Buffer, bytesMax: number): Uint8Array {
  const output = new Output(bytesMax, bytes.length * 4);
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    readBlock(bytes, output);
    return output.bytes();
  }
  if (bytes.length < XERIAL_HEAD_BYTES) throw new Error('it is cut off');
  let at = XERIAL_HEAD_BYTES;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new Error('it is cut off');
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > bytes.length) throw new Error('it is cut off');
    readBlock(bytes.subarray(at, at + length), output);
    at += length;
  }
  return output.bytes();
}

/** google/snappy, format_description.txt: the length of the output, then literals and copies, told apart by two bits. */
function readBlock(bytes: Buffer, output: Output): void {
  let at = 0;
  const byte = () => {
    if (at >= bytes.length) throw new Error('it is cut off');
    return bytes[at++]!;
  };
  const little = (count: number) => {
    let value = 0;
    for (let i = 0; i < count; i++) value += byte() * 2 ** (8 * i);
    return value;
  };

  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const next = byte();
    if (shift > 28) throw new Error('its length is too long');
    length += (next & 0x7f) * 2 ** shift;
    if (next < 0x80) break;
  }
  const end = output.length + length;
  while (at < bytes.length) {
    const tag = byte();
    const kind = tag & 3;
    if (kind === 0) {
      const size = tag >>> 2;
      const count = size < 60 ? size + 1 : little(size - 59) + 1;
      output.literal(bytes, at, count);
      at += count;
    } else if (kind === 1) {
      output.repeat(((tag >>> 5) << 8) + byte(), ((tag >>> 2) & 7) + 4);
    } else {
      output.repeat(little(kind === 2 ? 2 : 4), (tag >>> 2) + 1);
    }
    if (output.length > end) break;
  }
  if (output.length !== end) throw new Error('it has another length than it says');
}
