import { TouchWriter } from '@touchstone/codec';
import * as fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { ITEMS_MAX } from './limits.ts';
import { QuickTouches } from './quick-touches.ts';
import { BrokenLine, readBatch } from './read-batch.ts';
import { touchEncoder } from './register-ingest.ts';

const DAY = 86_400_000;
const now = Date.UTC(2026, 2, 1, 12);
const times = { now, oldest: now - 400 * DAY };

/** An id that was made is another one each time. */
const MADE = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/;
const textOf = (bytes: Uint8Array | null): string =>
  Buffer.from(bytes ?? [])
    .toString('latin1')
    .replace(MADE, 'made');

/** Keys and values by the quick way; null when it takes nothing. */
function quickly(body: string | Buffer, isNdjson: boolean): string[] | null {
  const records = new QuickTouches(new TouchWriter()).records(Buffer.from(body), isNdjson, times);
  return records?.map(({ key, value }) => `${textOf(key)} ${textOf(value)}`) ?? null;
}

/** The same by way of objects; null unless every item is taken. */
function usually(body: string | Buffer, isNdjson: boolean): string[] | null {
  const encode = touchEncoder(new TouchWriter(), times, false);
  try {
    return readBatch(Buffer.from(body), isNdjson).items.map((item) => {
      const record = item instanceof BrokenLine ? item.refusal : encode(item);
      if ('code' in record) throw new Error(record.code);
      return `${textOf(record.key)} ${textOf(record.value)}`;
    });
  } catch {
    return null;
  }
}

const rarely = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: rare });
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => text.map((value) => JSON.stringify(value));
const plain = fc.string({ minLength: 1, maxLength: 128, unit: fc.constantFrom('a', 'Z', '0', '-', '_', ' ', '{', ',', ']', ':') });
const odd = fc.oneof(
  fc.constantFrom(
    'null',
    '""',
    '"é"',
    '"\\u0041"',
    '"a\u0001"',
    '"a\u007f"',
    '"a\tb"',
    'true',
    '[]',
    '{}',
    '1e3',
    '-0',
    '01',
    '1.',
    'nul',
    '',
  ),
  fc.integer({ min: 127, max: 130 }).map((length) => JSON.stringify('a'.repeat(length))),
);
const text = rarely(quoted(plain), odd);
const inTime = fc.integer({ min: times.oldest - DAY, max: now + 301_000 });
const time = fc.oneof(
  inTime.map(String),
  inTime.map((at) => JSON.stringify(new Date(at).toISOString())),
  fc.constantFrom('"2026-03-01T11:00:00Z"', '"2026-02-30T11:00:00.000Z"', '"2026-03-01T24:00:00.000Z"', '"2026-03-01T11:00:00.0000"'),
  fc.constantFrom('"2026-03-01t11:00:00.123z"', '"2026-03-01T11:00:00.123456Z"', '"2026-03-01T13:00:00+01:00"', '01772366400000'),
);
const minutes = fc.oneof(fc.integer({ min: 0, max: 1441 }).map(String), fc.double({ min: 0, max: 1440, noNaN: true }).map(String));
const propertyKey = rarely(quoted(plain), fc.constantFrom('"7"', '"constructor"', '"__proto__"', '""', '"toString"'));
const space = rarely(fc.constant(''), fc.constantFrom(' ', '\t', '\r', '\n', ' \r\n', '\u000b'));
const list = (open: string, members: fc.Arbitrary<string[]>, close: string): fc.Arbitrary<string> =>
  fc.tuple(members, space, space).map(([all, before, after]) => `${open}${before}${all.join(`${after},${before}`)}${after}${close}`);
const member = (key: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(key, space, value).map(([name, gap, what]) => `${name}${gap}:${gap}${what}`);
const properties = list('{', fc.array(member(propertyKey, rarely(quoted(fc.oneof(plain, fc.constant(''))), odd)), { maxLength: 34 }), '}');
const field = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> => member(fc.constant(`"${name}"`), rarely(value, odd));
const item = fc
  .tuple(
    field('id', quoted(plain)),
    rarely(field('accountId', text), field('contactId', text)),
    field(
      'kind',
      rarely(
        fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/).map((kind) => `"${kind}"`),
        text,
      ),
    ),
    fc.subarray(['contactId', 'channel', 'campaignId', 'creativeId', 'url', 'source']),
    text,
    field('occurredAt', time),
    field('minutes', minutes),
    field('properties', properties),
    rarely(fc.constant(null), fc.constantFrom('"id":"twice"', '"more":1', '"ID":"x"', '"__proto__":{}')),
  )
  .chain(([id, who, kind, texts, value, at, spent, own, more]) => {
    const rest = fc.subarray([at, spent, own, ...texts.map((name) => `"${name}":${value}`), ...(more === null ? [] : [more])]);
    return list(
      '{',
      rest.chain((some) => fc.shuffledSubarray([id, who, kind, ...some], { minLength: 3 + some.length })),
      '}',
    );
  });
const body = fc.oneof(
  fc.record({ text: fc.oneof(item, list('[', fc.array(item, { maxLength: 5 }), ']')), isNdjson: fc.constant(false) }),
  fc.record({ text: fc.array(fc.oneof(item, space), { maxLength: 6 }).map((lines) => lines.join('\n')), isNdjson: fc.constant(true) }),
);

