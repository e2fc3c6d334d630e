import { readFileSync } from 'node:fs';
import { TouchCursor } from '@touchstone/engine';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createBodyDecoder } from './decode-body.ts';
import { createTouchReader } from './read-touch.ts';
import { SchemaSet } from './schema-set.ts';
import { anyTouch, touchAt, touchLike, withoutEmptyText } from './test-values.ts';
import { TouchWriter } from './write-touch.ts';

interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
  readonly aliases?: readonly string[];
}

function published(file: string): { readonly fields: readonly Field[] } {
  return JSON.parse(readFileSync(new URL(`../../../schemas/${file}`, import.meta.url), 'utf8')) as { fields: Field[] };
}

/** A version before and one after the published touch, made up to prove the way from each to it. */
const touch = published('touch.v1.avsc');
const older = {
  ...touch,
  fields: [
    { name: 'legacyScore', type: ['null', 'double'] },
    ...touch.fields.filter(({ name }) => !['creativeId', 'minutes', 'properties'].includes(name)),
    { name: 'tags', type: { type: 'array', items: 'null' } },
  ],
};
const newer = {
  ...touch,
  fields: [
    { name: 'sentiment', type: { type: 'enum', name: 'Sentiment', symbols: ['good', 'bad'] }, default: 'good' },
    ...touch.fields,
    { name: 'trail', type: { type: 'map', values: { type: 'array', items: 'string' } }, default: {} },
  ],
};
const touches = new SchemaSet([
  ['touch.v0.avsc', JSON.stringify(older)],
  ['touch.v1.avsc', JSON.stringify(touch)],
  ['touch.v2.avsc', JSON.stringify(newer)],
]);

describe('touches', () => {
  const readTouch = createTouchReader(touches);

  test.prop([anyTouch])('an older writer: fields it did not know get their default, those no longer known are left out', (written) => {
    const value = touches.version('touch', 0).encode({ ...written, legacyScore: 12.5, tags: [null, null] });
    const cursor = new TouchCursor();
    expect(readTouch(value, 0, value.length, cursor)).toBeNull();
    expect(touchAt(cursor)).toEqual(withoutEmptyText({ ...written, creativeId: null, minutes: 0, properties: {} }));
  });

  test.prop([anyTouch])('a newer writer: the fields it added are left out', (written) => {
    fc.pre(!Object.hasOwn(written.properties, '__proto__'));
    const value = touches.version('touch', 2).encode({ ...written, sentiment: 'bad', trail: { a: ['b', 'c'] } });
    const cursor = new TouchCursor();
    expect(readTouch(value, 0, value.length, cursor)).toBeNull();
    expect(touchAt(cursor)).toEqual(withoutEmptyText(written));
  });

  test('the version known by heart is read in the same set', () => {
    const writer = new TouchWriter();
    writer.write(touchLike());
    const cursor = new TouchCursor();
    expect(readTouch(writer.value(), 0, writer.value().length, cursor)).toBeNull();
    expect(touchAt(cursor)).toEqual(touchLike());
  });

  test.each([
    ['an empty id', { id: '' }, { reason: 'invalid_value', detail: 'id is empty' }],
    ['a kind that is none', { kind: 'Web Visit' }, { reason: 'invalid_value' }],
    ['an id over its limit', { id: 'x'.repeat(513) }, { reason: 'over_limit', detail: 'id has 513 bytes; the limit is 512' }],
  ] as const)('an older touch keeps to the same limits: %s', (_, fields, poison) => {
    const value = touches.version('touch', 0).encode({ ...touchLike(fields), legacyScore: null, tags: [] });
    expect(readTouch(value, 0, value.length, new TouchCursor())).toMatchObject(poison);
  });

  test('invalid UTF-8 in the identity of an older touch is no less invalid', () => {
    const value = touches.version('touch', 0).encode({ ...touchLike({ id: 'abcd' }), legacyScore: null, tags: [] });
    value[Buffer.from(value).indexOf('abcd')] = 0xff;
    expect(readTouch(value, 0, value.length, new TouchCursor())).toEqual({ reason: 'invalid_value', detail: 'id is not valid UTF-8' });
  });
});

describe('other records', () => {
  const contact = published('contact-fact.v1.avsc');
  const next = {
    ...contact,
    fields: [
      ...contact.fields.map((field) => (field.name === 'title' ? { ...field, name: 'jobTitle', aliases: ['title'] } : field)),
      { name: 'languages', type: { type: 'array', items: 'string' }, default: ['en'] },
    ],
  };
  const contacts = new SchemaSet([
    ['contact-fact.v1.avsc', JSON.stringify(contact)],
    ['contact-fact.v2.avsc', JSON.stringify(next)],
  ]);
  const ada = { id: 'ada', updatedAt: 5, accountId: 'acme', role: 'champion', email: null, seniority: null, consent: true };

  test('an older writer, the newest reader: defaults for what is new, aliases for what was renamed', () => {
    const old = contacts.version('contact-fact', 1);
    const value = old.encode({ ...ada, title: 'CTO' });
    expect(contacts.find(value, 0, value.length)).toBe(old);
    expect({ ...contacts.decode(old, value, 0, value.length) }).toEqual({ ...ada, jobTitle: 'CTO', languages: ['en'] });
  });

  test('a newer writer, an older reader: what was added is left out', () => {
    const withTitle = {
      ...contact,
      fields: [...contact.fields, { name: 'languages', type: { type: 'array', items: 'string' }, default: [] }],
    };
    const set = new SchemaSet([
      ['contact-fact.v1.avsc', JSON.stringify(contact)],
      ['contact-fact.v2.avsc', JSON.stringify(withTitle)],
    ]);
    const decode = createBodyDecoder(set.version('contact-fact', 2), set.version('contact-fact', 1));
    const value = set.version('contact-fact', 2).encode({ ...ada, title: 'CTO', languages: ['de', 'fr'] });
    expect({ ...decode(value, 0, value.length) }).toEqual({ ...ada, title: 'CTO' });
  });
});
