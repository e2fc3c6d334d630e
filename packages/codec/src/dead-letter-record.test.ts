import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { decodeDeadLetter, encodeDeadLetter, type DeadLetterRecord } from './dead-letter-record.ts';
import { isPoison } from './poison.ts';
import { publishedSchemas } from './schema-set.ts';
import { encodeAccountScore } from './score-record.ts';
import { anyDeadLetter } from './test-values.ts';

const letter = {
  topic: 'events',
  partition: 3,
  offset: 17,
  generation: 'g-1',
  appendedAt: 1_763_000_000_000,
  reason: 'malformed',
  detail: 'minutes is cut off',
  key: Buffer.from('acme.example'),
  value: Buffer.from([0xc3, 0x01, 7]),
};

/** Bytes are compared as such: a Buffer and a Uint8Array of the same bytes are no different letters. */
function plain({ key, value, ...rest }: DeadLetterRecord): object {
  return { ...rest, key: key && [...key], value: [...value] };
}

function decoded(value: Uint8Array): DeadLetterRecord {
  const outcome = decodeDeadLetter(value, 0, value.length);
  if (isPoison(outcome)) throw new Error(outcome.detail);
  return outcome;
}

test.prop([anyDeadLetter])('a dead letter comes back as it was written', (written) => {
  expect(plain(decoded(encodeDeadLetter(written)))).toEqual(plain(written));
});

test.prop([fc.uint8Array({ minLength: 40, maxLength: 40 }), fc.nat(20), fc.nat(20)])(
  'key and value may be views into a larger buffer',
  (bytes, from, length) => {
    const key = bytes.subarray(from, from + length);
    expect([...decoded(encodeDeadLetter({ ...letter, key })).key!]).toEqual([...key]);
  },
);

test('an empty key is not the same as none', () => {
  expect(decoded(encodeDeadLetter({ ...letter, key: new Uint8Array(0) })).key).toHaveLength(0);
  expect(decoded(encodeDeadLetter({ ...letter, key: null })).key).toBeNull();
});

test('what was read stays when the bytes it was read from change', () => {
  const bytes = encodeDeadLetter(letter);
  const { key, value } = decoded(bytes);
  bytes.fill(0);
  expect([Buffer.from(key!).toString(), [...value]]).toEqual(['acme.example', [0xc3, 0x01, 7]]);
});

test.each([
  ['no topic', { topic: '' }, 'topic or reason is empty'],
  ['no reason', { reason: '' }, 'topic or reason is empty'],
  ['a negative partition', { partition: -1 }, 'partition or offset is negative'],
  ['a negative offset', { offset: -1 }, 'partition or offset is negative'],
  ['a time past 9999', { appendedAt: 253_402_300_800_000 }, 'appendedAt is not between 1970 and 9999'],
])('a dead letter with %s is poison', (_, fields, detail) => {
  const value = publishedSchemas.newest('dead-letter').encode({ ...letter, ...fields });
  expect(decodeDeadLetter(value, 0, value.length)).toEqual({ reason: 'invalid_value', detail });
});

test('another record is poison', () => {
  const score = {
    accountId: 'a',
    version: 0,
    modelVersion: 'm',
    asOf: 0,
    points: 0,
    score: 0,
    engaged: false,
    contacts: 0,
    lastTouchAt: null,
  };
  const value = encodeAccountScore(score);
  expect(decodeDeadLetter(value, 0, value.length)).toEqual({
    reason: 'invalid_value',
    detail: 'the record is no dead letter but of account-score.v1.avsc',
  });
});
