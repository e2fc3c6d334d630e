import { FACT_TYPES, type Fact, type FactType, type Poison } from '@touchstone/engine';
import { checkFact } from './check-fact.ts';
import { isPoison, poison } from './poison.ts';
import type { RecordName, RecordSchema } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';

const TYPE_OF: ReadonlyMap<RecordName, FactType> = new Map(FACT_TYPES.map((type) => [`${type}-fact`, type]));

/**
 * The fact as a value for the log.
 * @throws RangeError when its values are outside their domain: `decodeFact` would refuse it, so it must not get onto the log
 */
export function encodeFact(fact: Fact): Uint8Array {
  const problem = checkFact(fact);
  if (problem) throw new RangeError(`${fact.type} fact: ${problem.detail}`);
  return publishedSchemas.newest(`${fact.type}-fact`).encode(fact);
}

/** The fact of a value, of whatever version its schema was. */
export function decodeFact(bytes: Uint8Array, start: number, end: number): Fact | Poison {
  const schema = publishedSchemas.find(bytes, start, end);
  return isPoison(schema) ? schema : decodeFactOf(schema, bytes, start, end);
}

/** The same when the schema of the value has been found already. */
export function decodeFactOf(schema: RecordSchema, bytes: Uint8Array, start: number, end: number): Fact | Poison {
  const type = TYPE_OF.get(schema.record);
  if (!type) return poison('invalid_value', `the record is no fact but of ${schema.file}`);
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const { optionalFields } = publishedSchemas.newest(schema.record);
  // Empty text says no more than null does. Where null is not allowed, the check refuses an empty identity.
  const fields = Object.entries(body).map(([field, value]) => [field, value === '' && optionalFields.has(field) ? null : value]);
  const fact = { type, ...Object.fromEntries(fields) } as Fact;
  return checkFact(fact) ?? fact;
}
