import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
import type { AccountScore } from '@touchstone/codec';
import { expect, test } from 'vitest';
import { ToldScores } from './told-scores.ts';

const REMEMBERED = 100;

function scoreOf(accountId: string, version: number): AccountScore {
  return { accountId, version, modelVersion: 'm', asOf: version, points: 0, score: 0, engaged: false, contacts: 0, lastTouchAt: null };
}

test('of the accounts told last no score is told that is not newer, and all others are, however many accounts there are', () => {
  const set = new LedgerSet();
  set.replace([new PartitionLedgers(0, defaultModel)]);
  const told = new ToldScores(set, REMEMBERED);
  const last: AccountScore[] = [];
  const wrong: unknown[] = [];
  for (let version = 1; version <= 20 * REMEMBERED; version++) {
    const score = scoreOf(`account-${(version * 7) % (3 * REMEMBERED)}`, version);
    if (!told.isNews(0, score)) wrong.push(['not told', score]);
    last.push(score);
    // To ask is to remember: half of what is kept at least is what was told.
    const earlier = last.at(-1 - ((version * 13) % Math.min(version, REMEMBERED / 2)))!;
    if (told.isNews(0, earlier)) wrong.push(['told again', earlier]);
  }
  expect(wrong).toEqual([]);
});

test('what was told long ago is news again, as long as the ledger is no newer', () => {
  const set = new LedgerSet();
  const ledgers = new PartitionLedgers(0, defaultModel);
  set.replace([ledgers]);
  const told = new ToldScores(set, 2);
  const tell = (accountId: string, version: number): boolean => told.isNews(0, scoreOf(accountId, version));
  expect(tell('first', 1)).toBe(true);
  for (let i = 0; i < 5; i++) tell(`other-${i}`, 1);
  // Its ledger is not known here, so nothing says that it is old: memory is bounded.
  expect(tell('first', 1)).toBe(true);
  expect(tell('first', 1)).toBe(false);
});
