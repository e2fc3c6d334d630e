import { fc, test } from '@fast-check/vitest';
import { EntryRun, historyArbitrary } from '@touchstone/testkit';
import { describe, expect } from 'vitest';
import { defaultModel } from './default-model.ts';
import type { AccountFact } from './fact.ts';
import { LedgerSet } from './ledger-set.ts';
import { PartitionLedgers } from './ledgers.ts';
import {
  ACCOUNT_ORDERS,
  listAccounts,
  type AccountFilter,
  type ListedAccount,
  type ListOptions,
  type ListPosition,
} from './list-accounts.ts';
import type { ScoringModel } from './model.ts';
import { RescoredSums } from './rescored-sums.ts';
import { scoreOf } from './score.ts';
import { engagementOf, pointsOf } from './view.ts';

const PARTITIONS = 3;
const history = historyArbitrary({
  models: false,
  steps: { min: 1, max: 80 },
  partitions: { count: PARTITIONS, of: (key) => key.length % PARTITIONS },
});

/** Some kinds take points away, and many are worth nothing: ties, and points below and at 0. */
const model: ScoringModel = {
  ...defaultModel,
  stages: [{ id: 'aware' }, { id: 'sales' }],
  qualification: {
    atLeast: 2,
    of: [
      { metric: 'score', atLeast: 5 },
      { metric: 'touches.90d', atLeast: 2 },
    ],
    minContacts: 2,
    actNow: [],
    actNowDays: 30,
  },
  rules: defaultModel.rules
    .filter((_, i) => i % 3 === 1)
    .map((rule, i) => (i % 2 === 1 ? { ...rule, points: -rule.points, pointsPerMinute: 0 } : rule)),
};

function setOf(entries: ConstructorParameters<typeof EntryRun>[1]): LedgerSet {
  const set = new LedgerSet();
  const all = Array.from({ length: PARTITIONS }, (_, partition) => {
    const ledgers = new PartitionLedgers(partition, model);
    // Where accounts stand is told below.
    ledgers.alerts.forgetTransitions();
    const run = new EntryRun(
      partition,
      entries.filter((entry) => entry.partition === partition),
    );
    while (run.next()) ledgers.apply(run, false);
    return ledgers;
  });
  set.replace(all);
  return set;
}

/** The plain way: every account by itself, all of them sorted, the page cut out. */
function plainList(set: LedgerSet, { after, asOf, filter, limit, order }: ListOptions): ReturnType<typeof listAccounts> {
  const all = [...set.partitions].flatMap((ledgers) => {
    const { accounts, alerts, model: inForce } = ledgers;
    return Array.from({ length: accounts.size }, (_, account): ListedAccount => {
      const instant = Math.max(asOf, accounts.changedAt[account]!);
      const points = pointsOf(ledgers, account, instant);
      return {
        accountId: accounts.names.text(account),
        asOf: instant,
        score: scoreOf(points, inForce.halfScorePoints),
        points,
        ...engagementOf(ledgers, account, instant),
        knownContacts: accounts.contactCount[account]!,
        lastTouchAt: accounts.lastTouch(account),
        version: accounts.version[account]!,
        modelVersion: inForce.version,
        fact: accounts.facts.get(account) ?? null,
        stage: alerts.stageOf(account),
        qualified: alerts.isQualified(account),
        near: filter.near === undefined ? null : alerts.near(account, instant),
      };
    });
  });
  const sign = order.startsWith('-') ? -1 : 1;
  const keyOf = (account: ListedAccount): number | string => {
    if (order.endsWith('score')) return account.points;
    return order.endsWith('lastTouchAt') ? (account.lastTouchAt ?? 0) : account.accountId;
  };
  const placeOf = (account: ListedAccount): ListPosition => ({ key: keyOf(account), accountId: account.accountId });
  const compare = (a: ListPosition, b: ListPosition): number => {
    if (a.key !== b.key) return a.key < b.key ? -sign : sign;
    return a.accountId < b.accountId ? -1 : Number(a.accountId > b.accountId);
  };
  const rest = all
    .filter((account) => meetsPlainly(account, filter) && (after === null || compare(after, placeOf(account)) < 0))
    .sort((a, b) => compare(placeOf(a), placeOf(b)));
  const accounts = rest.slice(0, limit);
  return { accounts, next: rest.length > limit ? placeOf(accounts.at(-1)!) : null };
}

