import avsc from 'avsc';
import { describe, expect, test } from 'vitest';
import { canonicalForm, fingerprintOf } from './fingerprint.ts';

/** From share/test/data/schema-tests.txt of Apache Avro: schema, its Parsing Canonical Form, its fingerprint as a signed number. */
const OFFICIAL: readonly (readonly [schema: object | string, canonical: string, fingerprint: bigint])[] = [
  ['null', '"null"', 7195948357588979594n],
  ['boolean', '"boolean"', -6970731678124411036n],
  [{ type: 'int' }, '"int"', 8247732601305521295n],
  ['long', '"long"', -3434872931120570953n],
  ['float', '"float"', 5583340709985441680n],
  ['double', '"double"', -8181574048448539266n],
  ['bytes', '"bytes"', 5746618253357095269n],
  ['string', '"string"', -8142146995180207161n],
  [['int'], '["int"]', -5232228896498058493n],
  [['int', { type: 'boolean' }], '["int","boolean"]', 5392556393470105090n],
  [{ fields: [], type: 'record', name: 'foo' }, '{"name":"foo","type":"record","fields":[]}', -4824392279771201922n],
  [{ fields: [], type: 'record', name: 'foo', namespace: 'x.y' }, '{"name":"x.y.foo","type":"record","fields":[]}', 5916914534497305771n],
  [
    { fields: [], type: 'record', name: 'a.b.foo', namespace: 'x.y' },
    '{"name":"a.b.foo","type":"record","fields":[]}',
    -4616218487480524110n,
  ],
  [
    { fields: [], type: 'record', name: 'foo', doc: 'foo', aliases: ['foo', 'bar'] },
    '{"name":"foo","type":"record","fields":[]}',
    -4824392279771201922n,
  ],
  [
    {
      fields: [
        { type: 'boolean', aliases: [], name: 'f1', default: true },
        { order: 'descending', name: 'f2', doc: 'Hello', type: 'int' },
      ],
      type: 'record',
      name: 'foo',
    },
    '{"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"},{"name":"f2","type":"int"}]}',
    -4860222112080293046n,
  ],
  [{ type: 'enum', name: 'foo', symbols: ['A1'] }, '{"name":"foo","type":"enum","symbols":["A1"]}', -6342190197741309591n],
  [
    { namespace: 'x.y.z', type: 'enum', name: 'foo', doc: 'foo bar', symbols: ['A1', 'A2'] },
    '{"name":"x.y.z.foo","type":"enum","symbols":["A1","A2"]}',
    -4448647247586288245n,
  ],
  [
    { namespace: 'x.y.z', type: 'fixed', name: 'foo', doc: 'foo bar', size: 32 },
    '{"name":"x.y.z.foo","type":"fixed","size":32}',
    -3064184465700546786n,
  ],
  [{ items: { type: 'null' }, type: 'array' }, '{"type":"array","items":"null"}', -589620603366471059n],
  [{ values: 'string', type: 'map' }, '{"type":"map","values":"string"}', -8732877298790414990n],
  [
    { name: 'PigValue', type: 'record', fields: [{ name: 'value', type: ['null', 'int', 'long', 'PigValue'] }] },
    '{"name":"PigValue","type":"record","fields":[{"name":"value","type":["null","int","long","PigValue"]}]}',
    -1759257747318642341n,
  ],
];

describe("Avro's own test schemas", () => {
  test.each(OFFICIAL)('%j', (schema, canonical, fingerprint) => {
    const type = avsc.Type.forSchema(schema as Parameters<typeof avsc.Type.forSchema>[0]);
    expect(canonicalForm(type)).toBe(canonical);
    expect(fingerprintOf(canonical)).toBe(BigInt.asUintN(64, fingerprint));
  });

  test('a logical type is no part of the fingerprint', () => {
    const plain = avsc.Type.forSchema('long');
    const timestamp = avsc.Type.forSchema({ type: 'long', logicalType: 'timestamp-millis' });
    expect(canonicalForm(timestamp)).toBe(canonicalForm(plain));
  });

  test('text beyond ASCII is hashed as UTF-8', () => {
    expect(fingerprintOf('"ü"')).not.toBe(fingerprintOf('"u"'));
    expect(fingerprintOf('')).toBe(0xc15d213aa4d7a795n);
  });
});
