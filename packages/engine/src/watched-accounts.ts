import { AccountCounts } from './account-counts.ts';
import type { Accounts } from './columns/accounts.ts';
import type { Contacts } from './columns/contacts.ts';
import type { PartitionLedgers } from './ledgers.ts';
import { hourOf } from './time-slots.ts';
import type { TouchBatch } from './touch-batch.ts';
import { countAccount, countCells, figuresFrom, figuresOf, type AccountFigures } from './view.ts';

/** Accounts of a partition that are watched at once: some 5 kB each. */
const ACCOUNTS_MAX = 512;
/** An account with fewer contacts is counted anew in a few microseconds. */
const CONTACTS_MIN = 16;
/** With more kinds a partition's counts would take too much; few have a tenth of that. */
const KINDS_MAX = 64;
/** So many contacts with new touches since the last reader: who reads so rarely can as well have everything counted anew. */
const OUT_MAX = 256;

interface Watched {
  readonly counts: AccountCounts;
  /** Contacts whose part is taken out of the counts, as a touch has changed what they come to: the next reader puts them in as they are then. */
  readonly out: Set<number>;
  areCellsStale: boolean;
}

interface TouchedColumns {
  readonly accounts: Accounts;
  readonly contacts: Contacts;
}

/**
 * The large accounts that are read, whose counts follow their touches within the hour: who reads one again has its figures for the price of what came
 * since, where its contacts are hundreds or thousands. The figures are those of `figuresOf`, to the last bit.
 *
 *     read: counted ──touch: its contact taken out, its cell added to──> read: contacts that are out put in again
 *       ^                        │ a fact, another hour, too many out
 *       └────────────────────────┘ no more watched, until the next read
 */
export class WatchedAccounts {
  readonly #byAccount = new Map<number, Watched>();
  /** Whether an account, by row, is watched: one look for each touch. */
  #isWatched = new Uint8Array(0);

  /** @param asOf as for `pointsOf` */
  figuresOf(ledgers: PartitionLedgers, account: number, asOf: number): AccountFigures {
    if (ledgers.accounts.contactCount[account]! < CONTACTS_MIN) return figuresOf(ledgers, account, asOf);
    const watched = this.#byAccount.get(account);
    if (watched === undefined || watched.counts.hour !== hourOf(asOf)) return this.#watch(ledgers, account, asOf);
    const { counts, out } = watched;
    for (const contact of out) counts.addContact(ledgers.contacts, contact, 1);
    out.clear();
    if (watched.areCellsStale) {
      counts.clearCells();
      countCells(counts, ledgers, account);
      watched.areCellsStale = false;
    }
    return figuresFrom(counts, ledgers, account, asOf);
  }

  /** Before touches of a batch, from one place to before another, come into the columns that are counted. */
  expectTouches(columns: TouchedColumns, batch: TouchBatch, from: number, to: number): void {
    if (this.#byAccount.size === 0) return;
    const isWatched = this.#isWatched;
    const { account } = batch;
    for (let i = from; i < to; i++) {
      const row = account[i]!;
      if (row < isWatched.length && isWatched[row] === 1) this.#expectTouch(columns, batch, i);
    }
  }

  /** Something else than a touch came of the account. */
  drop(account: number): void {
    if (this.#byAccount.delete(account)) this.#isWatched[account] = 0;
  }

  dropAll(): void {
    this.#byAccount.clear();
    this.#isWatched.fill(0);
  }

  #expectTouch({ contacts }: TouchedColumns, batch: TouchBatch, i: number): void {
    const account = batch.account[i]!;
    const contact = batch.contact[i]!;
    const day = batch.day[i]!;
    const hour = batch.hour[i]!;
    const kind = batch.kind[i]!;
    const minutes = batch.minutes[i]!;
    const now = batch.now[i]!;
    const watched = this.#byAccount.get(account)!;
    const { counts, out } = watched;
    // Within its hour whatever has a cell is no older than what is counted, and the other way round.
    if (hourOf(now) > counts.hour || out.size >= OUT_MAX || kind >= KINDS_MAX) {
      this.drop(account);
      return;
    }
    if (contact >= 0 && !out.has(contact)) {
      counts.addContact(contacts, contact, -1);
      out.add(contact);
    }
    counts.addToDay(kind, day, minutes);
    counts.addToHour(kind, hour, minutes);
    if (!counts.areMinutesExact && minutes !== 0) watched.areCellsStale = true;
  }

  #watch(ledgers: PartitionLedgers, account: number, asOf: number): AccountFigures {
    const former = this.#byAccount.get(account);
    const counts = former?.counts ?? new AccountCounts();
    countAccount(counts, ledgers, account, asOf);
    if (former !== undefined) this.drop(account);
    if (ledgers.kinds.count <= KINDS_MAX) this.#add(account, counts, ledgers.accounts.size);
    return figuresFrom(counts, ledgers, account, asOf);
  }

  #add(account: number, counts: AccountCounts, accounts: number): void {
    if (this.#byAccount.size === ACCOUNTS_MAX) {
      const [oldest] = this.#byAccount.keys();
      this.drop(oldest!);
    }
    if (account >= this.#isWatched.length) {
      const more = new Uint8Array(accounts * 2);
      more.set(this.#isWatched);
      this.#isWatched = more;
    }
    this.#byAccount.set(account, { counts, out: new Set(), areCellsStale: false });
    this.#isWatched[account] = 1;
  }
}
