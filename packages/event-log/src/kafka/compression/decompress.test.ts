import { gzipSync, zstdCompressSync } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import { compressFrameSync } from 'lz4-napi';
import { compress as snappy } from 'snappyjs';
import { describe, expect } from 'vitest';
import { decompress } from './decompress.ts';

const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;

const XERIAL_BLOCK_BYTES = 100;

/** As the Java client writes it: a head, then blocks with their lengths. */
function xerial(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [Buffer.from('\x82SNAPPY\0', 'latin1'), Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])];
  for (let at = 0; at < bytes.length || at === 0; at += XERIAL_BLOCK_BYTES) {
    const block = snappy(Buffer.from(bytes.subarray(at, at + XERIAL_BLOCK_BYTES)));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const CODECS = [
  { name: 'none', codec: 0, compress: (bytes: Buffer) => bytes },
  { name: 'gzip', codec: GZIP, compress: (bytes: Buffer) => gzipSync(bytes) },
  { name: 'snappy in one block', codec: SNAPPY, compress: (bytes: Buffer) => Buffer.from(snappy(bytes)) },
  { name: 'snappy in Xerial blocks', codec: SNAPPY, compress: xerial },
  { name: 'lz4', codec: LZ4, compress: (bytes: Buffer) => compressFrameSync(bytes) },
  {
    name: 'lz4 with checksums',
    codec: LZ4,
    compress: (bytes: Buffer) => compressFrameSync(bytes, { blockChecksums: true, contentChecksum: true }),
  },
  { name: 'zstd', codec: ZSTD, compress: (bytes: Buffer) => zstdCompressSync(bytes) },
];

/** Repetitive, as records are, so that copies of all kinds come up. */
const content = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 30 })), { maxLength: 12 })
  .map((runs) => Buffer.concat(runs.flatMap(([bytes, times]) => Array.from({ length: times }, () => Buffer.from(bytes)))));
const corrupt = expect.objectContaining({ name: 'EventLogError', code: 'corrupt' });

describe.each(CODECS)('$name', ({ codec, compress }) => {
  test.prop([content])('gives back what a library compressed', (bytes) => {
    expect(Buffer.from(decompress(codec, compress(bytes)))).toEqual(bytes);
  });

  test('gives back more than one block', () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => ((i * i) % 251) ^ (i >> 9)));
    expect(Buffer.compare(decompress(codec, compress(bytes)), bytes)).toBe(0);
  });
});

describe.each(CODECS.filter(({ codec }) => codec > 0))('hostile $name', ({ codec, compress }) => {
  test('that grows beyond the bound is refused', () => {
    const bomb = compress(Buffer.alloc(100_000));
    expect(() => decompress(codec, bomb, 99_999)).toThrow(corrupt);
    expect(decompress(codec, bomb, 100_000).length).toBe(100_000);
  });

  test.prop([content, fc.nat(), fc.integer({ min: 1, max: 255 })], { numRuns: 300 })(
    'with a byte changed gives something or is refused',
    (bytes, seed, change) => {
      const compressed = Buffer.from(compress(bytes));
      compressed[seed % compressed.length]! ^= change;
      expectBytesOrRefusal(codec, compressed);
    },
  );

  test.prop([content, fc.nat()], { numRuns: 200 })('that is cut off is refused', (bytes, seed) => {
    const compressed = compress(bytes);
    const cut = compressed.subarray(0, seed % compressed.length);
    // Blocks have no count before them: a cut between two shows only in the records, of which there are fewer than the batch says.
    if (compress === xerial) return expectBytesOrRefusal(codec, cut);
    expect(() => decompress(codec, cut)).toThrow(corrupt);
  });

  test.prop([fc.uint8Array({ maxLength: 60 })], { numRuns: 300 })('of any bytes gives something or is refused', (bytes) => {
    expectBytesOrRefusal(codec, Buffer.from(bytes));
  });
});

/** An LZ4 frame of 64 KiB blocks that are linked, or not; a block is raw where its first number is -1. */
function lz4Frame(linked: boolean, ...blocks: readonly (readonly number[])[]): Buffer {
  const parts = [Buffer.from([0x04, 0x22, 0x4d, 0x18, linked ? 0x40 : 0x60, 0x40, 0])];
  for (const block of blocks) {
    const bytes = block[0] === -1 ? block.slice(1) : block;
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length + (bytes === block ? 0 : 0x80000000));
    parts.push(length, Buffer.from(bytes));
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

const ABCD = [-1, 97, 98, 99, 100];
const REPEAT_FOUR_THEN_Z = [0x00, 4, 0, 0x10, 122];

test('lz4 blocks that are linked repeat from those before them', () => {
  expect(Buffer.from(decompress(LZ4, lz4Frame(true, ABCD, REPEAT_FOUR_THEN_Z))).toString()).toBe('abcdabcdz');
});

test.each([
  { what: 'lz4 from another block, where blocks are on their own', codec: LZ4, bytes: lz4Frame(false, ABCD, REPEAT_FOUR_THEN_Z) },
  { what: 'lz4 from before its beginning', codec: LZ4, bytes: lz4Frame(true, REPEAT_FOUR_THEN_Z) },
  { what: 'lz4 from where it is', codec: LZ4, bytes: lz4Frame(true, ABCD, [0x00, 0, 0, 0x10, 122]) },
  { what: 'snappy from before its beginning', codec: SNAPPY, bytes: Buffer.from([5, 0, 97, 0x0e, 2, 0]) },
  { what: 'snappy from where it is', codec: SNAPPY, bytes: Buffer.from([5, 0, 97, 0x0e, 0, 0]) },
  {
    what: 'snappy literals of four length bytes below zero',
    codec: SNAPPY,
    bytes: Buffer.from([5, 0xfc, 0xf0, 0xff, 0xff, 0xff, 97, 97, 97]),
  },
])('what repeats $what is refused', ({ codec, bytes }) => {
  expect(() => decompress(codec, bytes)).toThrow(corrupt);
});

test.each([5, 6, 7])('codec %i, which nobody knows, is refused by name', (codec) => {
  expect(() => decompress(codec, Buffer.from('x'))).toThrow(
    expect.objectContaining({ code: 'corrupt', message: expect.stringMatching(`codec ${codec}: only none, gzip, snappy, lz4, zstd`) }),
  );
});

function expectBytesOrRefusal(codec: number, bytes: Buffer): void {
  try {
    expect(decompress(codec, bytes, 1_000_000).length).toBeLessThanOrEqual(1_000_000);
  } catch (cause) {
    expect(cause).toEqual(corrupt);
  }
}
