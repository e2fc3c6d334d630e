import { CELL, CELL_WIDTH } from '../columns/creative-cell.ts';
import type { CreativeDayView } from '../columns/creative-day-view.ts';
import { grown, moreRows } from '../columns/growth.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import type { AheadPoints } from './ahead-points.ts';
import type { Pace } from './pace.ts';

/** UTC days since the epoch, both included. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

/** Which accounts are looked at. Asked once for an account. */
export type AccountTest = (ledgers: PartitionLedgers, account: number) => boolean;

/** What a creative, or several together, did to one account in some days. Everything is a count but `minutes` and `points`. */
export interface AccountFigures {
  impressions: number;
  clicks: number;
  /** Of any kind, impressions and clicks included. */
  touches: number;
  minutes: number;
  /** What is left of what the touches were worth, under the roles and the model of now. */
  points: number;
  /** Distinct contacts with a touch. */
  contacts: number;
  /** Distinct contacts with a click. */
  clickers: number;
}

const FIRST_ACCOUNTS = 64;
const UNKNOWN = 0;
const PASSES = 1;
/** Whether an account is one of those that are looked at costs about as much as so many cells. */
const CELLS_A_TEST = 20;

/**
 * Gathers the cells of creatives by account, in one partition, as they were when the views were opened. Everything is found by row, so a cell costs a dozen nanoseconds, most of them the
 * processor's cache misses. Used for one group of creatives after another; each sees its own cells alone. Roles are those of when a cell is looked at.
 */
export class AccountGatherer {
  readonly ledgers: PartitionLedgers;
  /** Of the days that are asked for and hold something, in their order. */
  readonly #views: readonly CreativeDayView[];
  readonly pace: Pace;
  readonly #test: AccountTest | null;
  readonly #asOf: number;
  readonly #ahead: ReadonlyMap<number, readonly AheadPoints[]>;
  /** By account: whether it passes, and its place among those of the group that `#stamp` names. */
  readonly #passes: Uint8Array;
  readonly #group: Uint32Array;
  readonly #place: Uint32Array;
  /** By contact: twice the last group that saw it, and one more when it clicked. */
  readonly #seen: Uint32Array;
  #stamp = 0;
  /** Accounts of the group, in order of appearance. */
  accounts = new Uint32Array(FIRST_ACCOUNTS);
  count = 0;
  #figures: AccountFigures[] = [];

  constructor(
    ledgers: PartitionLedgers,
    views: readonly CreativeDayView[],
    ahead: ReadonlyMap<number, readonly AheadPoints[]>,
    { accountFilter, asOf }: { readonly accountFilter?: AccountTest | null; readonly asOf: number },
    pace: Pace,
  ) {
    this.ledgers = ledgers;
    this.#views = views;
    this.pace = pace;
    this.#test = accountFilter ?? null;
    this.#asOf = asOf;
    this.#ahead = ahead;
    this.#passes = new Uint8Array(ledgers.accounts.size);
    this.#group = new Uint32Array(ledgers.accounts.size);
    this.#place = new Uint32Array(ledgers.accounts.size);
    this.#seen = new Uint32Array(ledgers.contacts.size);
  }

  /** Gathers a group of creatives, by their numbers. */
  *gather(creatives: readonly number[]): Generator<null> {
    this.#stamp++;
    this.count = 0;
    for (const creative of creatives) yield* this.#add(creative);
  }

  *#add(creative: number): Generator<null> {
    // A landmark that moves between turns moves sums and factor together.
    let factor = this.ledgers.decay.factor(this.#asOf);
    for (const view of this.#views) {
      const { day, size } = view;
      for (let row = day.head(creative); row !== 0; row = day.next(row - 1)) {
        // Chains begin with the newest cells.
        if (row <= size) this.#addCell(view, row - 1, factor);
        if (!this.pace.spend(1)) continue;
        yield null;
        factor = this.ledgers.decay.factor(this.#asOf);
      }
      if (this.pace.spend(1)) yield null;
    }
    for (const { account, contact, points } of this.#ahead.get(creative) ?? []) {
      const figures = this.#figuresOf(account);
      if (figures !== null) figures.points -= this.#multiplier(contact) * points;
    }
  }

  #addCell(view: CreativeDayView, row: number, factor: number): void {
    view.look(row);
    const { numbers, place } = view;
    const at = place * CELL_WIDTH;
    const figures = this.#figuresOf(numbers[at + CELL.account]!);
    if (figures === null) return;
    const contact = numbers[at + CELL.contact]!;
    const clicks = numbers[at + CELL.clicks]!;
    figures.impressions += numbers[at + CELL.impressions]!;
    figures.clicks += clicks;
    figures.touches += numbers[at + CELL.touches]!;
    figures.minutes += view.minutes[place]!;
    figures.points += this.#multiplier(contact) * view.sum[place]! * factor;
    if (contact !== 0) this.#see(contact - 1, clicks > 0, figures);
  }

  /** Where the account's figures are among those of the group, or -1. */
  placeOf(account: number): number {
    return this.#group[account] === this.#stamp ? this.#place[account]! : -1;
  }

  /** Of the account at a place below `count`: valid until the next group begins. */
  at(place: number): Readonly<AccountFigures> {
    return this.#figures[place]!;
  }

  #multiplier(contact: number): number {
    return contact === 0 ? 1 : this.ledgers.roles.multiplier(this.ledgers.contacts.role[contact - 1]!);
  }

  /** Null for an account that is not looked at. */
  #figuresOf(account: number): AccountFigures | null {
    if (this.#group[account] === this.#stamp) return this.#figures[this.#place[account]!]!;
    if (!this.#isWanted(account)) return null;
    const place = this.count++;
    this.#group[account] = this.#stamp;
    this.#place[account] = place;
    if (place === this.accounts.length) this.accounts = grown(this.accounts, moreRows(place));
    this.accounts[place] = account;
    const nothing = { impressions: 0, clicks: 0, touches: 0, minutes: 0, points: 0, contacts: 0, clickers: 0 };
    const known = this.#figures[place];
    if (known === undefined) return (this.#figures[place] = nothing);
    return Object.assign(known, nothing);
  }

  #isWanted(account: number): boolean {
    if (this.#test === null) return true;
    if (this.#passes[account] === UNKNOWN) {
      this.#passes[account] = this.#test(this.ledgers, account) ? PASSES : PASSES + 1;
      this.pace.note(CELLS_A_TEST);
    }
    return this.#passes[account] === PASSES;
  }

  #see(contact: number, hasClicked: boolean, figures: AccountFigures): void {
    const seen = this.#stamp * 2;
    const before = this.#seen[contact]!;
    if (before < seen) figures.contacts++;
    if (hasClicked && before <= seen) figures.clickers++;
    this.#seen[contact] = Math.max(before, seen) | (hasClicked ? 1 : 0);
  }
}
