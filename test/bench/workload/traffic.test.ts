import { describe, expect, test } from 'vitest';
import { Traffic } from './traffic.ts';

const NOW = Date.UTC(2026, 0, 15);
const WORLD = { accounts: 1000, contacts: 14_000, seed: 1 };

function take(count: number, world = WORLD) {
  const traffic = new Traffic(world);
  return Array.from({ length: count }, () => traffic.next(NOW));
}

describe('traffic', () => {
  test('is the same for the same seed, and has other ids for another', () => {
    expect(take(100)).toEqual(take(100));
    const ids = [...take(1000), ...take(1000, { ...WORLD, seed: 2 })].map(({ id }) => id);
    expect(new Set(ids).size).toBe(2000);
  });

  test('goes to accounts by their rank: the first gets twice what the second gets, and a thousand times the last', () => {
    const counts = Map.groupBy(take(200_000), ({ accountId }) => accountId);
    const share = (rank: number): number => counts.get(`account-${rank.toString().padStart(5, '0')}`)!.length / 200_000;
    // 1 / (1 + 1/2 + ... + 1/1000)
    expect(share(0)).toBeCloseTo(0.1336, 2);
    expect(share(1)).toBeCloseTo(0.0668, 2);
    expect(share(9)).toBeCloseTo(0.0134, 2);
  });

  test('comes from about as many contacts as there are', () => {
    const contacts = new Set(take(400_000).map(({ contactId }) => contactId));
    expect(contacts.size).toBeGreaterThan(12_000);
    expect(contacts.size).toBeLessThan(14_500);
  });

  test('is late now and then, never ahead, and within what a server takes', () => {
    const ages = take(50_000).map(({ occurredAt }) => NOW - occurredAt);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ages)).toBeLessThan(72 * 3_600_000);
    const late = ages.filter((age) => age > 60_000).length / ages.length;
    expect(late).toBeCloseTo(0.02, 2);
  });
});