it('takes only what is taken by way of objects too, with the same records', () => {
  let taken = 0;
  fc.assert(
    fc.property(body, ({ text: whole, isNdjson }) => {
      const quick = quickly(whole, isNdjson);
      if (quick === null) return;
      taken++;
      expect(usually(whole, isNdjson)).toEqual(quick);
    }),
    { numRuns: 6000 },
  );
  expect(taken).toBeGreaterThan(1000);
});

it('does so with any byte of a good body exchanged, left out or doubled', () => {
  const touch = {
    id: 't-1',
    accountId: 'acme',
    contactId: 'jane',
    kind: 'web_visit',
    occurredAt: '2026-03-01T11:00:00.123Z',
    minutes: 12.5,
    url: 'https://acme.example/pricing',
    properties: { plan: 'pro', seats: '7' },
  };
  const items = [touch, { ...touch, occurredAt: now, minutes: 10, properties: {} }];
  const bodies = [
    { good: JSON.stringify(items), isNdjson: false },
    { good: items.map((one) => `${JSON.stringify(one)}\n`).join(''), isNdjson: true },
  ];
  for (const { good, isNdjson } of bodies) {
    expect(quickly(good, isNdjson)).toEqual(usually(good, isNdjson));
    for (let at = 0; at < good.length; at++) {
      for (const put of [
        '',
        good[at]! + good[at]!,
        ' ',
        '\n',
        '"',
        '0',
        '1',
        '.',
        ',',
        ':',
        '{',
        '}',
        '[',
        ']',
        'a',
        '-',
        '\u007f',
        '\\',
      ]) {
        const changed = good.slice(0, at) + put + good.slice(at + 1);
        const quick = quickly(changed, isNdjson);
        if (quick !== null) expect(usually(changed, isNdjson), changed).toEqual(quick);
      }
    }
  }
});

it('takes what clients plainly send', () => {
  const whole = fc.record(
    {
      id: plain,
      accountId: plain,
      contactId: fc.oneof(plain, fc.constant(null)),
      kind: fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/),
      occurredAt: fc.oneof(
        fc.integer({ min: times.oldest, max: now }),
        fc.integer({ min: times.oldest, max: now }).map((at) => new Date(at).toISOString()),
      ),
      minutes: fc.oneof(fc.integer({ min: 0, max: 1440 }), fc.constant(2.5)),
      url: fc.string({ minLength: 1, maxLength: 2048, unit: fc.constantFrom('a', '/', '%', '=') }),
      properties: fc.dictionary(
        fc.stringMatching(/^[a-z]{1,9}$/).filter((key) => key !== 'prototype'),
        plain,
        { maxKeys: 32 },
      ),
    },
    { requiredKeys: ['id', 'accountId', 'kind'] },
  );
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1, maxLength: 5 }), fc.boolean(), (items, isNdjson) => {
      const sent = isNdjson ? items.map((one) => JSON.stringify(one)).join('\r\n') : JSON.stringify(items, null, 1);
      const quick = quickly(sent, isNdjson);
      expect(quick).not.toBeNull();
      expect(quick).toEqual(usually(sent, isNdjson));
    }),
  );
});

test.each([
  ['a field twice', '"contactId":"jane","contactId":null'],
  ['properties twice', '"properties":{"a":"1"},"properties":null'],
  ['a property twice', '"properties":{"a":"1","b":"2","a":"3"}'],
  ['the hour 24', '"occurredAt":"2026-02-20T24:00:00.000Z"'],
  ['minute 60', '"occurredAt":"2026-02-20T11:60:00.000Z"'],
  ['a leap second', '"occurredAt":"2026-02-20T11:00:60.000Z"'],
  ['no T', '"occurredAt":"2026-03-01 11:00:00.000Z"'],
  ['no Z', '"occurredAt":"2026-02-20T11:00:00.000+"'],
  ['other marks', '"occurredAt":"2026-02-20T11.00:00.000Z"'],
  ['more marks', '"occurredAt":"2026-02-20T11:00:00:000Z"'],
  ['a number with a zero in front', '"occurredAt":01772366400000'],
  ['a time ahead', `"occurredAt":${now + 300_001}`],
  ['a time long ago', `"occurredAt":${times.oldest - 1}`],
  ['a day and a minute', '"minutes":1441'],
])('%s is not plain', (_, odd) => {
  // The first one makes its day known.
  const first = '{"id":"t1","accountId":"acme","kind":"call","occurredAt":"2026-02-20T11:00:00.000Z"}';
  expect(quickly(`[${first}]`, false)).toHaveLength(1);
  expect(quickly(`[${first},{"id":"t2","accountId":"acme","kind":"call",${odd}}]`, false)).toBeNull();
});

test('an id that is absent is made, in order of time', () => {
  const [record] = quickly('{"accountId":"acme","kind":"call"}', false)!;
  expect(record).toContain('made');
});

test.each([false, true])('more items than a request may have are left to the way that says so (NDJSON: %s)', (isNdjson) => {
  const items = (count: number): string => {
    const all = Array.from({ length: count }, (_, index) => `{"id":"t${index}","accountId":"acme","kind":"call"}`);
    return isNdjson ? all.join('\n') : `[${all.join(',')}]`;
  };
  expect(quickly(items(ITEMS_MAX), isNdjson)).toHaveLength(ITEMS_MAX);
  expect(quickly(items(ITEMS_MAX + 1), isNdjson)).toBeNull();
});
