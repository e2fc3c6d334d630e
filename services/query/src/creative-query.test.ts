import { LedgerSet, PartitionLedgers, defaultModel } from '@touchstone/engine';
import { expect, it } from 'vitest';
import { daysOf } from './creative-query.ts';

it('of days before those that are kept, says of which parameter it can be helped', () => {
  const set = new LedgerSet();
  set.replace([new PartitionLedgers(0, defaultModel, undefined, 10)]);
  const asOf = Date.UTC(2026, 5, 20, 12);
  expect(() => daysOf(set, { to: '2026-01-01' }, asOf)).toThrow('to must be 2026-06-11 or later');
  expect(() => daysOf(set, { from: '2026-06-15', to: '2026-06-12' }, asOf)).toThrow('from must not be after to');
  expect(() => daysOf(set, { from: '2026-01-01' }, asOf)).toThrow('from must be 2026-06-11 or later');
});
