import type { Alert, Transition } from '@touchstone/engine';

/** What a transition takes besides its texts, as a row and as a record. */
const FIXED_BYTES = 900;

interface Waiting {
  readonly alert: Alert;
  readonly offset: number;
  readonly bytes: number;
  /** Its number in the queue, ever growing. */
  readonly number: number;
}

/**
 * What of a partition is to be told, in order: first what a former life may not have told, which only the store has, then what has happened
 * here.
 */
export class AlertQueue {
  /** Offsets whose stored transitions are told before what waits; null for none. */
  stored: { from: number; readonly before: number } | null = null;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #added = 0;

  get byteLength(): number {
    return this.#bytes;
  }

  /** Number of the next one to be added. */
  get end(): number {
    return this.#added;
  }

  add({ alert, offset }: Transition, bytes: number): void {
    this.#waiting.push({ alert, offset, bytes, number: this.#added++ });
    this.#bytes += bytes;
  }

  /** The first that wait, with numbers below `end`; they stay until they are dropped. */
  first(count: number, end: number): readonly Waiting[] {
    return this.#waiting.slice(0, count).filter(({ number }) => number < end);
  }

  /** Those up to this one are told. */
  dropThrough(last: number): void {
    this.#dropWhile(({ number }) => number <= last);
  }

  /** Another has told what belongs to offsets below this one. */
  forgetBelow(below: number): void {
    this.#dropWhile(({ offset }) => offset < below);
    if (this.stored !== null) this.stored.from = Math.max(this.stored.from, below);
  }

  #dropWhile(isDropped: (waiting: Waiting) => boolean): void {
    const left = this.#waiting.findIndex((one) => !isDropped(one));
    for (const { bytes } of this.#waiting.splice(0, left < 0 ? this.#waiting.length : left)) this.#bytes -= bytes;
  }
}

/** Bytes that a transition takes, about. */
export function bytesOf({ alert }: Transition): number {
  let bytes = FIXED_BYTES + 2 * alert.accountId.length;
  for (const list of [alert.missingRoles, alert.met, alert.missing, alert.touch?.ruleIds ?? []])
    for (const text of list) bytes += text.length;
  for (const { contactId } of alert.reasons) bytes += contactId?.length ?? 0;
  return bytes;
}
