import { test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { encodeFact } from './fact-record.ts';
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
