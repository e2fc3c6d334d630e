import { describe, expect, it } from 'vitest';
import { BlockGate } from './block-gate.ts';

describe('a gate that is kept shut to a partition', () => {
  it.each(['ended', 'failed'])('lets the others pass when its step is over, and that one when what it waits for has %s', async (how) => {
    const gate = new BlockGate();
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    const passed: number[] = [];
    const blocks = gate
      .whileShut(async () => {
        gate.keepShutTo(1, promise);
      })
      .then(() => undefined);
    const waiting = [1, 2].map(async (partition) => {
      await gate.pass(partition);
      passed.push(partition);
    });
    await blocks;
    await waiting[1];
    expect([passed, gate.isShutTo(1), gate.isShutTo(2)]).toEqual([[2], true, false]);
    if (how === 'ended') resolve();
    else {
      reject(new Error('what it waits for failed'));
      await expect(promise).rejects.toThrow('failed');
    }
    await waiting[0];
    expect(passed).toEqual([2, 1]);
    await gate.pass(1);
  });

  it('stands so through a snapshot of the partition, which waits for it', async () => {
    const gate = new BlockGate();
    const looks = Promise.withResolvers<void>();
    const snapshot = Promise.withResolvers<void>();
    const happened: string[] = [];
    await gate.whileShut(async () => gate.keepShutTo(1, looks.promise));
    const taken = gate.whileShutTo(1, async () => {
      happened.push('snapshot begins');
      await snapshot.promise;
      happened.push('snapshot ends');
    });
    const block = gate.pass(1).then(() => happened.push('block'));
    snapshot.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(happened).toEqual([]);
    looks.resolve();
    await Promise.all([taken, block]);
    expect(happened).toEqual(['snapshot begins', 'snapshot ends', 'block']);
  });

  it('stands so when it is kept shut once more before the first wait is over', async () => {
    const gate = new BlockGate();
    const snapshot = Promise.withResolvers<void>();
    const looks = Promise.withResolvers<void>();
    const happened: string[] = [];
    const taken = gate.whileShutTo(1, () => snapshot.promise);
    const held = gate.whileShut(async () => {
      happened.push('held');
      gate.keepShutTo(1, looks.promise);
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(happened).toEqual([]);
    snapshot.resolve();
    await Promise.all([taken, held]);
    const block = gate.pass(1).then(() => happened.push('block'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(happened).toEqual(['held']);
    looks.resolve();
    await block;
  });
});
