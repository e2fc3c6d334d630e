import { fc, test } from '@fast-check/vitest';
import { EntryRun, historyArbitrary } from '@touchstone/testkit';
import { describe, expect } from 'vitest';
import { defaultModel } from './default-model.ts';
import { LedgerSet } from './ledger-set.ts';
import { PartitionLedgers } from './ledgers.ts';
import { ACCOUNT_ORDERS, listAccounts, type ListedAccount, type ListPosition } from './list-accounts.ts';

const PARTITIONS = 3;
const history = historyArbitrary({
  models: false,
  steps: { min: 1, max: 80 },
  partitions: { count: PARTITIONS, of: (key) => key.length % PARTITIONS },
});

function setOf(entries: ConstructorParameters<typeof EntryRun>[1]): LedgerSet {
  const set = new LedgerSet();
  const all = Array.from({ length: PARTITIONS }, (_, partition) => {
    const ledgers = new PartitionLedgers(partition, defaultModel);
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
});
