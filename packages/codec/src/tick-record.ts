import type { ClockTick, Poison } from '@touchstone/engine';
import { TIME_MAX } from './limits.ts';
import { isPoison, poison } from './poison.ts';
import type { RecordSchema } from './record-schema.ts';
import { publishedSchemas } from './schema-set.ts';

/** The control record by which time passes in a partition. */
export function encodeClockTick(tick: ClockTick): Uint8Array {
  return publishedSchemas.newest('clock-tick').encode(tick);
}

/** The tick of a control record whose schema has been found. */
export function decodeTickOf(schema: RecordSchema, bytes: Uint8Array, start: number, end: number): ClockTick | Poison {
  const body = publishedSchemas.decode(schema, bytes, start, end);
  if (isPoison(body)) return body;
  const { fleetGrowth, writtenAt } = body as unknown as ClockTick;
  if (writtenAt < 0 || writtenAt > TIME_MAX) return poison('invalid_value', 'writtenAt is not between 1970 and 9999');
  if (fleetGrowth !== null && !(fleetGrowth >= 0 && fleetGrowth < Infinity)) return poison('invalid_value', 'fleetGrowth is no growth');
  return { writtenAt, fleetGrowth };
}
