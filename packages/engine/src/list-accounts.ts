import type { QualificationView } from './alerts/qualification.ts';
import type { AccountFact } from './fact.ts';
import type { LedgerSet } from './ledger-set.ts';
import type { PartitionLedgers } from './ledgers.ts';
import { pointsOrNone, scoreOf } from './score.ts';
import { engagementOf, pointsOf } from './view.ts';

export const ACCOUNT_ORDERS = ['-score', 'score', '-lastTouchAt', 'lastTouchAt', 'accountId', '-accountId'] as const;
export type AccountOrder = (typeof ACCOUNT_ORDERS)[number];

/** What a listed account must meet; what is not given is not asked. */
export interface AccountFilter {
  readonly minScore?: number;
  readonly maxScore?: number;
  readonly engaged?: boolean;
  readonly targetList?: boolean;
  readonly tier?: string;
  readonly owner?: string;
  readonly industry?: string;
  /** Beginning of the id or of the name, in any case. */
  readonly search?: string;
  /** Id of a stage; '' for accounts in none. */
  readonly stage?: string;
  readonly qualified?: boolean;
  /** What the CRM says of it beside all that: each name must have this value. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Only accounts that miss one criterion of the qualification, or only contacts. */
  readonly near?: true;
}

/** Where a page ended: the sort key and id of its last account. */
export interface ListPosition {
  readonly key: number | string;
  readonly accountId: string;
}

export interface ListedAccount {
  readonly accountId: string;
  /** Epoch milliseconds. */
  readonly asOf: number;
  readonly score: number;
  readonly points: number;
  readonly engaged: boolean;
  readonly contacts: number;
  readonly knownContacts: number;
  /** Epoch milliseconds; null before the first touch. */
  readonly lastTouchAt: number | null;
  readonly version: number;
  readonly modelVersion: string;
  readonly fact: AccountFact | null;
  /** Null for none, and while another model has taken over and the account is not looked at under it yet. */
  readonly stage: string | null;
  /** Null where the model has no qualification, and as `stage`. */
  readonly qualified: boolean | null;
  /** Of the qualification, where only those near it are asked for. */
  readonly near: NearMiss | null;
}

/** What of a qualification is met and what is missing. */
export type NearMiss = Pick<QualificationView, 'met' | 'missing' | 'lacksContacts'>;

export interface ListOptions {
  readonly filter: AccountFilter;
  readonly order: AccountOrder;
  readonly limit: number;
  readonly after: ListPosition | null;
  /** Epoch ms; the page after one asked at an instant asks for the same instant. */
  readonly asOf: number;
}

interface Candidate {
  readonly ledgers: PartitionLedgers;
  readonly account: number;
  readonly key: number | string;
  accountId: string | null;
}

/**
 * The first `limit` accounts in an order, after a position: one look at every account, and a short sorted list of the best so far. Ties go by
 * account id, so that pages neither repeat nor skip.
 *
 * Budget of an account that is not on the page: a few nanoseconds, so that a million of them take no longer than a turn of the event loop may.
 * By score that is one product and one comparison: in a partition all sums are decayed by one factor. Only accounts with touches dated ahead
 * and those that changed after the instant need more.
 */
export function listAccounts(set: LedgerSet, options: ListOptions): { accounts: ListedAccount[]; next: ListPosition | null } {
  const page = new Page(options);
  for (const ledgers of set.partitions) {
    if (options.order.endsWith('score')) offerByPoints(page, ledgers, options.asOf);
    else if (options.order.endsWith('lastTouchAt')) offerByLastTouch(page, ledgers);
    else offerByAccountId(page, ledgers);
  }
  return page.finish();
}

function offerByPoints(page: Page, ledgers: PartitionLedgers, asOf: number): void {
  const { ahead, changedAt, size, sum } = ledgers.accounts;
  const factor = ledgers.decay.factor(asOf);
  const areAllPlain = ledgers.now <= asOf && ledgers.ahead.count === 0;
  for (let account = 0; account < size; account++) {
    const isPlain = areAllPlain || (ahead[account] === 0 && changedAt[account]! <= asOf);
    const points = isPlain ? pointsOrNone(sum[account]! * factor) : pointsOf(ledgers, account, instantFor(ledgers, account, asOf));
    if (points >= page.least && points <= page.most) page.offer(ledgers, account, points);
  }
}

function offerByLastTouch(page: Page, ledgers: PartitionLedgers): void {
  const { lastTouchAt, size } = ledgers.accounts;
  for (let account = 0; account < size; account++) {
    const at = lastTouchAt[account]!;
    if (at >= page.least && at <= page.most) page.offer(ledgers, account, at);
  }
}

function offerByAccountId(page: Page, ledgers: PartitionLedgers): void {
  const { names, size } = ledgers.accounts;
  for (let account = 0; account < size; account++) page.offer(ledgers, account, names.text(account));
}

/** The best accounts so far. */
class Page {
  /** A number outside of these is on no page: it comes before the position asked for, or after what was found. */
  least = -Infinity;
  most = Infinity;
  readonly #best: Candidate[] = [];
  readonly #options: ListOptions;
  readonly #isDescending: boolean;

