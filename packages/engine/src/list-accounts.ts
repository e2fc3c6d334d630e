import type { AccountFact } from './fact.ts';
import type { LedgerSet } from './ledger-set.ts';
import type { PartitionLedgers } from './ledgers.ts';
import { scoreOf } from './score.ts';
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
}

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
 */
export function listAccounts(set: LedgerSet, options: ListOptions): { accounts: ListedAccount[]; next: ListPosition | null } {
  const best: Candidate[] = [];
  const descending = options.order.startsWith('-');
  const comesBefore = comparison(descending);
  for (const ledgers of set.partitions) {
    for (let account = 0; account < ledgers.accounts.size; account++) {
      const key = sortKey(ledgers, account, options);
      const worst = best.length > options.limit ? best.at(-1)! : null;
      // Most accounts end here, before anything is made for them.
      if (worst !== null && (descending ? key < worst.key : key > worst.key)) continue;
      const candidate = { ledgers, account, key, accountId: null };
      if (worst !== null && !comesBefore(candidate, worst)) continue;
      if (options.after !== null && !comesBefore(options.after, candidate)) continue;
      if (!meets(ledgers, account, options)) continue;
      insert(best, candidate, comesBefore);
      // One more than asked for is kept: it tells whether there is a next page.
      if (best.length > options.limit + 1) best.pop();
    }
  }
  const page = best.slice(0, options.limit);
  const last = best.length > options.limit ? page.at(-1) : undefined;
  return {
    accounts: page.map(({ ledgers, account }) => listed(ledgers, account, options.asOf)),
    next: last === undefined ? null : { key: last.key, accountId: idOf(last) },
  };
}

type Placed = Candidate | ListPosition;

function idOf(place: Placed): string {
  if ('ledgers' in place) return (place.accountId ??= place.ledgers.accounts.names.text(place.account));
  return place.accountId;
}

function comparison(descending: boolean): (a: Placed, b: Placed) => boolean {
  return (a, b) => {
    if (a.key !== b.key) return descending ? a.key > b.key : a.key < b.key;
    return idOf(a) < idOf(b);
  };
}

function sortKey(ledgers: PartitionLedgers, account: number, { order, asOf }: ListOptions): number | string {
  if (order === '-score' || order === 'score') return pointsOf(ledgers, account, instantFor(ledgers, account, asOf));
  if (order === '-lastTouchAt' || order === 'lastTouchAt') return ledgers.accounts.lastTouchAt[account]!;
  return ledgers.accounts.names.text(account);
}

/** An account that changed after the instant of the list is listed as of its change: what came later can not be taken back out of it. */
function instantFor({ accounts }: PartitionLedgers, account: number, asOf: number): number {
  return Math.max(asOf, accounts.changedAt[account]!);
}

function insert(best: Candidate[], candidate: Candidate, comesBefore: (a: Placed, b: Placed) => boolean): void {
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comesBefore(best[middle]!, candidate)) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, candidate);
}

function meets(ledgers: PartitionLedgers, account: number, { filter, asOf }: ListOptions): boolean {
  const { minScore, maxScore, engaged, targetList, tier, owner, industry, search } = filter;
  if (minScore !== undefined || maxScore !== undefined) {
    const score = scoreOf(pointsOf(ledgers, account, instantFor(ledgers, account, asOf)), ledgers.model.halfScorePoints);
    if (score < (minScore ?? 0) || score > (maxScore ?? 100)) return false;
  }
  const fact = ledgers.accounts.facts.get(account);
  if (targetList !== undefined && (fact?.targetList ?? false) !== targetList) return false;
  if (tier !== undefined && fact?.tier !== tier) return false;
  if (owner !== undefined && fact?.owner !== owner) return false;
  if (industry !== undefined && fact?.industry !== industry) return false;
  if (search !== undefined) {
    const start = search.toLowerCase();
    const isFound = [ledgers.accounts.names.text(account), fact?.name ?? ''].some((text) => text.toLowerCase().startsWith(start));
    if (!isFound) return false;
  }
  return engaged === undefined || engagementOf(ledgers, account, instantFor(ledgers, account, asOf)).engaged === engaged;
}

function listed(ledgers: PartitionLedgers, account: number, listAsOf: number): ListedAccount {
  const { accounts, model } = ledgers;
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
  };
}
