import { CELL, CELL_WIDTH } from '../columns/creative-day.ts';
import type { Creatives } from '../columns/creatives.ts';
import { grown, moreRows } from '../columns/growth.ts';
import type { PartitionLedgers } from '../ledgers.ts';
import { dayOf } from '../time-slots.ts';

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

/**
 * Gathers the cells of creatives by account, in one partition. Everything is found by row, so a cell costs a dozen nanoseconds, most of them the
 * processor's cache misses. Used for one group of creatives after another; each sees its own cells alone.
 */
export class AccountGatherer {
  readonly ledgers: PartitionLedgers;
  readonly #creatives: Creatives;
  readonly #days: DayRange;
  readonly #test: AccountTest | null;
  readonly #asOf: number;
  /** Of touches dated ahead: by creative, what the decayed sums count too much of them, without the contact's multiplier. */
  readonly #ahead: ReadonlyMap<number, readonly { account: number; contact: number; excess: number }[]>;
  /** By account: whether it passes, and its place among those of the group that `#stamp` names. */
  #passes: Uint8Array;
  #group: Uint32Array;
  #place: Uint32Array;
  /** By contact: twice the last group that saw it, and one more when it clicked. */
  #seen: Uint32Array;
  #stamp = 0;
  /** Accounts of the group, in order of appearance. */
  accounts = new Uint32Array(FIRST_ACCOUNTS);
  count = 0;
  #figures: AccountFigures[] = [];

  /** @param asOf epoch ms; what was applied after it counts as of its application */
  constructor(ledgers: PartitionLedgers, creatives: Creatives, days: DayRange, test: AccountTest | null, asOf: number) {
    this.ledgers = ledgers;
    this.#creatives = creatives;
    this.#days = days;
    this.#test = test;
    this.#asOf = Math.max(asOf, ledgers.now);
    this.#ahead = aheadOf(ledgers, days, this.#asOf);
    this.#passes = new Uint8Array(ledgers.accounts.size);
    this.#group = new Uint32Array(ledgers.accounts.size);
    this.#place = new Uint32Array(ledgers.accounts.size);
    this.#seen = new Uint32Array(ledgers.contacts.size);
  }

  /** Forgets the accounts of the group before. */
  begin(): void {
    const { accounts, contacts } = this.ledgers;
    if (accounts.size > this.#passes.length) {
      const room = moreRows(accounts.size);
      this.#passes = grown(this.#passes, room);
      this.#group = grown(this.#group, room);
      this.#place = grown(this.#place, room);
    }
    if (contacts.size > this.#seen.length) this.#seen = grown(this.#seen, moreRows(contacts.size));
    this.#stamp++;
    this.count = 0;
  }

  /** Adds the cells of a creative to its group. @returns how many days and cells were looked at */
  add(creative: number): number {
    const factor = this.ledgers.decay.factor(this.#asOf);
    let looked = 0;
    for (let day = this.#days.from; day <= this.#days.to; day++) {
      looked++;
      const table = this.#creatives.dayOf(day);
      if (table === undefined) continue;
      table.chain(Infinity);
      const { minutes, numbers, sum } = table;
      for (let row = table.head(creative); row !== 0; row = table.next(row - 1)) {
        looked++;
        const at = (row - 1) * CELL_WIDTH;
        const figures = this.#figuresOf(numbers[at + CELL.account]!);
        if (figures === null) continue;
        const contact = numbers[at + CELL.contact]!;
        const clicks = numbers[at + CELL.clicks]!;
        figures.impressions += numbers[at + CELL.impressions]!;
        figures.clicks += clicks;
        figures.touches += numbers[at + CELL.touches]!;
        figures.minutes += minutes[row - 1]!;
        figures.points += this.#multiplier(contact) * sum[row - 1]! * factor;
        if (contact !== 0) this.#see(contact - 1, clicks > 0, figures);
      }
    }
    for (const { account, contact, excess } of this.#ahead.get(creative) ?? []) {
      const figures = this.#figuresOf(account);
      if (figures !== null) figures.points -= this.#multiplier(contact) * excess * factor;
    }
    return looked;
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
    if (this.#passes[account] === UNKNOWN) this.#passes[account] = this.#test(this.ledgers, account) ? PASSES : PASSES + 1;
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

/** A touch dated ahead counts at age 0 until its time comes; the sums have it grow above its worth. */
function aheadOf({ ahead, decay }: PartitionLedgers, { from, to }: DayRange, asOf: number) {
  const byCreative = new Map<number, { account: number; contact: number; excess: number }[]>();
  for (let row = 1; row <= ahead.count; row++) {
    const occurredAt = ahead.occurredAt[row]!;
    const creative = ahead.creative[row]!;
    if (occurredAt <= asOf || creative === 0 || dayOf(occurredAt) < from || dayOf(occurredAt) > to) continue;
    const excess = ahead.worth[row]! * (decay.weight(occurredAt) - decay.weight(asOf));
    const known = byCreative.get(creative);
    const one = { account: ahead.accountOf(row), contact: ahead.contact[row]!, excess };
    if (known === undefined) byCreative.set(creative, [one]);
    else known.push(one);
  }
  return byCreative;
}
