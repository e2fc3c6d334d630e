import { TouchCursor } from '@touchstone/engine';
import { test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { encodeFact } from './fact-record.ts';
import { readTouch } from './read-touch.ts';
import { HEADER_BYTES } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';
import { anyTouch, touchAt, touchLike, withoutEmptyText } from './test-values.ts';
import type { Touch } from './touch.ts';
import { TouchWriter } from './write-touch.ts';

const touch = publishedSchemas.newest('touch');

/** The value between other bytes, as in a block of the log. */
function read(value: Uint8Array, cursor = new TouchCursor()): ReturnType<typeof readTouch> {
  const bytes = Uint8Array.from([0xc3, 0x01, 2, ...value, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
  return readTouch(bytes, 3, 3 + value.length, cursor);
}

/** A value from the bytes of its fields, to say what avsc would not. */
function valueOf(...fields: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([...touch.header, ...fields.flat()]);
}

const text = (value: string): number[] => [value.length * 2, ...Buffer.from(value)];
const ID = text('t-1');
const ACCOUNT = [2, ...text('acme')];
const NONE = [0];
const KIND = text('meeting');
const OCCURRED_AT = [0];
const MINUTES = [0, 0, 0, 0, 0, 0, 0, 0];
const HEAD = [...ID, ...ACCOUNT, ...NONE, ...KIND, ...OCCURRED_AT, ...MINUTES];
const TAIL = [0, 0, 0, 0, 0];
/** 2^62 as a varint. */
const HUGE = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];

describe('a touch', () => {
  test.prop([anyTouch])('reads as avsc decodes it, with empty text as absent', (written) => {
    const writer = new TouchWriter();
    writer.write(written);
    const cursor = new TouchCursor();
    expect(read(writer.value(), cursor)).toBeNull();
    expect(touchAt(cursor)).toEqual(withoutEmptyText(written));
    const decoded = touch.type.fromBuffer(Buffer.from(writer.value().subarray(HEADER_BYTES))) as Touch;
    // avsc loses a key named __proto__.
    const properties = Object.entries(touchAt(cursor).properties).filter(([key]) => key !== '__proto__');
    expect({ ...touchAt(cursor), properties: Object.fromEntries(properties) }).toEqual(withoutEmptyText({ ...decoded }));
  });

  test('leaves nothing of itself in the cursor for the next one', () => {
    const cursor = new TouchCursor();
    const writer = new TouchWriter();
    writer.write(touchLike({ channel: 'email', url: 'https://acme.example/', source: 'site', properties: { a: '1', b: '2' } }));
    expect(read(writer.value(), cursor)).toBeNull();
    writer.write(touchLike({ accountId: null, minutes: 0 }));
    expect(read(writer.value(), cursor)).toBeNull();
    expect(touchAt(cursor)).toEqual(touchLike({ accountId: null, minutes: 0 }));
    expect(cursor.property('a')).toBeNull();
  });

  test.each([
    ['one block', [4, ...text('a'), ...text('1'), ...text('b'), ...text('2'), 0]],
    ['two blocks', [2, ...text('a'), ...text('1'), 2, ...text('b'), ...text('2'), 0]],
    ['a block that states its size', [3, 16, ...text('a'), ...text('1'), ...text('b'), ...text('2'), 0]],
    ['blocks with and without a size', [1, 8, ...text('a'), ...text('1'), 2, ...text('b'), ...text('2'), 0]],
    ['counts that take more bytes than they need', [0x84, 0x00, ...text('a'), ...text('1'), ...text('b'), ...text('2'), 0x80, 0x00]],
  ])('takes properties in %s', (_, properties) => {
    const cursor = new TouchCursor();
    expect(read(valueOf(HEAD, TAIL, properties), cursor)).toBeNull();
    expect(touchAt(cursor).properties).toEqual({ a: '1', b: '2' });
  });

  test('of two properties with one key the first counts', () => {
    const cursor = new TouchCursor();
    expect(read(valueOf(HEAD, TAIL, [4, ...text('a'), ...text('1'), ...text('a'), ...text('2'), 0]), cursor)).toBeNull();
    expect([cursor.property('a'), touchAt(cursor).properties]).toEqual(['1', { a: '1' }]);
  });

  test.each<[string, Partial<Touch>]>([
    ['an id of 512 bytes', { id: 'ü'.repeat(256) }],
    ['a URL of 8192 bytes', { url: 'x'.repeat(8192) }],
    ['a kind of 64 characters', { kind: `a${'_9'.repeat(31)}z` }],
    ['a day of minutes', { minutes: 1440 }],
    ['the last instant of 9999', { occurredAt: Date.parse('9999-12-31T23:59:59.999Z') }],
    ['1000 properties', { properties: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 'v'])) }],
    ['a property of the longest key and value', { properties: { ['k'.repeat(512)]: 'v'.repeat(8192) } }],
    ['no account but a contact', { accountId: null }],
    ['an account but no contact', { contactId: null }],
  ])('may have %s', (_, fields) => {
    const writer = new TouchWriter();
    writer.write(touchLike(fields));
    const cursor = new TouchCursor();
    expect(read(writer.value(), cursor)).toBeNull();
    expect(touchAt(cursor)).toEqual(touchLike(fields));
  });
});