function meetsPlainly({ accountId, engaged, fact, near, qualified, score, stage }: ListedAccount, filter: AccountFilter): boolean {
  const { maxScore = 100, minScore = 0, search = '' } = filter;
  const start = search.toLowerCase();
  return (
    score >= minScore &&
    score <= maxScore &&
    (filter.engaged === undefined || engaged === filter.engaged) &&
    (filter.targetList === undefined || (fact?.targetList ?? false) === filter.targetList) &&
    (filter.tier === undefined || fact?.tier === filter.tier) &&
    (filter.stage === undefined || (stage ?? '') === filter.stage) &&
    (filter.qualified === undefined || qualified === filter.qualified) &&
    (filter.near === undefined || isNear(near)) &&
    (accountId.toLowerCase().startsWith(start) || (fact?.name ?? '').toLowerCase().startsWith(start))
  );
}

/** By the model's qualification: two criteria of two, and two contacts. */
function isNear(near: ListedAccount['near']): boolean {
  if (near === null) return false;
  return near.met.length === 2 ? near.lacksContacts : near.met.length === 1 && !near.lacksContacts;
}

/** Gives every third account a profile, every other one a stage, and qualifies some. */
function describeSome(set: LedgerSet): void {
  for (const { accounts, alerts } of set.partitions) {
    for (let account = 0; account < accounts.size; account++) {
      const accountId = accounts.names.text(account);
      const known = { accountId, step: 1, episode: 1, isIn: true, isHeld: false, lastUpAt: 1, since: 1, heldBack: 0 };
      const stage = account % 4 < 2 ? null : account % 4 === 2 ? 'aware' : 'sales';
      if (account % 4 > 0) alerts.applyState({ ...known, family: 'stage', ruleId: 'stages', stage });
      if (account % 5 > 0) alerts.applyState({ ...known, family: 'mqa', ruleId: 'qualification', isIn: account % 5 > 2, stage: null });
    }
    for (let account = 0; account < accounts.size; account += 3) {
      const told = { name: `Company ${account}`, tier: `tier ${account % 2}`, targetList: account % 2 === 0 };
      accounts.facts.set(account, { type: 'account', id: accounts.names.text(account), updatedAt: 0, ...told } as AccountFact);
    }
  }
}

const given = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 1 });
const filters: fc.Arbitrary<AccountFilter> = fc
  .record({
    minScore: given(fc.constantFrom(0, 1, 10)),
    maxScore: given(fc.constantFrom(0, 20, 100)),
    engaged: given(fc.boolean()),
    targetList: given(fc.boolean()),
    tier: given(fc.constantFrom('tier 0', 'tier 1')),
    search: given(fc.constantFrom('a', 'Comp')),
    stage: given(fc.constantFrom('', 'aware', 'sales')),
    qualified: given(fc.boolean()),
    near: given(fc.constant(true as const)),
  })
  .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)));

/** Touches ahead of the clock, and an instant before some of the changes: what the fast way has to treat apart. */
const wildHistory = historyArbitrary({
  models: false,
  datedAhead: true,
  steps: { min: 1, max: 120 },
  partitions: { count: PARTITIONS, of: (key) => key.length % PARTITIONS },
});

describe('listed accounts', () => {
  test.prop([history, fc.constantFrom(...ACCOUNT_ORDERS), fc.integer({ min: 1, max: 4 }), fc.boolean()], { numRuns: 200 })(
    'page by page are all accounts, each once, in order',
    ({ entries, asOf }, order, limit, onlyEngaged) => {
      const set = setOf(entries);
      const filter = onlyEngaged ? { engaged: true } : {};
      const all = listAccounts(set, { filter, order, limit: 10_000, after: null, asOf }).accounts;
      const paged: ListedAccount[] = [];
      for (let after: ListPosition | null = null; ;) {
        const page = listAccounts(set, { filter, order, limit, after, asOf });
        expect(page.accounts.length).toBeLessThanOrEqual(limit);
        paged.push(...page.accounts);
        if (page.next === null) break;
        after = page.next;
      }
      expect(paged).toEqual(all);
      const everyone = listAccounts(set, { filter: {}, order, limit: 10_000, after: null, asOf }).accounts;
      expect(everyone.length).toBe(set.accountCount);
      expect(all).toEqual(onlyEngaged ? everyone.filter(({ engaged }) => engaged) : everyone);
      const field = order.replace('-', '') as 'score' | 'lastTouchAt' | 'accountId';
      const keys = all.map((account) => account[field] ?? 0);
      const sorted = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      expect(keys).toEqual(order.startsWith('-') ? sorted.toReversed() : sorted);
    },
  );

  test.prop(
    [wildHistory, fc.constantFrom(...ACCOUNT_ORDERS), fc.integer({ min: 1, max: 5 }), fc.oneof(fc.constant({}), filters), fc.nat(3)],
    {
      numRuns: 500,
    },
  )('are to the last bit those of the plain way, page by page', ({ entries, asOf }, order, limit, filter, back) => {
    const set = setOf(entries);
    describeSome(set);
    const changes = [...new Set(entries.map(({ appendedAt }) => appendedAt))].sort((a, b) => b - a);
    const instant = back === 0 ? asOf : changes[Math.min(back - 1, changes.length - 1)]!;
    for (let after: ListPosition | null = null; ;) {
      const options: ListOptions = { filter, order, limit, after, asOf: instant };
      const page = listAccounts(set, options);
      expect(page).toEqual(plainList(set, options));
      if (page.next === null) break;
      after = page.next;
    }
  });
});

