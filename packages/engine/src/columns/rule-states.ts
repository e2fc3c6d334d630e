import { FIRST_ROWS, grown, moreRows, type ColumnStep } from './growth.ts';

/**
 * Where accounts stand under rules, one row for each account and rule that had a step: few have. Rows of an account are chained; row 0 is unused.
 * They are no part of a snapshot: they come back from the stored steps.
 */
export class RuleStates {
  /** The rule's number. */
  rule = new Uint32Array(FIRST_ROWS);
  account = new Uint32Array(FIRST_ROWS);
  step = new Uint32Array(FIRST_ROWS);
  episode = new Uint32Array(FIRST_ROWS);
  isIn = new Uint8Array(FIRST_ROWS);
  isHeld = new Uint8Array(FIRST_ROWS);
  /** -1 for none. */
  lastUpAt = new Float64Array(FIRST_ROWS);
  since = new Float64Array(FIRST_ROWS);
  heldBack = new Uint32Array(FIRST_ROWS);
  /** Number of the stage + 1; 0 for none. */
  stage = new Uint32Array(FIRST_ROWS);
  #next = new Uint32Array(FIRST_ROWS);
  #head = new Uint32Array(FIRST_ROWS);
  #used = 1;

  /** Rows are 1 to this. */
  get count(): number {
    return this.#used - 1;
  }

  /** The row of an account's rule; 0 when it never had a step. */
  find(account: number, rule: number): number {
    if (account >= this.#head.length) return 0;
    let row = this.#head[account]!;
    while (row !== 0 && this.rule[row] !== rule) row = this.#next[row]!;
    return row;
  }

  /** As `find`, and makes a row that stands before any step. */
  of(account: number, rule: number): number {
    const known = this.find(account, rule);
    if (known !== 0) return known;
    if (this.#used === this.#next.length) this.#eachColumn((column) => grown(column, moreRows(this.#used)));
    if (account >= this.#head.length) this.#head = grown(this.#head, Math.max(account + 1, moreRows(this.#head.length)));
    const row = this.#used++;
    this.rule[row] = rule;
    this.account[row] = account;
    this.lastUpAt[row] = -1;
    this.#next[row] = this.#head[account]!;
    this.#head[account] = row;
    return row;
  }

  #eachColumn(step: ColumnStep): void {
    this.rule = step(this.rule);
    this.account = step(this.account);
    this.step = step(this.step);
    this.episode = step(this.episode);
    this.isIn = step(this.isIn);
    this.isHeld = step(this.isHeld);
    this.lastUpAt = step(this.lastUpAt);
    this.since = step(this.since);
    this.heldBack = step(this.heldBack);
    this.stage = step(this.stage);
    this.#next = step(this.#next);
  }
}
