import { defaultModel, TouchCursor } from '@touchstone/engine';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { decodeDeadLetter, encodeDeadLetter } from './dead-letter-record.ts';
import { decodeFact, encodeFact } from './fact-record.ts';
import { decodeModelOf, encodeModelPublished } from './model-record.ts';
import { isPoison } from './poison.ts';
import { readTouch } from './read-touch.ts';
import { publishedSchemas, recordTypeOf } from './schema-set.ts';
import { decodeAccountScore, encodeAccountScore } from './score-record.ts';
import { anyDeadLetter, anyFact, anyScore, anyTouch, LONGEST, touchAt, withoutEmptyText } from './test-values.ts';
import { TouchWriter } from './write-touch.ts';

/** Decodes a value of any type. What comes back is a plain value that can be kept and compared. */
function decode(bytes: Uint8Array, start: number, end: number): unknown {
  const schema = recordTypeOf(bytes, start, end);
  if (isPoison(schema)) return schema;
  if (schema.record === 'account-score') return decodeAccountScore(bytes, start, end);
  if (schema.record === 'dead-letter') return decodeDeadLetter(bytes, start, end);
  if (schema.record === 'model-published') return decodeModelOf(schema, bytes, start, end);
  if (schema.record !== 'touch') return decodeFact(bytes, start, end);
  const cursor = new TouchCursor();
  return readTouch(bytes, start, end, cursor) ?? touchAt(cursor);
}

function encodeTouch(touch: Parameters<TouchWriter['write']>[0]): Uint8Array {
  const writer = new TouchWriter();
  writer.write(touch);
  return writer.value();
}

/** Encodes what `decode` gave, whatever it is. */
function encodeAgain(decoded: unknown): Uint8Array {
  if (typeof decoded !== 'object' || decoded === null) throw new Error('nothing was decoded');
  if ('kind' in decoded) return encodeTouch(decoded as Parameters<TouchWriter['write']>[0]);
  if ('topic' in decoded) return encodeDeadLetter(decoded as Parameters<typeof encodeDeadLetter>[0]);
  if ('score' in decoded) return encodeAccountScore(decoded as Parameters<typeof encodeAccountScore>[0]);
  if ('rules' in decoded) return encodeModelPublished(decoded as Parameters<typeof encodeModelPublished>[0], 0);
  return encodeFact(decoded as Parameters<typeof encodeFact>[0]);
}

/** The outcome for a value that stands between other bytes; it must not depend on them. */
function decodeBetween(value: Uint8Array, around: number): unknown {
  const bytes = new Uint8Array(value.length + 64).fill(around);
  bytes.set(value, 32);
  return decode(bytes, 32, 32 + value.length);
}

const anyValue: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: anyTouch.map(encodeTouch) },
  { weight: 4, arbitrary: anyFact.map(encodeFact) },
  { weight: 1, arbitrary: anyScore.map(encodeAccountScore) },
  { weight: 1, arbitrary: anyDeadLetter.map(encodeDeadLetter) },
  { weight: 1, arbitrary: fc.constant(encodeModelPublished(defaultModel, 1)) },
);

const anyDamage = fc.oneof(
  fc.record({ how: fc.constant('flip' as const), at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ how: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({
    how: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.oneof(fc.constant(LONGEST), fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 12 })),
  }),
  fc.record({
    how: fc.constant('overwrite' as const),
    at: fc.nat(),
    bytes: fc.constantFrom(LONGEST, [0xff], [0x00], [0x01], [0x80, 0x80, 0x80, 0x80, 0x80, 0x40]),
  }),
);

/** Mostly past the header, because a damaged header is soon told. */
function damage(value: Uint8Array, wounds: readonly (typeof anyDamage extends fc.Arbitrary<infer Damage> ? Damage : never)[]): Uint8Array {
  let bytes = [...value];
  for (const wound of wounds) {
    const at = bytes.length <= 10 ? wound.at % (bytes.length + 1) : 10 + (wound.at % (bytes.length - 9));
    if (wound.how === 'flip' && at < bytes.length) bytes[at]! ^= wound.bits;
    if (wound.how === 'cut') bytes = bytes.slice(0, at);
    if (wound.how === 'insert') bytes.splice(at, 0, ...wound.bytes);
    if (wound.how === 'overwrite') bytes.splice(at, wound.bytes.length, ...wound.bytes);
  }
  return Uint8Array.from(bytes);
}

function expectSafe(value: Uint8Array): void {
  const outcome = decodeBetween(value, 0x00);
  expect(decodeBetween(value, 0xff)).toEqual(outcome);
  expect(decodeBetween(value, 0x02)).toEqual(outcome);
  if (isPoison(outcome)) {
    expect(outcome.detail).not.toBe('');
    return;
  }
  const again = encodeAgain(outcome);
  expect(decode(again, 0, again.length)).toEqual(outcome);
}

describe('whatever the bytes', () => {
  test.prop([anyValue, fc.array(anyDamage, { minLength: 1, maxLength: 3 })], { numRuns: 3000 })(
    'a damaged record ends as poison or as a value that can be written again, and nothing around it matters',
    (value, wounds) => expectSafe(damage(value, wounds)),
  );

  test.prop([fc.constantFrom(...publishedSchemas.schemas), fc.uint8Array({ maxLength: 80 })], { numRuns: 3000 })(
    'so does a random body',
    (schema, body) => expectSafe(Uint8Array.from([...schema.header, ...body])),
  );

  test.prop([fc.uint8Array({ maxLength: 40 })])('and a random value', (value) => expectSafe(value));

  test.prop([anyValue])('an undamaged record is no poison', (value) => {
    expect(isPoison(decodeBetween(value, 0xff))).toBe(false);
  });

  test.prop([anyTouch, fc.nat()])('a touch cut off anywhere is poison', (touch, length) => {
    const value = encodeTouch(touch);
    expect(isPoison(decodeBetween(value.subarray(0, length % value.length), 0x00))).toBe(true);
    expect(decodeBetween(value, 0x00)).toEqual(withoutEmptyText(touch));
  });
});
