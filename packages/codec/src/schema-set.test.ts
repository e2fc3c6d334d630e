import { readdirSync, readFileSync } from 'node:fs';
import { FACT_TYPES } from '@touchstone/engine';
import { describe, expect, test } from 'vitest';
import { recordTypeOf, SchemaSet, publishedSchemas } from './schema-set.ts';
import { isPoison } from './poison.ts';
import { RECORD_NAMES, RecordSchema } from './record-schema.ts';
import { TOUCH_VERSION } from './touch.ts';

const DIRECTORY = new URL('../../../schemas/', import.meta.url);

/** Every published schema and its fingerprint. Lines are added, never changed or taken away. */
const PUBLISHED: Readonly<Record<string, string>> = {
  'account-fact.v1.avsc': '9a34c56dd099db60',
  'account-score.v1.avsc': '4454eab5b5942721',
  'alert.v1.avsc': 'f295f5312dfa2c8a',
  'clock-tick.v1.avsc': '8edcb2b2d684a946',
  'contact-fact.v1.avsc': 'bbacf16cd3e0918c',
  'dead-letter.v1.avsc': 'dd5da491c4d6dff6',
  'experiment-record.v1.avsc': 'dcad8e33eb1349d3',
  'lead-fact.v1.avsc': 'd97f8410cea0c4a1',
  'model-published.v1.avsc': 'd8d3c095b9cf9fc5',
  'opportunity-fact.v1.avsc': '9b23fc0da7b199aa',
  'spend-fact.v1.avsc': '425274f4974d22a8',
  'subscription-fact.v1.avsc': 'f7020b6bdd4975ed',
  'touch.v1.avsc': '8bf5f26f8f15f027',
};

interface SchemaJson {
  readonly namespace: string;
  readonly doc?: string;
  readonly fields: readonly { readonly name: string; readonly doc?: string; readonly type: unknown; readonly default?: unknown }[];
}

const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.avsc'));

function jsonOf(file: string): SchemaJson {
  return JSON.parse(readFileSync(new URL(file, DIRECTORY), 'utf8')) as SchemaJson;
}

function fieldNames(file: string): readonly string[] {
  return jsonOf(file).fields.map(({ name }) => name);
}

function score(fields: readonly object[]): string {
  return JSON.stringify({ type: 'record', name: 'AccountScore', namespace: 'touchstone', fields });
}

describe('the published schemas', () => {
  test.each(files)('%s is as it was published', (file) => {
    const { fingerprint } = new RecordSchema(file, readFileSync(new URL(file, DIRECTORY), 'utf8'));
    const advice =
      PUBLISHED[file] === undefined
        ? `schemas/${file} is new: add its fingerprint ${fingerprint} to PUBLISHED in this test`
        : `schemas/${file} has changed, and what is on the log could no longer be read: undo it and add a new version instead (see schemas/README.md)`;
    expect(fingerprint, advice).toBe(PUBLISHED[file]);
  });

  test('none has been taken away', () => {
    const missing = Object.keys(PUBLISHED).filter((file) => !files.includes(file));
    expect(missing, 'records written with these schemas could no longer be read: bring the files back').toEqual([]);
  });

  test.each(files)('%s says of itself and each field what it means, and optional fields have a default', (file) => {
    const { namespace, doc, fields } = jsonOf(file);
    expect(namespace).toBe('touchstone');
    expect(doc).toMatch(/\.$/);
    for (const field of fields) {
      expect(field.doc, field.name).toMatch(/\.$/);
      if (Array.isArray(field.type)) expect(field.default, field.name).toBeNull();
    }
  });

  test('every record type has one', () => {
    for (const record of RECORD_NAMES) expect(publishedSchemas.newest(record).record).toBe(record);
  });

  test('the newest touch is the version that is read and written by hand', () => {
    expect(publishedSchemas.newest('touch').version, 'bring read-touch.ts and write-touch.ts to the new version').toBe(TOUCH_VERSION);
  });

  test.each([
    ['account', 'name domains industry employees tier targetList owner parentId attributes'],
    ['contact', 'accountId role email title seniority consent'],
    ['lead', 'accountId contactId status source campaignId createdAt qualifiedAt'],
    ['opportunity', 'accountId name stage amount currency source owner createdAt closedAt outcome'],
    ['spend', 'date campaignId creativeId channel category amount currency'],
    ['subscription', 'accountId mrr currency from to'],
  ] as const)('the fields of a fact about an %s are those the engine knows', (type, names) => {
    expect(FACT_TYPES).toContain(type);
    expect(fieldNames(publishedSchemas.newest(`${type}-fact`).file)).toEqual(['id', 'updatedAt', ...names.split(' ')]);
  });
});

