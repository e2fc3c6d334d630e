import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { checkTouch } from './check-touch.ts';
import { isRefusal } from './reject-codes.ts';
import { validateTouch } from './validate-touch.ts';

const DAY = 86_400_000;
const now = Date.UTC(2026, 2, 1, 12);
const times = { now, oldest: now - 400 * DAY };
const touch = { id: 't1', accountId: 'acme', kind: 'web_visit' };

const complete = {
  ...touch,
  contactId: null,
  occurredAt: now,
  minutes: 0,
  channel: null,
  campaignId: null,
  creativeId: null,
  url: null,
  source: null,
  properties: {},
};

describe('validateTouch takes', () => {
  test.each([
    ['the least', touch, complete],
    ['null for what is absent', { ...complete, occurredAt: null, minutes: null, properties: null }, complete],
    [
      'a contact without an account',
      { id: 't1', contactId: 'jane', kind: 'call' },
      { ...complete, accountId: null, contactId: 'jane', kind: 'call' },
    ],
    ['epoch milliseconds', { ...touch, occurredAt: now - 5 }, { ...complete, occurredAt: now - 5 }],
    ['RFC 3339', { ...touch, occurredAt: '2026-03-01T13:00:00+01:00' }, complete],
    ['five minutes ahead', { ...touch, occurredAt: now + 300_000 }, { ...complete, occurredAt: now + 300_000 }],
    ['the end of retention', { ...touch, occurredAt: times.oldest }, { ...complete, occurredAt: times.oldest }],
    ['minus zero', { ...touch, minutes: -0 }, complete],
    ['a whole day', { ...touch, minutes: 1440 }, { ...complete, minutes: 1440 }],
    ['128 characters', { ...touch, accountId: 'a'.repeat(128) }, { ...complete, accountId: 'a'.repeat(128) }],
    ['any script', { ...touch, accountId: 'Åçmé 株式会社 🎈\u202e' }, { ...complete, accountId: 'Åçmé 株式会社 🎈\u202e' }],
    [
      'what would break SQL or paths',
      { ...touch, accountId: "'; DROP TABLE touches; --/../\\" },
      { ...complete, accountId: "'; DROP TABLE touches; --/../\\" },
    ],
    [
      'an empty value with line ends',
      { ...touch, properties: { a: '', b: 'x\r\n\ty' } },
      { ...complete, properties: { a: '', b: 'x\r\n\ty' } },
    ],
  ])('%s', (_, item, expected) => {
    expect(validateTouch(item, times)).toEqual(expected);
    expect(checkTouch(item, times, false)).toEqual(expected);
  });

  it('makes an id in order of time when there is none', () => {
    const made = validateTouch({ ...touch, id: undefined }, times);
    expect(made).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) as string });
    expect(checkTouch({ ...touch, id: null }, times, false)).toMatchObject({ id: expect.stringMatching(/-7/) as string });
  });
});

const properties33 = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, '']));

