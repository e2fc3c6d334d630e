import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
import type { OutgoingRecord } from '@touchstone/event-log';
import { createMetrics, systemScheduler } from '@touchstone/runtime';
import { describe, expect, it } from 'vitest';
import { ScorePublisher } from './publish-scores.ts';

/** A publisher of one partition whose accounts each take some milliseconds of the event loop. */
function publisherOf(msOfAccount: () => number) {
  const ledgers = new PartitionLedgers(0, defaultModel);
  const set = new LedgerSet();
  set.replace([ledgers]);
  let elapsed = 0;
  const publisher = new ScorePublisher({
    job: {
      scoresTopic: 'account-scores',
      publicationOf() {
        elapsed += msOfAccount();
        return { key: new Uint8Array(1), value: new Uint8Array(1), row: null };
      },
    },
    ledgers: set,
    log: {
      async append() {
        // The disk takes as long as it likes: others have the event loop meanwhile.
        await Promise.resolve();
        elapsed += 50;
      },
    },
    metrics: createMetrics({ ofProcess: false }),
    scheduler: { ...systemScheduler, elapsed: () => elapsed },
    mayPublish: () => true,
  });
  return {
    async restAfter(changed: number): Promise<number> {
      for (let i = 0; i < changed; i++) {
        const name = Buffer.from(`account-${i}`);
        ledgers.accounts.change(ledgers.accounts.intern(name, 0, name.length), 1, 1);
      }
      await publisher.publish();
      return publisher.restMs;
    },
  };
}

describe('the rest after a publication', () => {
  it('is as many times as long as the event loop was kept, and ends a fifth of a second after the publication began', async () => {
    const { restAfter } = publisherOf(() => 0.01);
    expect(await restAfter(0)).toBe(0);
    await restAfter(100);
    expect(await restAfter(100)).toBeCloseTo(9);
    await restAfter(1000);
    expect(await restAfter(1000)).toBeCloseTo(90);
    await restAfter(2000);
    // 20 ms of work and 50 of waiting for the disk.
    expect(await restAfter(2000)).toBeCloseTo(130);
    await restAfter(20_000);
    expect(await restAfter(20_000)).toBe(0);
    expect(await restAfter(0)).toBe(0);
  });

  it('takes no notice of a single publication that was held up', async () => {
    let ms = 0.01;
    const { restAfter } = publisherOf(() => ms);
    await restAfter(100);
    ms = 1;
    expect(await restAfter(100)).toBeCloseTo(9);
    ms = 0.01;
    expect(await restAfter(100)).toBeCloseTo(9);
  });
});

const ACCOUNTS = 2500;

/** A publisher of two partitions, all of whose accounts another model has restated. */
function restated() {
  const partitions = [0, 1].map((partition) => new PartitionLedgers(partition, defaultModel));
  const set = new LedgerSet();
  set.replace(partitions);
  const change = (partition: number, account: string): void => {
    const { accounts } = partitions[partition]!;
    const name = Buffer.from(account);
    accounts.change(accounts.intern(name, 0, name.length), 1, 1);
  };
  for (let i = 0; i < ACCOUNTS; i++) change(i % 2, `account-${i}`);
  for (const { accounts } of partitions) {
    accounts.takeChanged();
    accounts.restateAll();
  }
  const appends: string[][] = [];
  const world = { onAppend: (_number: number): void => {}, lost: null as number | null };
  const publisher = new ScorePublisher({
    job: {
      scoresTopic: 'account-scores',
      publicationOf: ({ account, ledgers }) => ({ key: ledgers.accounts.names.bytes(account), value: new Uint8Array(1), row: null }),
    },
    ledgers: set,
    log: {
      async append(_topic: string, records: readonly OutgoingRecord[]) {
        await Promise.resolve();
        world.onAppend(appends.length);
        appends.push(records.map(({ key }) => Buffer.from(key!).toString()));
      },
    },
    metrics: createMetrics({ ofProcess: false }),
    scheduler: systemScheduler,
    mayPublish: (partition) => partition !== world.lost,
  });
  return { appends, change, publisher, world };
}

describe('accounts that another model has restated', () => {
  it('are published once each, and what changes meanwhile goes in front of those that are left', async () => {
    const { appends, change, publisher, world } = restated();
    world.onAppend = (number) => {
      if (number === 0) for (const account of ['account-0', 'account-2498', 'new']) change(0, account);
    };
    expect(await publisher.publish()).toEqual(new Set([0, 1]));
    expect(appends[1]!.slice(0, 3)).toEqual(['account-0', 'account-2498', 'new']);
    const published = appends.flat();
    // The one that was out already is out again.
    expect(published).toHaveLength(ACCOUNTS + 2);
    expect(new Set(published).size).toBe(ACCOUNTS + 1);
    expect(Math.max(...appends.map(({ length }) => length))).toBeLessThan(1100);
  });

  it('come again after a failure, each that is not out', async () => {
    const { appends, publisher, world } = restated();
    world.onAppend = (number) => {
      if (number === 1) throw new Error('the disk is full');
    };
    await expect(publisher.publish()).rejects.toThrow('the disk is full');
    world.onAppend = () => {};
    expect(await publisher.publish()).toEqual(new Set([0, 1]));
    const published = appends.flat();
    expect(published).toHaveLength(ACCOUNTS);
    expect(new Set(published).size).toBe(ACCOUNTS);
  });

  it('wait in a partition that is not ours for now, which is not told to be out', async () => {
    const { appends, publisher, world } = restated();
    world.onAppend = () => (world.lost = 0);
    expect(await publisher.publish()).toEqual(new Set([1]));
    expect(new Set(appends.flat()).size).toBeLessThan(ACCOUNTS);
    world.lost = null;
    world.onAppend = () => {};
    expect(await publisher.publish()).toEqual(new Set([0, 1]));
    const published = appends.flat();
    expect(published).toHaveLength(ACCOUNTS);
    expect(new Set(published).size).toBe(ACCOUNTS);
  });
});
