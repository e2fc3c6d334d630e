import type { Fact, LeadFact, SpendFact } from '@touchstone/engine';
import { test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { decodeFact, encodeFact } from './fact-record.ts';
import { publishedSchemas } from './schema-set.ts';
import { anyFact, touchLike } from './test-values.ts';

const lead: LeadFact = {
  type: 'lead',
  id: 'l-1',
  updatedAt: 1_763_000_000_000,
  accountId: 'acme.example',
  contactId: null,
  status: 'open',
  source: null,
  campaignId: null,
  createdAt: null,
  qualifiedAt: null,
};

const spend: SpendFact = {
  type: 'spend',
  id: 's-1',
  updatedAt: 1_763_000_000_000,
  date: '2026-02-28',
  campaignId: null,
  creativeId: null,
  channel: 'paid_social',
  category: 'ads',
  amount: 99.5,
  currency: 'EUR',
};

describe('a fact', () => {
  test.prop([anyFact])('comes back as it was written', (fact) => {
    const value = encodeFact(fact);
    const bytes = Uint8Array.from([1, 2, 3, ...value, 4]);
    expect(decodeFact(bytes, 3, bytes.length - 1)).toEqual(fact);
  });

  test('with empty text says no more than one with null', () => {
    const value = encodeFact({ ...lead, status: '' });
    expect(decodeFact(value, 0, value.length)).toEqual({ ...lead, status: null });
  });

  test('loses an attribute named __proto__, and nothing else comes of it', () => {
    const attributes = JSON.parse('{"__proto__": "x", "constructor": "y", "size": "big"}') as Record<string, string>;
    const value = publishedSchemas.newest('account-fact').encode({ id: 'a', updatedAt: 0, attributes });
    const fact = decodeFact(value, 0, value.length);
    expect(fact).toMatchObject({ attributes: { constructor: 'y', size: 'big' } });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

const OUT_OF_DOMAIN: readonly (readonly [what: string, fact: Fact, reason: string, detail: RegExp])[] = [
  ['an empty id', { ...lead, id: '' }, 'invalid_value', /^id is empty/],
  ['an id that is too long', { ...lead, id: 'x'.repeat(513) }, 'over_limit', /^id has 513 bytes; the limit is 512/],
  ['an accountId that is too long', { ...lead, accountId: 'ü'.repeat(257) }, 'over_limit', /^accountId has 514 bytes/],
  ['updatedAt past 9999', { ...lead, updatedAt: 253_402_300_800_000 }, 'invalid_value', /^updatedAt is not in the years/],
  ['createdAt before the year 1', { ...lead, createdAt: -62_135_596_800_001 }, 'invalid_value', /^createdAt/],
  ['an amount that is no number', { ...spend, amount: Number.NaN }, 'invalid_value', /^amount is not a finite number/],
  ['an endless amount', { ...spend, amount: Number.NEGATIVE_INFINITY }, 'invalid_value', /^amount/],
  ['a day that does not exist', { ...spend, date: '2026-02-30' }, 'invalid_value', /^date/],
  ['a day in another form', { ...spend, date: '2026-2-3' }, 'invalid_value', /^date/],
  ['a month that does not exist', { ...spend, date: '2026-13-01' }, 'invalid_value', /^date/],
  ['a currency in small letters', { ...spend, currency: 'eur' }, 'invalid_value', /^currency/],
];

describe.each(OUT_OF_DOMAIN)('a fact with %s', (_, fact, reason, detail) => {
  test('is not written', () => {
    expect(() => encodeFact(fact)).toThrow(RangeError);
  });

  test('is poison when someone else wrote it', () => {
    const value = publishedSchemas.newest(`${fact.type}-fact`).encode(fact);
    expect(decodeFact(value, 0, value.length)).toMatchObject({ reason, detail: expect.stringMatching(detail) as string });
  });
});

describe('is poison', () => {
  test('an empty accountId where there must be one', () => {
    const value = publishedSchemas.newest('subscription-fact').encode({ id: 's', updatedAt: 0, accountId: '', mrr: 1 });
    expect(decodeFact(value, 0, value.length)).toEqual({ reason: 'invalid_value', detail: 'accountId is empty' });
  });

  test('a record that is no fact', () => {
    const value = publishedSchemas.newest('touch').encode(touchLike());
    expect(decodeFact(value, 0, value.length)).toEqual({ reason: 'invalid_value', detail: 'the record is no fact but of touch.v1.avsc' });
  });

  test('a value that is no record', () => {
    expect(decodeFact(Buffer.from('{}'), 0, 2)).toMatchObject({ reason: 'not_single_object' });
  });
});
