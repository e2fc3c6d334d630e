import type { DeliveryRow } from '@touchstone/store';
import { z } from 'zod';
import { nextAttemptAt, retryAfterMs } from './retry-schedule.ts';
import type { SendResult } from './send-request.ts';

/** One try to hand a message over, as it is kept in the delivery log. */
export const attemptSchema = z.object({
  /** When it began, epoch ms. */
  at: z.int(),
  ms: z.int(),
  /** What the receiver answered; null without an answer. */
  status: z.int().nullable(),
  error: z.string().nullable(),
});
export type Attempt = z.output<typeof attemptSchema>;

/** More than a schedule has: resends add to the log. */
const ATTEMPTS_KEPT = 30;
/** An answer that asks for a pause of the whole endpoint, not only of this message. */
const NOT_NOW = new Set([429, 502, 503, 504]);
const GONE = 410;

export interface Judged {
  readonly row: DeliveryRow;
  /** `gone`: the receiver wants nothing any more. */
  readonly outcome: 'delivered' | 'retry' | 'failed' | 'gone';
  /** How long the endpoint should be left alone; null when it did not ask for that. */
  readonly pauseMs: number | null;
}

interface Finished {
  readonly result: SendResult;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly random: number;
}

/** What comes of a message after an attempt. Only 2xx is a success; a redirect is a failure. */
export function judgeAttempt(row: DeliveryRow, { endedAt, random, result, startedAt }: Finished): Judged {
  const status = result.kind === 'answered' ? result.status : null;
  const asked = result.kind === 'answered' ? retryAfterMs(result.retryAfter, endedAt) : null;
  const isDelivered = status !== null && status >= 200 && status < 300;
  const attempts = row.attempts + 1;
  const next = isDelivered || status === GONE ? null : nextAttemptAt({ attempts, now: endedAt, random, retryAfterMs: asked });
  const attempt: Attempt = {
    at: startedAt,
    ms: Math.max(0, Math.round(endedAt - startedAt)),
    status,
    error: result.kind === 'answered' ? null : `${result.kind}: ${result.error}`,
  };
  return {
    row: {
      ...row,
      revision: row.revision + 1,
      attempts,
      state: isDelivered ? 'delivered' : next === null ? 'failed' : 'pending',
      nextAttemptAt: next ?? row.nextAttemptAt,
      attemptLog: JSON.stringify([...attemptsOf(row), attempt].slice(-ATTEMPTS_KEPT)),
    },
    outcome: isDelivered ? 'delivered' : status === GONE ? 'gone' : next === null ? 'failed' : 'retry',
    pauseMs: status !== null && NOT_NOW.has(status) ? (asked ?? 0) : null,
  };
}

export function attemptsOf({ attemptLog }: DeliveryRow): Attempt[] {
  // Nearly all messages are taken at once.
  if (attemptLog === '[]') return [];
  return z.array(attemptSchema).parse(JSON.parse(attemptLog));
}
