import { describe, expect, it } from 'vitest';
import { hourOf, type Digest } from './digest.ts';
import { messageOf } from './take-alerts.ts';
import { alertOf } from './test-alerts.ts';
import { TestWorld } from './test-world.ts';

const HOUR = 3_600_000;

describe('digests', () => {
  it.each([
    ['two owners in turn', (i: number) => (i % 2 === 0 ? 'ann' : 'bo'), { ann: 10_500, bo: 10_500 }],
    ['one owner alone', () => 'ann', { ann: 21_000 }],
  ])('are one for each owner, however much was held back: %s', async (_, ownerOf, totals) => {
    const world = new TestWorld();
    await world.addEndpoint('slack', { kind: 'slack' });
    const takenAt = hourOf(world.scheduler.now()) - HOUR;
    const held = Array.from({ length: 21_000 }, (__, i) => {
      const alert = alertOf({ id: `alr_${i}`, owner: ownerOf(i), at: takenAt + (i % 7) });
      return messageOf(alert, 'ep_slack', 'held', takenAt + i);
    });
    await world.store.saveDeliveries(held);
    await world.notifier.start(world.topic);
    await world.scheduler.advance(60_000);
    const digests = world.store.rows.filter(({ kind }) => kind === 'digest').map(({ payload }) => JSON.parse(payload) as Digest);
    expect(digests).toHaveLength(Object.keys(totals).length);
    expect(Object.fromEntries(digests.map(({ owner, total }) => [owner, total]))).toEqual(totals);
    expect(world.store.rows.filter(({ state }) => state === 'held')).toEqual([]);
    expect(world.faults).toEqual([]);
  });
});
