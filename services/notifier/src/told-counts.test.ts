import type { DeliveryRow, OwnerCount } from '@touchstone/store';
import { describe, expect, it } from 'vitest';
import { NOON } from './test-alerts.ts';
import { ToldCounts } from './told-counts.ts';

const HOUR = 3_600_000;
const row = (endpointId: string, owner: string | null, state = 'pending') => ({ endpointId, owner, state }) as DeliveryRow;

describe('what owners were told', () => {
  it('is read once, counted here, and read again after five seconds, in another hour, or for another endpoint', async () => {
    const asked: [readonly string[], number][] = [];
    let stored: OwnerCount[] = [{ endpointId: 'ep_1', owner: 'bo', told: 2 }];
    const told = new ToldCounts(async (endpointIds, from) => {
      asked.push([endpointIds, from]);
      return stored;
    });
    expect(await told.of(['ep_1'], NOON + 1)).toEqual(stored);
    told.add([row('ep_1', 'bo'), row('ep_1', 'bo', 'held'), row('ep_1', null), row('ep_2', 'bo')]);
    expect(await told.of(['ep_1'], NOON + 2)).toEqual([
      { endpointId: 'ep_1', owner: 'bo', told: 3 },
      { endpointId: 'ep_1', owner: null, told: 1 },
    ]);
    expect(asked).toEqual([[['ep_1'], NOON]]);
    stored = [{ endpointId: 'ep_1', owner: 'bo', told: 7 }];
    // What was told here and is not stored yet still counts.
    const unsaved = { endpointId: 'ep_1', owner: null, told: 1 };
    expect(await told.of(['ep_1'], NOON + 5001)).toEqual([...stored, unsaved]);
    stored = [{ endpointId: 'ep_1', owner: 'bo', told: 6 }];
    expect(await told.of(['ep_1'], NOON + 11_000)).toEqual([{ endpointId: 'ep_1', owner: 'bo', told: 7 }, unsaved]);
    await told.of(['ep_2'], NOON + 11_001);
    expect(asked.slice(1)).toEqual([
      [['ep_1'], NOON],
      [['ep_1'], NOON],
      [['ep_1', 'ep_2'], NOON],
    ]);
    stored = [];
    expect(await told.of(['ep_1'], NOON + HOUR)).toEqual([]);
    expect(asked.at(-1)).toEqual([['ep_1'], NOON + HOUR]);
  });
});