describe('the record type of a value', () => {
  const touch = publishedSchemas.newest('touch');
  const value = Uint8Array.from([...touch.header, 1, 2, 3]);

  test('is found wherever the value stands in a buffer', () => {
    for (const schema of publishedSchemas.schemas) {
      const bytes = Uint8Array.from([0xc3, 0x01, 9, ...schema.header, 7]);
      expect(recordTypeOf(bytes, 3, bytes.length)).toBe(schema);
    }
  });

  test.each([
    ['no value', value, 0, 0, 'not_single_object', /no value/],
    ['a value that the log does not have', value, -1, -1, 'not_single_object', /no value/],
    ['a value shorter than its header', value, 0, 9, 'not_single_object', /9 bytes/],
    ['another first byte', Uint8Array.from([0xc2, ...value.subarray(1)]), 0, 13, 'not_single_object', /C3 01/],
    ['another second byte', Uint8Array.from([0xc3, 2, ...value.subarray(2)]), 0, 13, 'not_single_object', /C3 01/],
    ['a changed lower half', value.with(2, 0), 0, 13, 'unknown_schema', /8bf5f26f8f15f000/],
    ['a changed upper half', value.with(9, 0), 0, 13, 'unknown_schema', /00f5f26f8f15f027/],
    ['JSON', Buffer.from('{"id": "t-1"}'), 0, 13, 'not_single_object', /C3 01/],
  ])('%s has none', (_, bytes, start, end, reason, detail) => {
    const outcome = recordTypeOf(bytes, start, end);
    expect(isPoison(outcome)).toBe(true);
    expect(outcome).toMatchObject({ reason, detail: expect.stringMatching(detail) as string });
  });
});

describe('a set of schemas is refused', () => {
  const id = { name: 'accountId', type: 'string' };

  test.each<[string, Record<string, string>, RegExp]>([
    ['a file with a name of its own', { 'score.avsc': score([id]) }, /named RECORD\.vN\.avsc/],
    ['a record type that nobody knows', { 'invoice.v1.avsc': score([id]) }, /one of touch, account-fact/],
    ['a record with the name of another', { 'touch.v1.avsc': score([id]) }, /must define touchstone\.Touch/],
    ['what is no JSON', { 'account-score.v1.avsc': '{' }, /account-score\.v1\.avsc is not a valid Avro schema/],
    ['what is no schema', { 'account-score.v1.avsc': score([{ name: 'x', type: 'text' }]) }, /is not a valid Avro schema/],
    [
      'a new version that changes only a doc',
      { 'account-score.v1.avsc': score([id]), 'account-score.v2.avsc': score([{ ...id, doc: 'New.' }]) },
      /need no new version/,
    ],
    [
      'a new field without a default',
      { 'account-score.v1.avsc': score([id]), 'account-score.v2.avsc': score([id, { name: 'rank', type: 'int' }]) },
      /account-score\.v1\.avsc can not be read as account-score\.v2\.avsc.*rank/,
    ],
    [
      'a field of another type',
      { 'account-score.v1.avsc': score([id]), 'account-score.v2.avsc': score([{ ...id, type: 'long' }]) },
      /can not be read as/,
    ],
  ])('%s', (_, set, message) => {
    expect(() => new SchemaSet(Object.entries(set))).toThrow(message);
  });
});
