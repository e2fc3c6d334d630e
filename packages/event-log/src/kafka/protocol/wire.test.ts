import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { EventLogError } from '../../event-log.ts';
import { apiVersions } from './api-versions.ts';
import type { Api } from './api.ts';
import { fetchById, fetchByName } from './fetch.ts';
import { fetchOffsets, findCoordinator } from './group-offsets.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { produce } from './produce.ts';
import { createTopics, describeConfigs } from './topic-admin.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const APIS: readonly Api<never, unknown>[] = [
  apiVersions,
  metadata,
  fetchById,
  fetchByName,
  produce,
  listOffsets,
  findCoordinator,
  fetchOffsets,
  createTopics,
  describeConfigs,
];

const int64 = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, -2, 0, 2 ** 32, 2 ** 32 - 1, -(2 ** 32), 2 ** 53 - 1));

describe.each([{ flexible: true }, { flexible: false }])('values on the wire, flexible: $flexible', ({ flexible }) => {
  test.prop([
    fc.record({
      small: fc.integer({ min: -128, max: 127 }),
      int: fc.integer(),
      long: int64,
      text: fc.option(fc.string({ unit: 'binary', maxLength: 300 })),
      list: fc.array(fc.integer()),
      bytes: fc.uint8Array({ maxLength: 300 }),
    }),
  ])('are read as they were written', ({ small, int, long, text, list, bytes }) => {
    const writer = new WireWriter(flexible, 1);
    writer.int8(small).int16(small).int32(int).int64(long).text(text).count(list.length);
    for (const each of list) writer.int32(each);
    writer.bytesLength(bytes.length).raw(bytes).boolean(true).tags();
    const reader = new WireReader(writer.bytes(), flexible);
    expect([reader.int8(), reader.int16(), reader.int32(), reader.int64(), reader.nullableText()]).toEqual([small, small, int, long, text]);
    expect(reader.list(4, () => reader.int32())).toEqual(list);
    expect([...reader.nullableBytes()!]).toEqual([...bytes]);
    expect(reader.boolean()).toBe(true);
    reader.tags();
    expect(reader.remaining).toBe(0);
  });

  test('tagged fields of newer brokers are stepped over', () => {
    const reader = new WireReader(Buffer.from([2, 0, 3, 1, 2, 3, 9, 1, 7, 42]), flexible);
    reader.tags();
    expect(reader.int8()).toBe(flexible ? 42 : 2);
  });
});

describe.each(APIS.map((api) => ({ what: `${api.name} v${api.version}`, api })))('an answer to $what', ({ api }) => {
  test.prop([fc.uint8Array({ maxLength: 400 })], { numRuns: 500 })('of any bytes is read or refused', (bytes) => {
    expectReadOrRefused(api, Buffer.from(bytes));
  });

  // Mostly zeros are a well-formed answer for long, so that the parts deep inside are reached too.
  test.prop([fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 }), fc.nat(200)], { numRuns: 500 })(
    'that is nearly right is read or refused',
    (changes, length) => {
      const bytes = Buffer.alloc(length);
      for (const [at, value] of changes) if (at < length) bytes[at] = value;
      expectReadOrRefused(api, bytes);
    },
  );
});

function expectReadOrRefused(api: Api<never, unknown>, bytes: Buffer): void {
  try {
    api.decode(new WireReader(bytes, api.flexible));
  } catch (cause) {
    expect(cause).toBeInstanceOf(EventLogError);
    expect((cause as EventLogError).code).toBe('corrupt');
  }
}
