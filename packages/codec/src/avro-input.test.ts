import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { AvroInput } from './avro-input.ts';
import { varint } from './test-values.ts';

function inputOf(...bytes: readonly number[]): AvroInput {
  const input = new AvroInput();
  input.open(Uint8Array.from([...bytes, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 0, bytes.length);
  return input;
}

describe('a long', () => {
  test.prop([fc.bigInt({ min: BigInt(Number.MIN_SAFE_INTEGER), max: BigInt(Number.MAX_SAFE_INTEGER) })])(
    'within the safe integers is exact',
    (value) => {
      const bytes = varint(value);
      const input = inputOf(...bytes);
      expect([input.readLong(), input.at]).toEqual([Number(value), bytes.length]);
    },
  );

  test.prop([fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })])('beyond them is near', (value) => {
    const read = inputOf(...varint(value)).readLong();
    expect(Math.abs(read - Number(value))).toBeLessThanOrEqual(Math.abs(Number(value)) * 1e-15);
  });

  test.each([
    ['nothing', []],
    ['one byte that says there are more', [0x80]],
    ['nine that do', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]],
    ['eleven', [0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ])('in %s is none, and nothing is consumed', (_, bytes) => {
    const input = inputOf(...bytes);
    expect([input.readLong(), input.at]).toEqual([Number.NaN, 0]);
  });
});

test.each([
  ['that fits exactly', [4, 1, 2], 2, 1],
  ['of nothing', [0], 0, 1],
  ['one byte past the end', [6, 1, 2], -1, 0],
  ['that is negative', [3, 1, 2], -1, 0],
  ['that is cut off', [0x80], -1, 0],
])('a length %s', (_, bytes, length, at) => {
  const input = inputOf(...bytes);
  expect([input.readLength(), input.at]).toEqual([length, at]);
});

test.prop([fc.double(), fc.float()])('a double and a float', (double, float) => {
  const view = new DataView(new ArrayBuffer(12));
  view.setFloat64(0, double, true);
  view.setFloat32(8, float, true);
  const input = inputOf(...new Uint8Array(view.buffer));
  expect([input.readDouble(), input.readFloat(), input.at]).toEqual([double, float, 12]);
});
