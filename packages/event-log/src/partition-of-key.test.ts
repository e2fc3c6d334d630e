import { test as property, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { murmur2, partitionOfKey } from './partition-of-key.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** MurmurHash2 as its author wrote it, in whole numbers without bounds. */
function slowMurmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995n;
  const times = (a: bigint, b: bigint) => BigInt.asUintN(32, a * b);
  const littleEndian = (at: number, end: number) =>
    [...bytes.subarray(at, end)].reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
  let hash = 0x9747b28cn ^ BigInt(bytes.length);
  let at = 0;
  for (; bytes.length - at >= 4; at += 4) {
    const word = times(littleEndian(at, at + 4), m);
    hash = times(hash, m) ^ times(word ^ (word >> 24n), m);
  }
  if (at < bytes.length) hash = times(hash ^ littleEndian(at, bytes.length), m);
  hash = times(hash ^ (hash >> 13n), m);
  return Number(BigInt.asIntN(32, hash ^ (hash >> 15n)));
}

describe('murmur2', () => {
  // The vectors of testMurmur2 in Kafka's own UtilsTest.java.
  test.each([
    { key: '21', hash: -973932308 },
    { key: 'foobar', hash: -790332482 },
    { key: 'a-little-bit-long-string', hash: -985981536 },
    { key: 'a-little-bit-longer-string', hash: -1486304829 },
    { key: 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', hash: -58897971 },
    { key: 'abc', hash: 479470107 },
  ])('of "$key" is what Kafka computes', ({ key, hash }) => {
    expect(murmur2(bytesOf(key))).toBe(hash);
  });
});

describe('murmur2 of any bytes', () => {
  property.prop([fc.uint8Array({ maxLength: 64 })])('is that of a slow and plain implementation', (bytes) => {
    expect(murmur2(bytes)).toBe(slowMurmur2(bytes));
  });
});

describe('the partition of a key', () => {
  test.each([
    // What Kafka's own producer chose, as kafka-python's test of its partitioner has it.
    { key: '', partitions: 1000, partition: 681 },
    { key: 'a', partitions: 1000, partition: 524 },
    { key: 'ab', partitions: 1000, partition: 434 },
    { key: 'abc', partitions: 1000, partition: 107 },
    { key: '123456789', partitions: 1000, partition: 566 },
    { key: '\0 ', partitions: 1000, partition: 742 },
    { key: 'foobar', partitions: 7, partition: (-790332482 & 0x7fffffff) % 7 },
    { key: 'foobar', partitions: 1, partition: 0 },
  ])('"$key" over $partitions is $partition', ({ key, partitions, partition }) => {
    expect(partitionOfKey(bytesOf(key), partitions)).toBe(partition);
  });

  property.prop([fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 1000 })])('is always one of them', (key, partitions) => {
    const partition = partitionOfKey(key, partitions);
    expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true);
  });

  property.prop([fc.uint8Array({ maxLength: 64 }), fc.nat(7)])('does not depend on where the key lies in memory', (key, shift) => {
    const elsewhere = new Uint8Array(key.length + shift);
    elsewhere.set(key, shift);
    expect(murmur2(elsewhere.subarray(shift))).toBe(murmur2(key));
  });
});
