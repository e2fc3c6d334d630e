import type { Fact, TouchCursor } from '@touchstone/engine';
import { fc } from '@fast-check/vitest';
import type { DeadLetterRecord } from './dead-letter-record.ts';
import type { AccountScore } from './score-record.ts';
import type { Touch } from './touch.ts';

/** Values for this package's tests. */

/** Mostly short ASCII, as in life; else any well-formed text, some of it long enough for another way of encoding. */
function text(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, 50) }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength, maxLength }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\u{feff}begins with a mark', 'Zoë', '株式会社', '😀'.repeat(20), `${'a'.repeat(60)}ü`, 'x'.repeat(100)),
    },
  );
}

const id = text(1, 60);
const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { nil: null });
const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const labels = fc.dictionary(fc.oneof(text(0, 20), fc.constantFrom('__proto__', 'constructor')), text(0, 100), {
  maxKeys: 5,
  noNullPrototype: false,
});

export const anyTouch: fc.Arbitrary<Touch> = fc
  .record({
    id,
    accountId: optional(id),
    contactId: optional(id),
    kind: fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/),
    occurredAt: time,
    minutes: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1440, noNaN: true })),
    channel: optional(text(0, 60)),
    campaignId: optional(text(0, 60)),
    creativeId: optional(text(0, 60)),
    url: optional(text(0, 600)),
    source: optional(text(0, 60)),
    properties: labels,
  })
  .filter(({ accountId, contactId }) => accountId !== null || contactId !== null);

const base = { id, updatedAt: time };
const name = optional(text(1, 60));
const currency = fc.constantFrom(null, 'EUR', 'USD');

export const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({
    type: fc.constant('account' as const),
    ...base,
    name,
    domains: fc.array(text(0, 30), { maxLength: 4 }),
    industry: name,
    employees: optional(fc.nat()),
    tier: name,
    targetList: optional(fc.boolean()),
    owner: name,
    parentId: optional(id),
    attributes: labels.filter((attributes) => !Object.hasOwn(attributes, '__proto__')),
  }),
  fc.record({
    type: fc.constant('contact' as const),
    ...base,
    accountId: id,
    role: name,
    email: name,
    title: name,
    seniority: name,
    consent: optional(fc.boolean()),
  }),
  fc.record({
    type: fc.constant('lead' as const),
    ...base,
    accountId: optional(id),
    contactId: optional(id),
    status: name,
    source: name,
    campaignId: name,
    createdAt: optional(time),
    qualifiedAt: optional(time),
  }),
  fc.record({
    type: fc.constant('opportunity' as const),
    ...base,
    accountId: id,
    name,
    stage: name,
    amount: optional(finite),
    currency,
    source: name,
    owner: name,
    createdAt: optional(time),
    closedAt: optional(time),
    outcome: fc.constantFrom('won' as const, 'lost' as const, null),
  }),
  fc.record({
    type: fc.constant('spend' as const),
    ...base,
    date: fc.constantFrom('2026-02-28', '2024-02-29', '0001-01-01'),
    campaignId: name,
    creativeId: name,
    channel: name,
    category: name,
    amount: finite,
    currency,
  }),
  fc.record({
    type: fc.constant('subscription' as const),
    ...base,
    accountId: id,
    mrr: finite,
    currency,
    from: optional(time),
    to: optional(time),
  }),
);

export const anyScore: fc.Arbitrary<AccountScore> = fc.record({
  accountId: id,
  version: fc.integer({ min: 0, max: 2 ** 50 }),
  modelVersion: text(1, 30),
  asOf: time,
  points: finite,
  score: fc.double({ min: 0, max: 100, noNaN: true }),
  engaged: fc.boolean(),
  contacts: fc.nat(),
  lastTouchAt: optional(time),
});

export const anyDeadLetter: fc.Arbitrary<DeadLetterRecord> = fc.record({
  topic: text(1, 30),
  partition: fc.nat(),
  offset: fc.integer({ min: 0, max: 2 ** 50 }),
  generation: text(0, 60),
  appendedAt: time,
  reason: text(1, 30),
  detail: text(0, 600),
  key: optional(fc.uint8Array({ maxLength: 60 })),
  value: fc.uint8Array({ maxLength: 600 }),
});

export function touchLike(fields: Partial<Touch> = {}): Touch {
  return {
    id: 't-1',
    accountId: 'acme.example',
    contactId: 'ada',
    kind: 'web_visit',
    occurredAt: Date.UTC(2026, 0, 15, 12),
    minutes: 2.5,
    channel: null,
    campaignId: null,
    creativeId: null,
    url: null,
    source: null,
    properties: {},
    ...fields,
  };
}

/** What the cursor stands on, with empty text as absent. Of two properties with one key the first counts. */
export function touchAt(cursor: TouchCursor): Touch {
  const properties = Array.from({ length: cursor.propertyCount }, (_, index) => {
    const [keyStart = 0, keyEnd = 0, valueStart = 0, valueEnd = 0] = cursor.properties.subarray(index * 4, index * 4 + 4);
    return [textOf(cursor, keyStart, keyEnd), textOf(cursor, valueStart, valueEnd)] as const;
  });
  return {
    id: cursor.text(0) ?? '',
    accountId: cursor.text(1),
    contactId: cursor.text(2),
    kind: cursor.text(3) ?? '',
    occurredAt: cursor.occurredAt,
    minutes: cursor.minutes,
    channel: cursor.text(4),
    campaignId: cursor.text(5),
    creativeId: cursor.text(6),
    url: cursor.text(7),
    source: cursor.text(8),
    properties: Object.fromEntries(properties.toReversed()),
  };
}

function textOf({ bytes }: TouchCursor, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString();
}

/** The touch as it is expected back: empty optional text is absent. */
export function withoutEmptyText(touch: Touch): Touch {
  return Object.fromEntries(Object.entries(touch).map(([field, value]) => [field, value === '' ? null : value])) as unknown as Touch;
}

/** The varint of a long. */
export function varint(value: bigint): number[] {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** A varint of ten bytes with all its bits set but those that would make it too long. */
export const LONGEST = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
