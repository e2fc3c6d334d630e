/**
 * When a message that failed is sent again: Standard Webhooks' schedule, which gives a receiver three days to mend what is broken. Each pause is
 * made up to a tenth longer by chance, so that what failed together does not come back together.
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Before each attempt, from the one before. */
const PAUSES_MS = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

export const ATTEMPTS_MAX = PAUSES_MS.length;

const JITTER = 0.1;

/** A receiver may ask for more time, though not for more than the longest pause. */
const ASKED_PAUSE_MAX_MS = 24 * HOUR_MS;

export interface FailedAttempt {
  /** How many there were, this one too. */
  readonly attempts: number;
  readonly now: number;
  /** What the receiver asked for. */
  readonly retryAfterMs: number | null;
  /** At least 0 and less than 1. */
  readonly random: number;
}

/** When to try again, epoch ms; null when it was the last attempt. */
export function nextAttemptAt({ attempts, now, random, retryAfterMs }: FailedAttempt): number | null {
  const pause = PAUSES_MS[attempts];
  if (pause === undefined) return null;
  return now + Math.round(Math.max(pause * (1 + JITTER * random), retryAfterMs ?? 0));
}

/** The header Retry-After, seconds or a date, as milliseconds from now; null for none or nonsense. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  const date = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * SECOND_MS : date - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), ASKED_PAUSE_MAX_MS);
}