/** Each with the code and the whole message: it names the field and the limit. */
const refused: readonly (readonly [string, unknown, string, string])[] = [
  ['null', null, 'not_an_object', 'the touch must be a JSON object'],
  ['a number', 7, 'not_an_object', 'the touch must be a JSON object'],
  ['a list', [touch], 'not_an_object', 'the touch must be a JSON object'],
  ['no kind', { accountId: 'a' }, 'missing_field', 'kind is missing'],
  ['null for a kind', { ...touch, kind: null }, 'wrong_type', 'kind must be a string'],
  ['nobody', { kind: 'call' }, 'missing_field', 'accountId is missing; a touch has an accountId, a contactId, or both'],
  ['a field too many', { ...touch, score: 1 }, 'unknown_field', 'the touch has no field "score"'],
  ['a field in another case', { ...touch, accountID: 'a' }, 'unknown_field', 'the touch has no field "accountID"'],
  ['a number for an id', { ...touch, accountId: 5 }, 'wrong_type', 'accountId must be a string'],
  ['an object for an id', { ...touch, id: { $ne: null } }, 'wrong_type', 'id must be a string'],
  ['an empty id', { ...touch, id: '' }, 'too_short', 'id must have at least 1 character'],
  ['129 characters', { ...touch, contactId: 'a'.repeat(129) }, 'too_long', 'contactId must have at most 128 characters'],
  ['a megabyte', { ...touch, channel: 'a'.repeat(1e6) }, 'too_long', 'channel must have at most 128 characters'],
  ['a long URL', { ...touch, url: 'a'.repeat(2049) }, 'too_long', 'url must have at most 2048 characters'],
  ['a NUL', { ...touch, id: 'a\u0000b' }, 'invalid_unicode', 'id must be well-formed Unicode without control characters'],
  ['a line end', { ...touch, accountId: 'a\nb' }, 'invalid_unicode', 'accountId must be well-formed Unicode without control characters'],
  ['DEL', { ...touch, source: '\u007f' }, 'invalid_unicode', 'source must be well-formed Unicode without control characters'],
  ['a C1 control', { ...touch, source: '\u0085' }, 'invalid_unicode', 'source must be well-formed Unicode without control characters'],
  [
    'half a surrogate pair',
    { ...touch, campaignId: 'a\ud83c' },
    'invalid_unicode',
    'campaignId must be well-formed Unicode without control characters',
  ],
  [
    'a kind in capitals',
    { ...touch, kind: 'Web_visit' },
    'bad_format',
    'kind must be a lower-case letter, then at most 63 lower-case letters, digits or _',
  ],
  [
    'a kind with a line end',
    { ...touch, kind: 'call\n' },
    'bad_format',
    'kind must be a lower-case letter, then at most 63 lower-case letters, digits or _',
  ],
  [
    'a kind of 65',
    { ...touch, kind: 'a'.repeat(65) },
    'bad_format',
    'kind must be a lower-case letter, then at most 63 lower-case letters, digits or _',
  ],
  ['negative minutes', { ...touch, minutes: -1 }, 'out_of_range', 'minutes must be at least 0'],
  ['too many minutes', { ...touch, minutes: 1440.5 }, 'out_of_range', 'minutes must be at most 1440'],
  ['1e400 minutes', { ...touch, minutes: Infinity }, 'out_of_range', 'minutes must be a finite number'],
  ['minutes as text', { ...touch, minutes: '5' }, 'wrong_type', 'minutes must be a number'],
  [
    'a date alone',
    { ...touch, occurredAt: '2026-03-01' },
    'bad_format',
    'occurredAt must have a time and an offset, such as 2026-03-01T09:30:00Z',
  ],
  [
    'a leap second',
    { ...touch, occurredAt: '2026-06-30T23:59:60Z' },
    'bad_format',
    'occurredAt is a leap second, which epoch time has no place for: send second 59 or 00',
  ],
  [
    'an empty time',
    { ...touch, occurredAt: '' },
    'bad_format',
    'occurredAt must be an RFC 3339 time such as 2026-03-01T09:30:00Z, or epoch milliseconds',
  ],
  ['half a millisecond', { ...touch, occurredAt: now - 0.5 }, 'wrong_type', 'occurredAt must be whole milliseconds'],
  ['a time as a list', { ...touch, occurredAt: [2026] }, 'wrong_type', 'occurredAt must be an RFC 3339 text or epoch milliseconds'],
  ['true for a time', { ...touch, occurredAt: true }, 'wrong_type', 'occurredAt must be an RFC 3339 text or epoch milliseconds'],
  ['the year 10000', { ...touch, occurredAt: 253_402_300_800_000 }, 'out_of_range', 'occurredAt must be at most 253402300799999'],
  ['2^53 + 2', { ...touch, occurredAt: 2 ** 53 + 2 }, 'out_of_range', 'occurredAt must be at most 9007199254740991'],
  [
    'a millisecond too far ahead',
    { ...touch, occurredAt: now + 300_001 },
    'in_the_future',
    'occurredAt is more than 5 minutes ahead of the clock here',
  ],
  [
    'the end of the calendar',
    { ...touch, occurredAt: '9999-12-31T23:59:59Z' },
    'in_the_future',
    'occurredAt is more than 5 minutes ahead of the clock here',
  ],
  [
    'a millisecond too old',
    { ...touch, occurredAt: times.oldest - 1 },
    'too_old',
    'occurredAt is more than 400 days ago, the retention of the scoring model',
  ],
  [
    'epoch',
    { ...touch, occurredAt: '1970-01-01T00:00:00Z' },
    'too_old',
    'occurredAt is more than 400 days ago, the retention of the scoring model',
  ],
  [
    'seconds for milliseconds',
    { ...touch, occurredAt: now / 1000 },
    'too_old',
    'occurredAt is more than 400 days ago, the retention of the scoring model; numbers are milliseconds, not seconds',
  ],
  ['a list for properties', { ...touch, properties: ['a'] }, 'wrong_type', 'properties must be an object'],
  ['a number for a property', { ...touch, properties: { seats: 5 } }, 'wrong_type', 'properties.seats must be a string'],
  ['a null for a property', { ...touch, properties: { seats: null } }, 'wrong_type', 'properties.seats must be a string'],
  ['33 properties', { ...touch, properties: properties33 }, 'too_long', 'properties must have at most 32 keys'],
  ['a long value', { ...touch, properties: { a: 'b'.repeat(1025) } }, 'too_long', 'properties.a must have at most 1024 characters'],
  ['an empty key', { ...touch, properties: { '': 'b' } }, 'too_short', 'the key "" must have at least 1 character (in properties)'],
  [
    'a NUL in a value',
    { ...touch, properties: { a: '\u0000' } },
    'invalid_unicode',
    'properties.a must be well-formed Unicode without control characters other than tab and line ends',
  ],
  [
    'a line end in a key',
    { ...touch, properties: { 'a\n': '' } },
    'invalid_unicode',
    'the key "a\\n" must be well-formed Unicode without control characters (in properties)',
  ],
  ['__proto__', JSON.parse('{"accountId":"a","kind":"call","__proto__":{"x":1}}'), 'forbidden_key', 'the key __proto__ is not taken'],
  ['constructor', { ...touch, constructor: {} }, 'forbidden_key', 'the key constructor is not taken'],
  [
    '__proto__ in properties',
    { ...touch, properties: JSON.parse('{"__proto__":"x"}') as object },
    'forbidden_key',
    'the key __proto__ is not taken (in properties)',
  ],
  [
    'prototype in properties',
    { ...touch, properties: { prototype: 'x' } },
    'forbidden_key',
    'the key prototype is not taken (in properties)',
  ],
];

