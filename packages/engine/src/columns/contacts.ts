import type { Accounts } from './accounts.ts';
import type { StateWalk } from '../state-walk.ts';
import { ActiveSlots } from './active-slots.ts';
import { FIRST_ROWS, grown, moreRows, type ColumnStep } from './growth.ts';
import { Names } from './names.ts';

/** How far back contacts' activity is kept: two of the longest window (90 days) and of the hours, and what may lie ahead. */
const DAYS_KEPT = 192;
const HOURS_KEPT = 64;

/** One row a contact of an account: about 80 bytes, and about 40 for its name. */
export class Contacts {
  /** A contact's scope is its account's row. */
  readonly names = new Names();
  /** Row + 1 of the account's contact before this one; 0 for none. */
  next = new Uint32Array(FIRST_ROWS);
  /** Sum over the contact's touches, without its role's multiplier. */
  sum = new Float64Array(FIRST_ROWS);
  /** Row + 1 of the role's name; 0 when nobody said. */
  role = new Uint16Array(FIRST_ROWS);
  /** `updatedAt` of the fact that `role` comes from. */
  roleUpdatedAt = new Float64Array(FIRST_ROWS);
  /** Smallest occurredAt; infinite before the first touch. */
  firstTouchAt = new Float64Array(FIRST_ROWS);
  /** Row + 1 of the campaign of that touch; 0 for none. */
  firstCampaign = new Uint32Array(FIRST_ROWS);
  engagedDay = new Uint16Array(FIRST_ROWS);
  formerEngagedDay = new Uint16Array(FIRST_ROWS);
  readonly days = new ActiveSlots(DAYS_KEPT);
  readonly hours = new ActiveSlots(HOURS_KEPT);

  get size(): number {
    return this.names.size;
  }

  /** The row of an account's contact; a new one has no touch and no role. */
  intern(account: number, bytes: Uint8Array, start: number, end: number): number {
    const size = this.names.size;
    const row = this.names.intern(account, bytes, start, end);
    if (row === size) {
      if (row === this.next.length) this.#grow(moreRows(row));
      this.firstTouchAt[row] = Infinity;
    }
    return row;
  }

  /** As `intern`, and a new contact joins its account's chain. */
  of(accounts: Accounts, account: number, bytes: Uint8Array, start: number, end: number): number {
    const { size } = this;
    const row = this.intern(account, bytes, start, end);
    if (row === size) {
      this.next[row] = accounts.contact[account]!;
      accounts.contact[account] = row + 1;
      accounts.contactCount[account]!++;
    }
    return row;
  }

  #grow(rows: number): void {
    this.#eachColumn((column) => grown(column, rows));
    this.days.makeRoom(rows);
    this.hours.makeRoom(rows);
  }

  #eachColumn(step: ColumnStep): void {
    this.next = step(this.next);
    this.sum = step(this.sum);
    this.role = step(this.role);
    this.roleUpdatedAt = step(this.roleUpdatedAt);
    this.firstTouchAt = step(this.firstTouchAt);
    this.firstCampaign = step(this.firstCampaign);
    this.engagedDay = step(this.engagedDay);
    this.formerEngagedDay = step(this.formerEngagedDay);
  }

  walk(state: StateWalk): void {
    this.names.walk(state);
    this.#eachColumn((column) => state.column(column, this.size));
    this.days.walk(state, this.size);
    this.hours.walk(state, this.size);
  }
}
