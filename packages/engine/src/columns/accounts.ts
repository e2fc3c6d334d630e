import type { AccountFact } from '../fact.ts';
import { FIRST_ROWS, grown, moreRows } from './growth.ts';
import { Names } from './names.ts';

/** One row an account. Sums are in the weights of the decay's landmark (see decay.ts): multiply by its factor to get points. */
export class Accounts {
  readonly names = new Names();
  /** What the CRM says of the account, where it said anything. */
  readonly facts = new Map<number, AccountFact>();
  /** Offset of the last touch or fact applied. */
  version = new Float64Array(FIRST_ROWS);
  /** Time of append of that touch or fact, epoch ms: views can't be asked for an earlier instant. */
  changedAt = new Float64Array(FIRST_ROWS);
  /** Largest occurredAt; 0 before the first touch. */
  lastTouchAt = new Float64Array(FIRST_ROWS);
  /** Sum over all touches, role multipliers applied. */
  sum = new Float64Array(FIRST_ROWS);
  /** The part of `sum` that touches without a contact make up. */
  nobodySum = new Float64Array(FIRST_ROWS);
  /** Newest contact's row + 1; 0 for none. */
  contact = new Uint32Array(FIRST_ROWS);
  contactCount = new Uint32Array(FIRST_ROWS);
  hourCell = new Uint32Array(FIRST_ROWS);
  dayCell = new Uint32Array(FIRST_ROWS);
  /** First of the touches that were dated ahead of the log's clock (see ahead.ts); 0 for none. */
  ahead = new Uint32Array(FIRST_ROWS);
  /** The two newest days with an engaging touch of nobody known; see `EngagedDays`. */
  engagedDay = new Uint16Array(FIRST_ROWS);
  formerEngagedDay = new Uint16Array(FIRST_ROWS);
  #isChanged = new Uint8Array(FIRST_ROWS);
  /** Rows changed since they were last taken. */
  #changed: number[] = [];

  get size(): number {
    return this.names.size;
  }

  /** The account's row; a new one begins with nothing. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const row = this.names.intern(0, bytes, start, end);
    if (row === this.version.length) this.#grow(moreRows(row));
    return row;
  }

  /** Epoch ms of the newest touch, or null before the first. */
  lastTouch(row: number): number | null {
    const at = this.lastTouchAt[row]!;
    return at > 0 ? at : null;
  }

  /** Sets version and time of the last change, and notes it for whoever publishes. */
  change(row: number, version: number, now: number): void {
    this.version[row] = version;
    this.changedAt[row] = now;
    this.markChanged(row);
  }

  markChanged(row: number): void {
    if (this.#isChanged[row] === 1) return;
    this.#isChanged[row] = 1;
    this.#changed.push(row);
  }

  /** Rows changed since the last call. */
  takeChanged(): number[] {
    const changed = this.#changed;
    this.#changed = [];
    for (const row of changed) this.#isChanged[row] = 0;
    return changed;
  }

  get changedCount(): number {
    return this.#changed.length;
  }

  #grow(rows: number): void {
    this.version = grown(this.version, rows);
    this.changedAt = grown(this.changedAt, rows);
    this.lastTouchAt = grown(this.lastTouchAt, rows);
    this.sum = grown(this.sum, rows);
    this.nobodySum = grown(this.nobodySum, rows);
    this.contact = grown(this.contact, rows);
    this.contactCount = grown(this.contactCount, rows);
    this.hourCell = grown(this.hourCell, rows);
    this.dayCell = grown(this.dayCell, rows);
    this.ahead = grown(this.ahead, rows);
    this.engagedDay = grown(this.engagedDay, rows);
    this.formerEngagedDay = grown(this.formerEngagedDay, rows);
    this.#isChanged = grown(this.#isChanged, rows);
  }
}
