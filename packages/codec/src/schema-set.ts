import { readdirSync, readFileSync } from 'node:fs';
import type { Poison } from '@touchstone/engine';
import { createBodyDecoder, type BodyDecoder } from './decode-body.ts';
import { poison } from './poison.ts';
import { HEADER_BYTES, MARKER, RecordSchema, type RecordName } from './record-schema.ts';

/** All versions of all record types. Every one can be read; the newest of a type is what is written. */
export class SchemaSet {
  /** Newest first, and touches before the rest, because a record is looked up by going through them. */
  readonly schemas: readonly RecordSchema[];
  readonly #decoders: ReadonlyMap<RecordSchema, BodyDecoder>;

  /**
   * @param files text of each schema by the name of its file
   * @throws Error when a file is not a valid schema, two have one fingerprint, or an older version can not be read as the newest
   */
  constructor(files: Iterable<readonly [name: string, text: string]>) {
    this.schemas = Array.from(files, ([name, text]) => new RecordSchema(name, text)).sort(
      (one, other) => Number(other.record === 'touch') - Number(one.record === 'touch') || other.version - one.version,
    );
    for (const [index, schema] of this.schemas.entries()) {
      const twin = this.schemas.slice(0, index).find(({ fingerprint }) => fingerprint === schema.fingerprint);
      if (twin) {
        throw new Error(`schemas/${twin.file} and ${schema.file} read the same bytes the same way: docs and defaults need no new version`);
      }
    }
    this.#decoders = new Map(this.schemas.map((schema) => [schema, createBodyDecoder(schema, this.newest(schema.record))]));
  }

  /** The schema a value was written with, by its first ten bytes. Allocates nothing unless it fails. */
  find(bytes: Uint8Array, start: number, end: number): RecordSchema | Poison {
    if (end - start < HEADER_BYTES || bytes[start] !== MARKER[0] || bytes[start + 1] !== MARKER[1]) return notSingleObject(start, end);
    const low = readUint32(bytes, start + 2);
    const high = readUint32(bytes, start + 6);
    for (const schema of this.schemas) if (schema.low === low && schema.high === high) return schema;
    return poison('unknown_schema', `no schema has the fingerprint ${hex(high)}${hex(low)}`);
  }

  newest(record: RecordName): RecordSchema {
    const schema = this.schemas.find((candidate) => candidate.record === record);
    if (!schema) throw new Error(`schemas/ has no ${record}.vN.avsc`);
    return schema;
  }

  version(record: RecordName, version: number): RecordSchema {
    const schema = this.schemas.find((candidate) => candidate.record === record && candidate.version === version);
    if (!schema) throw new Error(`schemas/ has no ${record}.v${version}.avsc`);
    return schema;
  }

  /** Decodes a value, the header included, as the newest version of its record type. `schema` is what `find` gave for it. */
  decode(schema: RecordSchema, bytes: Uint8Array, start: number, end: number): Record<string, unknown> | Poison {
    const decode = this.#decoders.get(schema);
    if (!decode) throw new Error(`${schema.file} is of another set of schemas`);
    return decode(bytes, start, end);
  }
}

function notSingleObject(start: number, end: number): Poison {
  if (start < 0 || end <= start) return poison('not_single_object', 'the record has no value');
  return poison('not_single_object', `the value (${end - start} bytes) does not begin with C3 01 and a fingerprint of 8 bytes`);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function hex(uint32: number): string {
  return uint32.toString(16).padStart(8, '0');
}

function loadSchemas(directory: URL): SchemaSet {
  const names = readdirSync(directory).filter((name) => name.endsWith('.avsc'));
  return new SchemaSet(names.map((name) => [name, readFileSync(new URL(name, directory), 'utf8')]));
}

/** The schemas of this repository. */
export const publishedSchemas = loadSchemas(new URL('../../../schemas/', import.meta.url));

/** The published schema of a value, or why it has none. */
export function recordTypeOf(bytes: Uint8Array, start: number, end: number): RecordSchema | Poison {
  return publishedSchemas.find(bytes, start, end);
}