test('accounts that are not looked at under a new model are in no stage, and not in none', () => {
  const entries = Array.from({ length: 6 }, (_, offset) => touchOf(offset));
  const ledgers = new PartitionLedgers(0, { ...model, version: 'former', stages: [{ id: 'former' }] });
  const run = new EntryRun(0, entries);
  while (run.next()) ledgers.apply(run, false);
  const next = new RescoredSums(ledgers, { ...model, stages: [{ id: 'next' }] });
  const again = new EntryRun(0, entries);
  while (again.next()) next.take(again);
  next.settle();
  next.position = ledgers.position;
  const set = new LedgerSet();
  set.replace([ledgers]);
  const shown = (filter: AccountFilter = {}): unknown[] => {
    const options = { filter, order: 'accountId', limit: 10, after: null, asOf: ledgers.now } as const;
    return listAccounts(set, options).accounts.map(({ modelVersion, qualified, stage }) => [modelVersion, stage, qualified]);
  };
  const times = (count: number, what: unknown): unknown[] => Array.from({ length: count }, () => what);
  expect(shown()).toEqual(times(6, ['former', 'former', false]));
  next.takeOver();
  ledgers.alerts.payLooks(2);
  const looked = [model.version, 'next', false];
  expect(shown()).toEqual([looked, looked, ...times(4, [model.version, null, null])]);
  expect([shown({ stage: 'next' }), shown({ qualified: false })]).toEqual([
    [looked, looked],
    [looked, looked],
  ]);
  expect([shown({ stage: '' }), shown({ stage: 'former' }), shown({ qualified: true })]).toEqual([[], [], []]);
  ledgers.alerts.payLooks();
  expect(shown({ stage: 'next', qualified: false })).toEqual(times(6, looked));
});

test('of whoever only hears of steps, stages of a former model are none', () => {
  const ledgers = new PartitionLedgers(0, { ...model, stages: [{ id: 'next' }] });
  ledgers.alerts.forgetTransitions();
  const run = new EntryRun(0, [touchOf(0), touchOf(1)]);
  while (run.next()) ledgers.apply(run, false);
  const state = {
    family: 'stage',
    ruleId: 'stages',
    isIn: true,
    isHeld: false,
    since: 1,
    lastUpAt: 1,
    heldBack: 0,
    step: 1,
    episode: 1,
  } as const;
  ledgers.alerts.applyState({ ...state, accountId: 'account-0', stage: 'former' });
  ledgers.alerts.applyState({ ...state, accountId: 'account-1', stage: 'next' });
  const set = new LedgerSet();
  set.replace([ledgers]);
  const shown = (filter: AccountFilter = {}): unknown[] =>
    listAccounts(set, { filter, order: 'accountId', limit: 10, after: null, asOf: ledgers.now }).accounts.map(({ stage }) => stage);
  expect([shown(), shown({ stage: 'former' }), shown({ stage: 'next' }), shown({ stage: '' })]).toEqual([
    [null, 'next'],
    [],
    ['next'],
    [null],
  ]);
});

function touchOf(offset: number): ConstructorParameters<typeof EntryRun>[1][number] {
  const at = Date.UTC(2026, 0, 1);
  const none = { contactId: null, channel: null, campaignId: null, creativeId: null, url: null, source: null, minutes: 0, properties: {} };
  const record = { id: `t-${offset}`, accountId: `account-${offset}`, kind: 'web_visit', occurredAt: at, ...none };
  return { partition: 0, offset, appendedAt: at, record };
}
