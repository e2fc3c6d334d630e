import type { StateWalk } from '../state-walk.ts';
import type { Accounts } from './accounts.ts';
import { FIRST_ROWS, grown, moreRows, type ColumnStep } from './growth.ts';

type Heads = Pick<Accounts, 'ahead' | 'changedAt'>;

/**
 * Touches dated ahead of the log's clock. Until their time has come they count at age 0, where the decayed sums would have them grow above
 * their worth. Views subtract the difference; a row is dropped once no view can be asked for an instant before it. Rows of an account are chained; row 0 is unused.
 */
export class Ahead {
  occurredAt = new Float64Array(FIRST_ROWS);
  worth = new Float64Array(FIRST_ROWS);
  /** Contact row + 1; 0 for nobody known. */
  contact = new Uint32Array(FIRST_ROWS);
  /** The creative's number; 0 for none, or where none are kept. */
  creative = new Uint32Array(FIRST_ROWS);
  next = new Uint32Array(FIRST_ROWS);
  #account = new Uint32Array(FIRST_ROWS);
  #used = 1;

  get count(): number {
    return this.#used - 1;
  }

  accountOf(row: number): number {
    return this.#account[row]!;
  }

  add(accounts: Heads, account: number, contact: number, creative: number, occurredAt: number, worth: number): void {
    if (this.#used === this.next.length) {
      this.#dropPast(accounts);
      // Only a table still half full after that has to grow: else every add would drop again.
      if (this.#used * 2 > this.next.length) this.#grow(moreRows(this.next.length));
    }
    const row = this.#used++;
    this.occurredAt[row] = occurredAt;
    this.worth[row] = worth;
    this.contact[row] = contact;
    this.creative[row] = creative;
    this.#account[row] = account;
    this.next[row] = accounts.ahead[account]!;
    accounts.ahead[account] = row;
  }

  #dropPast(accounts: Heads): void {
    const heads = accounts.ahead;
    const used = this.#used;
    for (let row = 1; row < used; row++) heads[this.#account[row]!] = 0;
    this.#used = 1;
    for (let row = 1; row < used; row++) {
      const account = this.#account[row]!;
      if (this.occurredAt[row]! <= accounts.changedAt[account]!) continue;
      const to = this.#used++;
      this.occurredAt[to] = this.occurredAt[row]!;
      this.worth[to] = this.worth[row]!;
      this.contact[to] = this.contact[row]!;
      this.creative[to] = this.creative[row]!;
      this.#account[to] = account;
      this.next[to] = heads[account]!;
      heads[account] = to;
    }
  }

  #grow(rows: number): void {
    this.#eachColumn((column) => grown(column, rows));
  }

  #eachColumn(step: ColumnStep): void {
    this.occurredAt = step(this.occurredAt);
    this.worth = step(this.worth);
    this.contact = step(this.contact);
    this.creative = step(this.creative);
    this.next = step(this.next);
    this.#account = step(this.#account);
  }

  walk(state: StateWalk): void {
    this.#used = state.number(this.#used);
    this.#eachColumn((column) => state.column(column, this.#used));
  }
}
