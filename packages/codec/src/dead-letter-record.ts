import type { Poison } from '@touchstone/engine';
import { TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import { publishedSchemas } from './schema-set.ts';

/** A record that was set aside, as it stood on its topic. */
export interface DeadLetterRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Generation of the topic: one made anew counts its offsets from 0 again. */
  readonly generation: string;
  /** When the log took the record, epoch milliseconds. */
  readonly appendedAt: number;
  /** A `DeadLetterReason` of the writer, which may know more of them than its reader. */
  readonly reason: string;
  readonly detail: string;
  readonly key: Uint8Array | null;
  /** Empty when the record had none. */
  readonly value: Uint8Array;
}

export function encodeDeadLetter(letter: DeadLetterRecord): Uint8Array {
  const { key, value } = letter;
  return publishedSchemas.newest('dead-letter').encode({ ...letter, key: key && asBuffer(key), value: asBuffer(value) });
}

/** Key and value are copies: they stay as they are when the bytes they were read from change. */
export function decodeDeadLetter(bytes: Uint8Array, start: number, end: number): DeadLetterRecord | Poison {
  const schema = publishedSchemas.find(bytes, start, end);
  if (isPoison(schema)) return schema;
  if (schema.record !== 'dead-letter') return poison('invalid_value', `the record is no dead letter but of ${schema.file}`);
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const letter = { ...body } as unknown as DeadLetterRecord;
  return problemOf(letter) ?? letter;
}

function problemOf({ topic, partition, offset, appendedAt, reason }: DeadLetterRecord): Poison | null {
  if (topic === '' || reason === '') return poison('invalid_value', 'topic or reason is empty');
  if (partition < 0 || offset < 0) return poison('invalid_value', 'partition or offset is negative');
  if (appendedAt < 0 || appendedAt > TIME_MAX) return poison('invalid_value', 'appendedAt is not between 1970 and 9999');
  return null;
}

/** avsc takes bytes as a Buffer only. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
