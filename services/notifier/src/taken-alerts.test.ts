import { describe, expect, it } from 'vitest';
import { TakenAlerts } from './taken-alerts.ts';
import { alertOf, NOON } from './test-alerts.ts';

const read = (id: string, at: number, appendedAt: number, partition = 0) => ({ alert: alertOf({ id, at, partition }), appendedAt });

describe('an alert surely has no message yet', () => {
  it('when it happened after the first block that was read here, and was not read here', () => {
    const taken = new TakenAlerts();
    expect(taken.take([read('a', NOON, NOON)])).toEqual([false]);
    // Clocks of brokers differ a little.
    expect(taken.take([read('b', NOON + 4999, NOON + 9000), read('c', NOON + 5000, NOON + 9000)])).toEqual([false, true]);
    expect(taken.take([read('c', NOON + 5000, NOON + 10_000), read('d', NOON + 6000, NOON + 10_000)])).toEqual([false, true]);
  });

  it('by partition: what stood in another before was told or not, who knows', () => {
    const taken = new TakenAlerts();
    taken.take([read('a', NOON, NOON)]);
    expect(taken.take([read('b', NOON + 60_000, NOON + 60_000, 1), read('c', NOON + 60_000, NOON + 60_000)])).toEqual([false, true]);
  });

  it('not after the partition was elsewhere', () => {
    const taken = new TakenAlerts();
    taken.take([read('a', NOON, NOON)]);
    taken.forget(0);
    expect(taken.take([read('b', NOON + 60_000, NOON + 60_000)])).toEqual([false]);
    expect(taken.take([read('c', NOON + 65_000, NOON + 65_000)])).toEqual([true]);
  });

  it('not while so many ids were forgotten that it might be one of them', () => {
    const taken = new TakenAlerts(2);
    taken.take([read('a', NOON, NOON)]);
    const later = NOON + 60_000;
    expect(taken.take(['b', 'c', 'd'].map((id) => read(id, later, later)))).toEqual([true, true, true]);
    expect(taken.take([read('b', later, later + 1)])).toEqual([false]);
  });
});
