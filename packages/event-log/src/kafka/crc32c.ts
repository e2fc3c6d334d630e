/** CRC-32C (Castagnoli), reflected; eight tables, so that eight bytes cost eight look-ups and no loop over bits ("slicing by 8"). */
const POLYNOMIAL = 0x82f63b78;
const T = makeTables();

/** The checksum of `bytes`; `before` is that of what came before them. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  const length = bytes.length;
  const words = new DataView(bytes.buffer, bytes.byteOffset, length);
  let at = 0;
  for (const end = length - 7; at < end; at += 8) {
    crc ^= words.getInt32(at, true);
    const next = words.getInt32(at + 4, true);
    crc =
      T[1792 + (crc & 0xff)]! ^
      T[1536 + ((crc >>> 8) & 0xff)]! ^
      T[1280 + ((crc >>> 16) & 0xff)]! ^
      T[1024 + (crc >>> 24)]! ^
      T[768 + (next & 0xff)]! ^
      T[512 + ((next >>> 8) & 0xff)]! ^
      T[256 + ((next >>> 16) & 0xff)]! ^
      T[next >>> 24]!;
  }
  for (; at < length; at++) crc = T[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[i] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const crc = tables[i - 256]!;
    tables[i] = tables[crc & 0xff]! ^ (crc >>> 8);
  }
  return tables;
}
