import type { AccountFact, OpportunityFact } from '../fact.ts';
import type { StateWalk } from '../state-walk.ts';
import { FIRST_ROWS, grown, moreRows, type ColumnStep } from './growth.ts';
import { Names } from './names.ts';

/** What is kept of an opportunity. */
export type Opportunity = Pick<OpportunityFact, 'id' | 'updatedAt' | 'outcome'>;

/** What there is to publish of an account: nothing, that it has changed, or that the same touches come to something else. */
const NEWS = { none: 0, changed: 1, restated: 2 } as const;

/** One row an account. Sums are in the weights of the decay's landmark (see decay.ts): multiply by its factor to get points. */
export class Accounts {
  readonly names = new Names();
  /** What the CRM says of the account, where it said anything. */
  readonly facts = new Map<number, AccountFact>();
  /** The account's opportunities, where it has any; a list is never changed but replaced. */
  readonly opportunities = new Map<number, readonly Opportunity[]>();
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
  /** Largest occurredAt of the touches that qualify the account at once under the model; 0 for none. */
  actNowAt = new Float64Array(FIRST_ROWS);
  #news = new Uint8Array(FIRST_ROWS);
  /** Rows changed since they were last taken. */
  #changed: number[] = [];
  /** Restated rows that are not taken yet are from here to below the end. */
  #restatedFrom = 0;
  #restatedEnd = 0;

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

  /** Takes what is said of an opportunity, unless something newer is known of it. */
  noteOpportunity(row: number, { id, outcome, updatedAt }: OpportunityFact): void {
    const known = this.opportunities.get(row) ?? [];
    const former = known.find((one) => one.id === id);
    if (former !== undefined && updatedAt < former.updatedAt) return;
    this.opportunities.set(row, [...known.filter((one) => one !== former), { id, updatedAt, outcome }]);
  }

  /** Sets version and time of the last change, and notes it for whoever publishes. */
  change(row: number, version: number, now: number): void {
    this.version[row] = version;
    this.changedAt[row] = now;
    this.markChanged(row);
  }

  markChanged(row: number): void {
    if (this.#news[row] === NEWS.changed) return;
    this.#news[row] = NEWS.changed;
    this.#changed.push(row);
  }

  /** Another model has taken over: there is news of every row. It has less haste than that of those that change. */
  restateAll(): void {
    for (let row = 0; row < this.size; row++) if (this.#news[row] === NEWS.none) this.#news[row] = NEWS.restated;
    this.#restatedFrom = 0;
    this.#restatedEnd = this.size;
  }

  /** Rows changed since the last call. */
  takeChanged(): number[] {
    const changed = this.#changed;
    this.#changed = [];
    for (const row of changed) this.#news[row] = NEWS.none;
    return changed;
  }

  /** Whether there may be restated rows to take. */
  get hasRestated(): boolean {
    return this.#restatedFrom < this.#restatedEnd;
  }

  /** The next so many restated rows. Those that have changed meanwhile are not among them: `takeChanged` gives these. */
  takeRestated(most: number): number[] {
    const taken: number[] = [];
    for (; taken.length < most && this.hasRestated; this.#restatedFrom++) {
      const row = this.#restatedFrom;
      if (this.#news[row] !== NEWS.restated) continue;
      this.#news[row] = NEWS.none;
      taken.push(row);
    }
    return taken;
  }

  #grow(rows: number): void {
    this.#eachColumn((column) => grown(column, rows));
    this.#news = grown(this.#news, rows);
  }

  #eachColumn(step: ColumnStep): void {
    this.version = step(this.version);
    this.changedAt = step(this.changedAt);
    this.lastTouchAt = step(this.lastTouchAt);
    this.sum = step(this.sum);
    this.nobodySum = step(this.nobodySum);
    this.contact = step(this.contact);
    this.contactCount = step(this.contactCount);
    this.hourCell = step(this.hourCell);
    this.dayCell = step(this.dayCell);
    this.ahead = step(this.ahead);
    this.engagedDay = step(this.engagedDay);
    this.formerEngagedDay = step(this.formerEngagedDay);
    this.actNowAt = step(this.actNowAt);
  }

  /** All but which rows are news: that is the publisher's. */
  walk(state: StateWalk): void {
    this.names.walk(state);
    this.#eachColumn((column) => state.column(column, this.size));
    const facts = state.list([...this.facts]);
    const opportunities = state.list([...this.opportunities]);
    if (!state.isBringing) return;
    for (const [row, fact] of facts) this.facts.set(row, fact);
    for (const [row, known] of opportunities) this.opportunities.set(row, known);
    this.#news = new Uint8Array(this.version.length);
  }
}
