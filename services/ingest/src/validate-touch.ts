import { randomUUIDv7 } from 'node:crypto';
import type { Touch } from '@touchstone/codec';
import { explainFailure, refuseOutright } from './explain-failure.ts';
import { AHEAD_MAX_MS } from './limits.ts';
import type { Refusal } from './reject-codes.ts';
import { touchSchema } from './touch-schema.ts';

/** What a touch is held against besides its schema. Epoch milliseconds. */
export interface TouchTimes {
  /** Wall clock: for touches that carry no time. */
  readonly now: number;
  /** Touches before this are too old for the scoring model. */
  readonly oldest: number;
}

/** The touch of an item, complete, or why it is none. This decides; `checkTouch` only gets there faster. */
export function validateTouch(item: unknown, times: TouchTimes): Touch | Refusal {
  const outright = refuseOutright(item);
  if (outright) return outright;
  const parsed = touchSchema.safeParse(item, { reportInput: true });
  if (!parsed.success) return explainFailure(parsed.error, item, 'the touch');
  const { id, occurredAt, minutes, properties, accountId, contactId, ...rest } = parsed.data;
  if (accountId === null && contactId === null)
    return { code: 'missing_field', message: 'accountId is missing; a touch has an accountId, a contactId, or both' };
  const at = occurredAt ?? times.now;
  const untimely = checkTime(at, times, typeof (item as { occurredAt?: unknown }).occurredAt === 'number');
  if (untimely) return untimely;
  return {
    ...rest,
    id: id ?? randomUUIDv7(),
    accountId,
    contactId,
    occurredAt: at,
    minutes: (minutes ?? 0) + 0,
    properties: properties ?? {},
  };
}

function checkTime(at: number, { now, oldest }: TouchTimes, isNumber: boolean): Refusal | null {
  if (at > now + AHEAD_MAX_MS) {
    return { code: 'in_the_future', message: `occurredAt is more than ${AHEAD_MAX_MS / 60_000} minutes ahead of the clock here` };
  }
  if (at >= oldest) return null;
  const days = Math.round((now - oldest) / 86_400_000);
  // Epoch seconds of today, read as milliseconds, are in January 1970.
  const hint = isNumber && Math.abs(at) < 1e10 ? '; numbers are milliseconds, not seconds' : '';
  return { code: 'too_old', message: `occurredAt is more than ${days} days ago, the retention of the scoring model${hint}` };
}
