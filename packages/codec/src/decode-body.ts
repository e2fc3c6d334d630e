import type { Poison } from '@touchstone/engine';
import { checkBody } from './body-check.ts';
import { poison } from './poison.ts';
import { HEADER_BYTES, type RecordSchema } from './record-schema.ts';

/** Decodes a record whose header has been looked at. `start` and `end` are those of the whole value. */
export type BodyDecoder = (bytes: Uint8Array, start: number, end: number) => Record<string, unknown> | Poison;

/**
 * A decoder for records written with one version of a schema and wanted as another, older or newer: fields that only the writer has are
 * left out, fields that only the reader has get their default.
 * @throws Error when Avro's rules of schema resolution do not allow the pair
 */
export function createBodyDecoder(writer: RecordSchema, reader: RecordSchema): BodyDecoder {
  const resolver = writer === reader ? undefined : createResolver(writer, reader);
  return function decodeBody(bytes, start, end) {
    const bodyStart = start + HEADER_BYTES;
    const failed = checkBody(writer.type, bytes, bodyStart, end);
    if (failed) return failed;
    try {
      const body = Buffer.from(bytes.buffer, bytes.byteOffset + bodyStart, end - bodyStart);
      return reader.type.fromBuffer(body, resolver) as Record<string, unknown>;
    } catch (cause) {
      // What the check lets through decodes. This is here so that a gap in it costs one record, not the partition.
      return poison('malformed', cause instanceof Error ? cause.message : 'the record does not decode');
    }
  };
}

function createResolver(writer: RecordSchema, reader: RecordSchema): ReturnType<RecordSchema['type']['createResolver']> {
  try {
    return reader.type.createResolver(writer.type);
  } catch (cause) {
    throw new Error(`schemas/${writer.file} can not be read as ${reader.file}: ${String(cause)}`, { cause });
  }
}
