import { ALERT_CAUSES, ALERT_TYPES, type Alert, type Poison } from '@touchstone/engine';
import { problemOfIdentity } from './check-fact.ts';
import { TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import { publishedSchemas } from './schema-set.ts';

export function encodeAlert(alert: Alert): Uint8Array {
  return publishedSchemas.newest('alert').encode(alert);
}

export function decodeAlert(bytes: Uint8Array, start: number, end: number): Alert | Poison {
  const schema = publishedSchemas.find(bytes, start, end);
  if (isPoison(schema)) return schema;
  if (schema.record !== 'alert') return poison('invalid_value', `the record is no alert but of ${schema.file}`);
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const { reasons, touch, ...alert } = body as unknown as Alert;
  // Plain objects instead of avsc's own.
  const plain: Alert = { ...alert, reasons: reasons.map((reason) => ({ ...reason })), touch: touch === null ? null : { ...touch } };
  return problemOf(plain) ?? plain;
}

function problemOf({ accountId, at, cause, episode, id, partition, type, version }: Alert): Poison | null {
  const problem = problemOfIdentity('accountId', accountId);
  if (problem) return problem;
  if (id === '' || !ALERT_TYPES.includes(type) || !ALERT_CAUSES.includes(cause))
    return poison('invalid_value', 'id, type or cause is not known');
  if (partition < 0 || version < 0 || episode < 1) return poison('invalid_value', 'partition or version is negative, or episode below 1');
  if (at < 0 || at > TIME_MAX) return poison('invalid_value', 'at is not between 1970 and 9999');
  return null;
}
