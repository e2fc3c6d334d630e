import { LogRun } from '@touchstone/codec';
import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
import { RecordReader, type RecordBlock } from '@touchstone/event-log';
import type { ExperimentState } from '@touchstone/experiments';
import { createMetrics, systemScheduler, type Logger } from '@touchstone/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EvidenceFeed, type EvidenceFeedOptions } from './evidence-feed.ts';
import { applyBlock, blocksOf, experimentSince, NOW } from './test-evidence.ts';

const silent = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Logger;
const blocks = blocksOf(['a', 'a', 'b'].map((creativeId, account) => ({ account, kind: 'ad_impression', creativeId })));

/** Ledgers that have applied all touches, and a store that has fewer of them at first: it has one more whenever it is asked. */
function openFeed(storedAtFirst: number, running: readonly ExperimentState[] = [experimentSince(NOW)]) {
  const ledgers = new LedgerSet();
  const partition = new PartitionLedgers(0, defaultModel);
  for (const block of blocks) applyBlock(partition, block, true);
  ledgers.replace([partition]);
  let stored = storedAtFirst;
  const replay = vi.fn(async function* (_: number, before: number, { from }: { from: number }) {
    for (const block of blocks.slice(from, Math.min(before, stored))) {
      const run = new LogRun<RecordBlock>(0, new RecordReader());
      run.open(block);
      yield run;
    }
  });
  const offsetSince = vi.fn((_: number, since: number) => {
    const first = blocks.findIndex(({ appendedAt }) => appendedAt >= since);
    return Promise.resolve(first < 0 ? null : first);
  });
  const store = {
    positions: () => Promise.resolve(new Map([[0, { offset: Math.min(3, stored++) }]])),
    offsetSince,
    replay,
    async *contactRoles() {},
    crossings: vi.fn(),
  };
  const feed = new EvidenceFeed({
    ledgers,
    store: store as unknown as EvidenceFeedOptions['store'],
    keptAlerts: () => [],
    running: () => running,
    scheduler: systemScheduler,
    metrics: createMetrics({ ofProcess: false }),
    logger: silent,
  });
  return { feed, replay };
}

let open: EvidenceFeed | null = null;
afterEach(() => open?.stop());

describe('evidence of what counted before', () => {
  it('is read when all of it is stored', async () => {
    const { feed, replay } = openFeed(1);
    open = feed;
    feed.refresh();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(replay).not.toHaveBeenCalled();
    expect(await feed.summaryOf(experimentSince(NOW))).toBeNull();
    await expect.poll(() => feed.isWhole).toBe(true);
    expect([0, 1, 2].map((account) => feed.heldBy('hero', 0, `a${account}`)?.creativeId)).toEqual(['a', 'a', 'b']);
    const { eras } = (await feed.summaryOf(experimentSince(NOW)))!;
    expect(eras[0]!.arms.reduce((sum, { exposed }) => sum + exposed, 0)).toBe(3);
  });

  it('is read from the start of the experiment on, and not at all where nothing has come since', async () => {
    const later = openFeed(3, [experimentSince(NOW + 2000)]);
    open = later.feed;
    later.feed.refresh();
    await expect.poll(() => later.feed.isWhole).toBe(true);
    expect(later.replay.mock.calls.map(([, before, { from }]) => [before, from])).toEqual([[3, 2]]);
    expect([1, 2].map((account) => later.feed.heldBy('hero', 0, `a${account}`)?.creativeId)).toEqual([undefined, 'b']);
    later.feed.stop();
    const last = openFeed(3, [experimentSince(NOW + 3000)]);
    open = last.feed;
    last.feed.refresh();
    await expect.poll(() => last.feed.isWhole).toBe(true);
    expect(last.replay).not.toHaveBeenCalled();
  });
});
