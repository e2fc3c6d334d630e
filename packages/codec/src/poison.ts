import type { DeadLetterReason, Poison } from '@touchstone/engine';

/** A class, so that a poison is never mistaken for a decoded record that happens to have the same fields. */
class PoisonRecord implements Poison {
  readonly reason: DeadLetterReason;
  readonly detail: string;

  constructor(reason: DeadLetterReason, detail: string) {
    this.reason = reason;
    this.detail = detail;
  }
}

export function poison(reason: DeadLetterReason, detail: string): Poison {
  return new PoisonRecord(reason, detail);
}

/** Tells what a decoder of this package returned. */
export function isPoison(outcome: unknown): outcome is Poison {
  return outcome instanceof PoisonRecord;
}
