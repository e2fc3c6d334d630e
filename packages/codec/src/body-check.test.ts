import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TouchCursor } from '@touchstone/engine';
import { describe, expect, test } from 'vitest';
import { checkBody } from './body-check.ts';
import { createBodyDecoder } from './decode-body.ts';
import { isPoison } from './poison.ts';
import { readTouch } from './read-touch.ts';
import { RecordSchema } from './record-schema.ts';
import { publishedSchemas, recordTypeOf } from './schema-set.ts';
import { LONGEST, varint } from './test-values.ts';

/** Items that take no bytes, a string in a map, and a schema that contains itself. */
const greedy = new RecordSchema(
  'account-score.v1.avsc',
  JSON.stringify({
    type: 'record',
    name: 'AccountScore',
    namespace: 'touchstone',
    fields: [
      { name: 'nothing', type: { type: 'array', items: 'null' } },
      { name: 'none', type: { type: 'array', items: { type: 'record', name: 'Empty', fields: [] } } },
      { name: 'labels', type: { type: 'map', values: 'string' } },
      { name: 'inner', type: ['null', 'AccountScore'] },
    ],
  }),
);
const narrower = new RecordSchema(
  'account-score.v2.avsc',
  JSON.stringify({
    type: 'record',
    name: 'AccountScore',
    namespace: 'touchstone',
    fields: [{ name: 'labels', type: { type: 'map', values: 'string' } }],
  }),
);

const COUNTS = [
  10_001n,
  1_000_000n,
  30_000_000n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  -10_001n,
  -30_000_000n,
  -(2n ** 31n),
  -(2n ** 63n),
];

function decodePublished(value: Uint8Array): unknown {
  const schema = recordTypeOf(value, 0, value.length);
  if (isPoison(schema)) return schema;
  if (schema.record === 'touch') return readTouch(value, 0, value.length, new TouchCursor());
  return publishedSchemas.decode(schema, value, 0, value.length);
}

function bytesInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('what the bytes claim to hold costs nothing', () => {
  const bodies: readonly (readonly [string, number[]])[] = [
    ...COUNTS.flatMap((count): [string, number[]][] => {
      // The size of a block that states one: past the end, nothing, or the whole rest.
      const sizes = count < 0n ? [varint(1000n), varint(0n), varint(4n)] : [[]];
      return sizes.flatMap((size): [string, number[]][] => [
        [`${count} nulls`, [...varint(count), ...size, 0, 0, 0, 0]],
        [`${count} empty records`, [0, ...varint(count), ...size, 0, 0, 0]],
        [`${count} labels`, [0, 0, ...varint(count), ...size, 2, 0x61, 0, 0, 0]],
        [
          `labels in blocks of up to ${count}`,
          [0, 0, ...Array.from({ length: 300 }, () => [2, 2, 0x61, 0]).flat(), ...varint(count), ...size],
        ],
      ]);
    }),
    ['a string of 2^62 bytes', [0, 0, 2, ...varint(2n ** 62n), 0x61]],
    ['a string of -1 bytes', [0, 0, 2, ...varint(-1n), 0x61]],
    ['a record in itself a thousand times', [...Array.from({ length: 1000 }, () => [0, 0, 0, 2]).flat(), 0, 0, 0, 0]],
    ['blocks of nulls one behind another', [...Array.from({ length: 200 }, () => varint(5000n)).flat(), 0, 0, 0, 0]],
    ['blocks of nulls that state a size of nothing', [...Array.from({ length: 200 }, () => [...varint(-5000n), 0]).flat(), 0, 0, 0, 0]],
  ];

  test.each(bodies)('%s', (_, body) => {
    const value = Uint8Array.from([...greedy.header, ...body]);
    for (const reader of [greedy, narrower]) {
      const outcome = createBodyDecoder(greedy, reader)(value, 0, value.length);
      expect(outcome).toMatchObject({ reason: expect.stringMatching(/^(malformed|over_limit)$/) as string });
    }
  });

  test.each([
    ['a block larger than it states', [0, 0, 1, 4, 2, 0x61, 0, 0, 0], 'a block of labels does not have the size it states'],
    ['a block smaller than it states', [0, 0, 1, 8, 2, 0x61, 0, 0, 0], 'a block of labels does not have the size it states'],
    ['a byte after the record', [0, 0, 0, 0, 0], '1 bytes follow the record'],
  ])('%s is told from what avsc would take', (_, body, detail) => {
    const value = Uint8Array.from([...greedy.header, ...body]);
    expect(createBodyDecoder(greedy, greedy)(value, 0, value.length)).toEqual({ reason: 'malformed', detail });
  });

  test('as many items as are allowed do decode', () => {
    const value = Uint8Array.from([...greedy.header, ...varint(4000n), 0, ...varint(-6000n), 0, 0, 0, 0]);
    expect(createBodyDecoder(greedy, greedy)(value, 0, value.length)).toMatchObject({ labels: {}, inner: null });
  });

  test.each([
    ['true and false', 'boolean', [[0], [1]], [[2], [0xff], []]],
    ['ints', 'int', [varint(-(2n ** 31n)), varint(2n ** 31n - 1n)], [varint(2n ** 31n), varint(-(2n ** 31n) - 1n), [0x80]]],
    ['longs', 'long', [varint(2n ** 52n - 1n), varint(-(2n ** 52n))], [varint(2n ** 52n), varint(-(2n ** 52n) - 1n), varint(-(2n ** 63n))]],
    [
      'floats',
      'float',
      [[0, 0, 0x80, 0x3f]],
      [
        [0, 0, 0x80],
        [0, 0, 0x80, 0x7f],
        [0, 0, 0xc0, 0x7f],
      ],
    ],
    ['bytes', 'bytes', [[2, 9], [0]], [[4, 9], [1], varint(2n ** 62n)]],
    ['fixed', { type: 'fixed', name: 'Pair', size: 2 }, [[1, 2]], [[1], []]],
    ['enums', { type: 'enum', name: 'Side', symbols: ['left', 'right'] }, [[0], [2]], [[4], [1], []]],
    ['unions', ['null', 'string'], [[0], [2, 2, 0x61]], [[4], [1], [2], []]],
  ])('%s are taken within their bounds only, and what is taken decodes', (_, type, good, bad) => {
    const text = JSON.stringify({ type: 'record', name: 'AccountScore', namespace: 'touchstone', fields: [{ name: 'field', type }] });
    const schema = new RecordSchema('account-score.v1.avsc', text);
    for (const body of good) {
      expect(checkBody(schema.type, Uint8Array.from(body), 0, body.length)).toBeNull();
      expect(() => schema.type.fromBuffer(Buffer.from(body)) as unknown).not.toThrow();
    }
    for (const body of bad) expect(checkBody(schema.type, Uint8Array.from([...body, 0, 0, 0, 0]), 0, body.length)).not.toBeNull();
  });

  test('thousands of hostile values leave memory as it was', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const decodeGreedy = createBodyDecoder(greedy, greedy);
    const values = [
      ...bodies.map(([, body]) => Uint8Array.from([...greedy.header, ...body])),
      ...publishedSchemas.schemas.flatMap(({ header }) =>
        Array.from({ length: 300 }, (_, index) =>
          Uint8Array.from([...header, ...Array.from({ length: index % 40 }, () => (index % 3) * 2), ...LONGEST, ...LONGEST]),
        ),
      ),
    ];
    expect(values.length).toBeGreaterThan(2500);
    collect();
    const before = bytesInUse();
    let peak = 0;
    let poisoned = 0;
    for (const value of values) {
      const outcome = value[2] === greedy.header[2] ? decodeGreedy(value, 0, value.length) : decodePublished(value);
      peak = Math.max(peak, bytesInUse() - before);
      if (isPoison(outcome)) poisoned++;
    }
    collect();
    expect(peak).toBeLessThan(64 * 1024 * 1024);
    expect(bytesInUse() - before).toBeLessThan(4 * 1024 * 1024);
    expect(poisoned).toBe(values.length);
  });
});