describe('validateTouch refuses', () => {
  test.each(refused)('%s', (_, item, code, message) => {
    expect(validateTouch(item, times)).toEqual({ code, message });
    expect(checkTouch(item, times, false)).toBeNull();
  });
});

describe('checkTouch', () => {
  const rarely = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
    fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: rare });
  const letter = fc.constantFrom('a', 'Z', '0', '-', 'é', '株', '🎈');
  const plain = fc.string({ minLength: 1, maxLength: 128, unit: letter }).filter((text) => text.length <= 128);
  const strange = fc.oneof(fc.string({ maxLength: 130, unit: 'binary' }), fc.constantFrom('', '\ud800', 'a\n', '\u0085', 'b'.repeat(1025)));
  const text = rarely(plain, strange);
  const other = fc.oneof(fc.constantFrom(null, true, [], {}), fc.integer(), fc.jsonValue());
  const iso = (time: number): string => new Date(time).toISOString();
  const inTime = fc.integer({ min: times.oldest, max: now + 300_000 });
  const anyTime = fc.oneof(fc.integer({ min: -1e13, max: 3e14 }), fc.integer({ min: -2e12, max: 4e12 }).map(iso), fc.double(), strange);
  const key = rarely(fc.string({ minLength: 1, maxLength: 5 }), fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', ''));
  const items = fc.record(
    {
      id: rarely(text, other),
      accountId: rarely(text, other),
      contactId: rarely(text, other),
      kind: rarely(rarely(fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/), text), other),
      occurredAt: rarely(fc.oneof(inTime, inTime.map(iso)), anyTime),
      minutes: rarely(fc.double({ min: 0, max: 1440, noNaN: true }), fc.oneof(fc.double(), other)),
      channel: rarely(text, other),
      url: rarely(text, other),
      properties: rarely(fc.dictionary(key, rarely(text, other), { maxKeys: 34, noNullPrototype: true }), other),
      extra: text,
    },
    { requiredKeys: ['kind'], noNullPrototype: true },
  );

  it('takes only what validateTouch takes, with the same result', () => {
    let taken = 0;
    fc.assert(
      fc.property(items, fc.nat(5), ({ extra, ...known }, odds) => {
        const item = odds === 0 ? { ...known, extra } : known;
        const quick = checkTouch(item, times, false);
        if (quick === null) return;
        taken++;
        const decided = validateTouch(item, times);
        expect(isRefusal(decided)).toBe(false);
        // An id that was made is another one each time.
        const id = item.id ?? quick.id;
        expect({ ...decided, id }).toStrictEqual({ ...quick, id });
      }),
      { numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(1000);
  });

  it('takes what is plainly well-formed', () => {
    const wellFormed = fc.record(
      {
        id: plain,
        accountId: plain,
        contactId: plain,
        kind: fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/),
        occurredAt: fc.oneof(inTime, inTime.map(iso)),
        minutes: fc.double({ min: 0, max: 1440, noNaN: true }),
        properties: fc.dictionary(plain, plain, { maxKeys: 32, noNullPrototype: true }),
      },
      { requiredKeys: ['accountId', 'kind'] },
    );
    fc.assert(
      fc.property(wellFormed, (item) => {
        expect(checkTouch(item, times, false)).not.toBeNull();
      }),
    );
  });
});