  constructor(options: ListOptions) {
    this.#options = options;
    this.#isDescending = options.order.startsWith('-');
    const from = options.after?.key;
    if (typeof from !== 'number') return;
    if (this.#isDescending) this.most = from;
    else this.least = from;
  }

  offer(ledgers: PartitionLedgers, account: number, key: number | string): void {
    const { after, limit } = this.#options;
    const worst = this.#best.length > limit ? this.#best.at(-1)! : null;
    // By id most accounts end here, before anything is made for them.
    if (worst !== null && (this.#isDescending ? key < worst.key : key > worst.key)) return;
    const candidate = { ledgers, account, key, accountId: null };
    if (worst !== null && !this.#comesBefore(candidate, worst)) return;
    if (after !== null && !this.#comesBefore(after, candidate)) return;
    if (!meets(ledgers, account, this.#options)) return;
    this.#insert(candidate);
    // One more than asked for is kept: it tells whether there is a next page.
    if (this.#best.length <= limit) return;
    if (this.#best.length > limit + 1) this.#best.pop();
    const { key: last } = this.#best.at(-1)!;
    if (typeof last !== 'number') return;
    if (this.#isDescending) this.least = last;
    else this.most = last;
  }

  finish(): { accounts: ListedAccount[]; next: ListPosition | null } {
    const { limit } = this.#options;
    const page = this.#best.slice(0, limit);
    const last = this.#best.length > limit ? page.at(-1) : undefined;
    return {
      accounts: page.map(({ ledgers, account }) => listed(ledgers, account, this.#options)),
      next: last === undefined ? null : { key: last.key, accountId: idOf(last) },
    };
  }

  #comesBefore(a: Placed, b: Placed): boolean {
    if (a.key !== b.key) return this.#isDescending ? a.key > b.key : a.key < b.key;
    return idOf(a) < idOf(b);
  }

  #insert(candidate: Candidate): void {
    let low = 0;
    let high = this.#best.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#comesBefore(this.#best[middle]!, candidate)) low = middle + 1;
      else high = middle;
    }
    this.#best.splice(low, 0, candidate);
  }
}

type Placed = Candidate | ListPosition;

function idOf(place: Placed): string {
  if ('ledgers' in place) return (place.accountId ??= place.ledgers.accounts.names.text(place.account));
  return place.accountId;
}

/** An account that changed after the instant of the list is listed as of its change: what came later can not be taken back out of it. */
function instantFor({ accounts }: PartitionLedgers, account: number, asOf: number): number {
  return Math.max(asOf, accounts.changedAt[account]!);
}

/** Whether an account is one of those that a filter asks for. */
export function meets(ledgers: PartitionLedgers, account: number, { filter, asOf }: Pick<ListOptions, 'asOf' | 'filter'>): boolean {
  const { attributes, minScore, maxScore, engaged, targetList, tier, owner, industry, search, stage, qualified, near } = filter;
  if (minScore !== undefined || maxScore !== undefined) {
    const score = scoreOf(pointsOf(ledgers, account, instantFor(ledgers, account, asOf)), ledgers.model.halfScorePoints);
    if (score < (minScore ?? 0) || score > (maxScore ?? 100)) return false;
  }
  const fact = ledgers.accounts.facts.get(account);
  if (targetList !== undefined && (fact?.targetList ?? false) !== targetList) return false;
  if (tier !== undefined && fact?.tier !== tier) return false;
  if (owner !== undefined && fact?.owner !== owner) return false;
  if (industry !== undefined && fact?.industry !== industry) return false;
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (fact === undefined || !Object.hasOwn(fact.attributes, name) || fact.attributes[name] !== value) return false;
  }
  if (search !== undefined) {
    const start = search.toLowerCase();
    const isFound = [ledgers.accounts.names.text(account), fact?.name ?? ''].some((text) => text.toLowerCase().startsWith(start));
    if (!isFound) return false;
  }
  // Where it stands is not known: it is neither in a stage nor in none.
  if ((stage !== undefined || qualified !== undefined) && ledgers.alerts.owesLook(account)) return false;
  if (stage !== undefined && (ledgers.alerts.stageInModelOf(account) ?? '') !== stage) return false;
  if (qualified !== undefined && ledgers.alerts.isQualified(account) !== qualified) return false;
  const instant = instantFor(ledgers, account, asOf);
  if (engaged !== undefined && engagementOf(ledgers, account, instant).engaged !== engaged) return false;
  return near === undefined || ledgers.alerts.near(account, instant)?.isNear === true;
}

function listed(ledgers: PartitionLedgers, account: number, { asOf: listAsOf, filter }: ListOptions): ListedAccount {
  const { accounts, alerts, model } = ledgers;
  const asOf = instantFor(ledgers, account, listAsOf);
  const points = pointsOf(ledgers, account, asOf);
  const engagement = engagementOf(ledgers, account, asOf);
  return {
    accountId: accounts.names.text(account),
    asOf,
    score: scoreOf(points, model.halfScorePoints),
    points,
    engaged: engagement.engaged,
    contacts: engagement.contacts,
    knownContacts: accounts.contactCount[account]!,
    lastTouchAt: accounts.lastTouch(account),
    version: accounts.version[account]!,
    modelVersion: model.version,
    fact: accounts.facts.get(account) ?? null,
    ...alerts.membershipOf(account),
    near: filter.near === undefined ? null : alerts.near(account, asOf),
  };
}
