import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { encodeFact } from './fact-record.ts';
import { isPoison } from './poison.ts';
import { HEADER_BYTES } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';
import { decodeAccountScore, encodeAccountScore } from './score-record.ts';
import { anyScore } from './test-values.ts';

const score = {
  accountId: 'acme.example',
  version: 12,
  modelVersion: 'default-1',
  asOf: 1_763_000_000_000,
  points: 31.25,
  score: 19.5,
  engaged: true,
  contacts: 2,
  lastTouchAt: 1_762_999_999_000,
};

test.prop([anyScore])('a score comes back as it was written', (written) => {
  const value = encodeAccountScore(written);
  expect(decodeAccountScore(value, 0, value.length)).toEqual(written);
});

test.prop([fc.array(anyScore, { maxLength: 20 })])(
  'scores are written as avsc would, and stay as they are while others are written',
  (scores) => {
    const written = scores.map(encodeAccountScore);
    for (const [at, one] of scores.entries()) {
      expect(Buffer.from(written[at]!)).toEqual(Buffer.from(publishedSchemas.newest('account-score').encode(one)));
    }
  },
);

test.each([0, 1, 63, 64, 500, 70_000])('a text of %i units, ASCII or not', (length) => {
  for (const text of ['a'.repeat(length), 'ü'.repeat(length), `${'a'.repeat(length)}ü`, '😀'.repeat(length / 2)]) {
    const one = { ...score, accountId: text, modelVersion: text };
    expect(Buffer.from(encodeAccountScore(one)).equals(publishedSchemas.newest('account-score').encode(one))).toBe(true);
  }
});

const anyDamage = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), { maxLength: 3 });

test.prop([anyScore, anyDamage, fc.nat({ max: 20 })], { numRuns: 2000 })(
  'whatever the bytes, avsc would read the same',
  (written, damages, cut) => {
    const value = Buffer.from(encodeAccountScore(written));
    for (const { at, byte } of damages) value[HEADER_BYTES + (at % (value.length - HEADER_BYTES))] = byte;
    const end = cut > 15 ? value.length - cut + 15 : value.length;
    const found = decodeAccountScore(value, 0, end);
    const body = publishedSchemas.decode(publishedSchemas.newest('account-score'), value, 0, end);
    // What avsc reads may still be refused for what it says.
    if (isPoison(body) || !isPoison(found)) expect(found).toEqual(isPoison(body) ? body : { ...body });
    else expect(['invalid_value', 'over_limit']).toContain(found.reason);
  },
);

test('a model version that is longer than, or begins as, the one before is told from it', () => {
  for (const modelVersion of ['default-1', 'default', '', 'default-1', 'default-2', 'default-22']) {
    const value = encodeAccountScore({ ...score, modelVersion });
    expect(decodeAccountScore(value, 0, value.length)).toMatchObject({ modelVersion });
  }
});

test.each([
  ['no account', { accountId: '' }, 'invalid_value', 'accountId is empty'],
  ['an account that is too long', { accountId: 'x'.repeat(513) }, 'over_limit', 'accountId has 513 bytes; the limit is 512'],
  ['a negative version', { version: -1 }, 'invalid_value', 'version or contacts is negative'],
  ['negative contacts', { contacts: -1 }, 'invalid_value', 'version or contacts is negative'],
  ['a time past 9999', { asOf: 253_402_300_800_000 }, 'invalid_value', 'asOf or lastTouchAt is not between 1970 and 9999'],
  ['a last touch before 1970', { lastTouchAt: -1 }, 'invalid_value', 'asOf or lastTouchAt is not between 1970 and 9999'],
  ['points that are no number', { points: Number.NaN }, 'invalid_value', 'points is not a finite number'],
])('a score with %s is poison', (_, fields, reason, detail) => {
  const value = publishedSchemas.newest('account-score').encode({ ...score, ...fields });
  expect(decodeAccountScore(value, 0, value.length)).toEqual({ reason, detail });
});

test('another record is poison', () => {
  const fact = encodeFact({ type: 'subscription', id: 's', updatedAt: 0, accountId: 'a', mrr: 1, currency: null, from: null, to: null });
  expect(decodeAccountScore(fact, 0, fact.length)).toMatchObject({ reason: 'invalid_value' });
});

test('a model version that was read does not change with the memory it was read from', () => {
  const block = Buffer.from(encodeAccountScore({ ...score, modelVersion: 'of-a-block' }));
  decodeAccountScore(block, 0, block.length);
  block.fill(0);
  const value = encodeAccountScore({ ...score, modelVersion: '\0'.repeat('of-a-block'.length) });
  expect(decodeAccountScore(value, 0, value.length)).toMatchObject({ modelVersion: '\0'.repeat('of-a-block'.length) });
});

test.each([-1, 0.5, 2 ** 53, NaN])('a score can not hold the number %d', (number) => {
  for (const field of ['version', 'asOf', 'contacts', 'lastTouchAt']) {
    expect(() => encodeAccountScore({ ...score, [field]: number })).toThrow(`can not hold the number ${number}`);
  }
});
