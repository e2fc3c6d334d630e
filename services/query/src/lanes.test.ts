import { describe, expect, it } from 'vitest';
import { Lanes } from './lanes.ts';

describe('lanes', () => {
  it('let so many go at a time, the others in turn, and send away who is too many', async () => {
    const lanes = new Lanes({ lanes: 2, waitingMax: 2 });
    const begun: number[] = [];
    const steps = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const runs = steps.map(({ promise }, i) =>
      lanes.run(() => {
        begun.push(i);
        return promise;
      }),
    );
    await expect(lanes.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'unavailable', headers: { 'retry-after': '1' } });
    expect(begun).toEqual([0, 1]);
    steps[1]!.reject(new Error('it fails'));
    await expect(runs[1]).rejects.toThrow('it fails');
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of steps) resolve();
    await Promise.all([runs[0], runs[2], runs[3]]);
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(await lanes.run(() => Promise.resolve('free'))).toBe('free');
  });
});