describe('a touch is poison', () => {
  test.each<[string, Partial<Touch>, string, RegExp]>([
    ['an empty id', { id: '' }, 'invalid_value', /^id is empty/],
    ['an id that is too long', { id: 'x'.repeat(513) }, 'over_limit', /^id has 513 bytes; the limit is 512/],
    ['an accountId that is too long', { accountId: 'x'.repeat(513) }, 'over_limit', /^accountId .* 512/],
    ['a contactId that is too long', { contactId: 'ü'.repeat(257) }, 'over_limit', /^contactId has 514 bytes/],
    ['a channel that is too long', { channel: 'x'.repeat(513) }, 'over_limit', /^channel/],
    ['a campaignId that is too long', { campaignId: 'x'.repeat(513) }, 'over_limit', /^campaignId/],
    ['a creativeId that is too long', { creativeId: 'x'.repeat(513) }, 'over_limit', /^creativeId/],
    ['a source that is too long', { source: 'x'.repeat(513) }, 'over_limit', /^source/],
    ['a URL that is too long', { url: 'x'.repeat(8193) }, 'over_limit', /^url has 8193 bytes; the limit is 8192/],
    ['empty account and contact', { accountId: '', contactId: '' }, 'invalid_value', /neither an accountId nor a contactId/],
    ['an empty account and no contact', { accountId: '', contactId: null }, 'invalid_value', /neither/],
    ['an empty kind', { kind: '' }, 'invalid_value', /^kind is not/],
    ['a kind in capitals', { kind: 'Meeting' }, 'invalid_value', /^kind is not/],
    ['a kind that begins with a digit', { kind: '1st' }, 'invalid_value', /^kind is not/],
    ['a kind that begins with an underscore', { kind: '_a' }, 'invalid_value', /^kind is not/],
    ['a kind with a dash', { kind: 'web-visit' }, 'invalid_value', /^kind is not/],
    ['a kind with an accent', { kind: 'café' }, 'invalid_value', /^kind is not/],
    ['a kind of 65 characters', { kind: 'x'.repeat(65) }, 'over_limit', /^kind has 65 bytes; the limit is 64/],
    ['negative minutes', { minutes: -0.001 }, 'invalid_value', /^minutes is not between 0 and 1440/],
    ['more minutes than a day has', { minutes: 1440.001 }, 'invalid_value', /^minutes/],
    ['minutes that are no number', { minutes: Number.NaN }, 'invalid_value', /^minutes/],
    ['endless minutes', { minutes: Number.POSITIVE_INFINITY }, 'invalid_value', /^minutes/],
    ['a time before 1970', { occurredAt: -1 }, 'invalid_value', /^occurredAt is not between 1970 and 9999/],
    ['a time past 9999', { occurredAt: Date.parse('9999-12-31T23:59:59.999Z') + 1 }, 'invalid_value', /^occurredAt/],
    ['a time at the end of the safe integers', { occurredAt: Number.MAX_SAFE_INTEGER - 1 }, 'invalid_value', /^occurredAt/],
    ['a property key that is too long', { properties: { ['k'.repeat(513)]: '' } }, 'over_limit', /^a key of properties has 513/],
    ['a property value that is too long', { properties: { k: 'v'.repeat(8193) } }, 'over_limit', /^a value of properties has 8193/],
    [
      '1001 properties',
      { properties: Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, 'v'])) },
      'over_limit',
      /^properties has more than 1000 keys/,
    ],
  ])('with %s', (_, fields, reason, detail) => {
    expect(read(touch.encode(touchLike(fields)))).toMatchObject({ reason, detail: expect.stringMatching(detail) as string });
  });

  test.each<[string, Uint8Array, string, RegExp]>([
    ['bytes after it', valueOf(HEAD, TAIL, [0], [0]), 'malformed', /^1 bytes follow/],
    ['no body', valueOf(), 'malformed', /^id runs past/],
    ['the end before properties', valueOf(HEAD, TAIL), 'malformed', /^properties runs past/],
    ['the end within minutes', valueOf(HEAD.slice(0, -1)), 'malformed', /^minutes runs past/],
    ['the end within occurredAt', valueOf(ID, ACCOUNT, NONE, KIND, [0x80]), 'malformed', /^occurredAt runs past/],
    ['the end before a branch', valueOf(ID), 'malformed', /^accountId has a union branch/],
    ['text past the end', valueOf([8], [0x61]), 'malformed', /^id runs past/],
    ['a length of 2^62', valueOf(HUGE, [0x61]), 'malformed', /^id runs past/],
    ['a negative length', valueOf([1], [0x61]), 'malformed', /^id runs past/],
    [
      'a length that never ends',
      valueOf([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
      'malformed',
      /^id runs past/,
    ],
    [
      'a length of 65 bits',
      valueOf([0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], text('abc')),
      'malformed',
      /^id runs past/,
    ],
    ['a third branch', valueOf(ID, [4]), 'malformed', /^accountId has a union branch/],
    ['a negative branch', valueOf(ID, [1]), 'malformed', /^accountId has a union branch/],
    ['a time of 2^62', valueOf(ID, ACCOUNT, NONE, KIND, HUGE, MINUTES, TAIL, [0]), 'invalid_value', /^occurredAt/],
    ['2^62 properties', valueOf(HEAD, TAIL, HUGE), 'over_limit', /^properties has more than 1000/],
    [
      '-2^63 properties',
      valueOf(HEAD, TAIL, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], [0]),
      'over_limit',
      /^properties/,
    ],
    ['a property cut off', valueOf(HEAD, TAIL, [2, ...text('a')]), 'malformed', /^properties runs past/],
    ['properties without their end', valueOf(HEAD, TAIL, [2, ...text('a'), ...text('1')]), 'malformed', /^properties runs past/],
    ['a block larger than it states', valueOf(HEAD, TAIL, [1, 6, ...text('a'), ...text('1'), 0]), 'malformed', /size it states/],
    ['a block smaller than it states', valueOf(HEAD, TAIL, [1, 10, ...text('a'), ...text('1'), 0]), 'malformed', /size it states/],
    ['a block of a size past the end', valueOf(HEAD, TAIL, [1, 60, ...text('a'), ...text('1'), 0]), 'malformed', /^properties runs past/],
    ['a block of negative size', valueOf(HEAD, TAIL, [1, 1, ...text('a'), ...text('1'), 0]), 'malformed', /^properties runs past/],
    ['1001 keys in blocks', valueOf(HEAD, TAIL, ...Array.from({ length: 1001 }, () => [2, 0, 0]), [0]), 'over_limit', /^properties/],
  ])('with %s', (_, value, reason, detail) => {
    expect(read(value)).toMatchObject({ reason, detail: expect.stringMatching(detail) as string });
  });

  test.each([
    ['a lone continuation byte', [0x80]],
    ['a lead byte without its second', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong slash of three bytes', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point past U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['five bytes for one', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['two of three bytes', [0xe2, 0x82]],
  ])('when an identity holds %s', (_, bytes) => {
    const bad = [(bytes.length + 2) * 2, 0x61, ...bytes, 0x62];
    const end = [...KIND, ...OCCURRED_AT, ...MINUTES, ...TAIL, 0];
    const outcomes = [valueOf(bad, ACCOUNT, NONE, end), valueOf(ID, [2, ...bad], NONE, end), valueOf(ID, NONE, [2, ...bad], end)].map(
      (value) => read(value),
    );
    expect(outcomes).toEqual(
      ['id', 'accountId', 'contactId'].map((field) => ({ reason: 'invalid_value', detail: `${field} is not valid UTF-8` })),
    );
  });

  test('when it is another record', () => {
    const fact = encodeFact({
      type: 'spend',
      id: 's',
      updatedAt: 0,
      date: '2026-01-01',
      campaignId: null,
      creativeId: null,
      channel: null,
      category: null,
      amount: 1,
      currency: null,
    });
    expect(read(fact)).toEqual({ reason: 'invalid_value', detail: 'the record is no touch but of spend-fact.v1.avsc' });
  });
});

test('text that is no identity may hold invalid UTF-8, and reads with U+FFFD', () => {
  const cursor = new TouchCursor();
  expect(read(valueOf(HEAD, [2, 4, 0x61, 0xff], [0, 0, 0, 0], [0]), cursor)).toBeNull();
  expect(cursor.text(4)).toBe('a\u{fffd}');
});
