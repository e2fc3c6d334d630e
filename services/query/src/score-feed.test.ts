import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeAccountScore, type AccountScore } from '@touchstone/codec';
import { defaultModel, LedgerSet, PartitionLedgers } from '@touchstone/engine';
import { EVENTS_TOPIC, openEmbeddedLog, SCORES_TOPIC, type EmbeddedLog, type SubscribeOptions } from '@touchstone/event-log';
import { createMetrics, systemScheduler, type Metrics } from '@touchstone/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScoreEvent } from './score-event.ts';
import { ScoreFeed } from './score-feed.ts';

const PARTITIONS = 2;
/** Beyond every version of these tests: as if the ledgers were always ahead. */
const FAR = 1e9;

let directory: string;
let log: EmbeddedLog;
let metrics: Metrics;
const feeds: ScoreFeed[] = [];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-feed-'));
  log = await openEmbeddedLog({ directory, topics: { [SCORES_TOPIC]: { partitions: PARTITIONS } }, sweepIntervalMs: 0 });
  metrics = createMetrics({ ofProcess: false });
});
afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.stop();
  await log.close();
  rmSync(directory, { recursive: true });
});

/** Ledgers that have applied everything below this in each partition. */
function appliedUpTo(position: number): LedgerSet {
  const ledgers = new LedgerSet();
  ledgers.replace(Array.from({ length: PARTITIONS }, (_, partition) => new PartitionLedgers(partition, defaultModel)));
  for (const one of ledgers.partitions) one.position = position;
  return ledgers;
}

/** The events go up to `end`; nothing else of them matters here. */
async function startFeed(ledgers = appliedUpTo(FAR), end = FAR): Promise<ScoreFeed> {
  const feed = new ScoreFeed({ ledgers, metrics, scheduler: systemScheduler });
  feeds.push(feed);
  const events = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, start: 0, end, generation: 'g' }));
  const both = {
    extents: (topic: string) => (topic === EVENTS_TOPIC ? Promise.resolve(events) : log.extents(topic)),
    subscribe: (options: SubscribeOptions) => log.subscribe(options),
  };
  await feed.start(both, (cause) => {
    throw cause;
  });
  return feed;
}

/** Appends scores of accounts named by partition and offset, so many to each partition, the first of each at `from`. */
async function publish(partition: number, from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => {
    const score = { version: from + i, modelVersion: 'm', asOf: 1, points: 1, score: 1, engaged: true, contacts: 1, lastTouchAt: 1 };
    return { key: null, value: encodeAccountScore({ accountId: `${partition}-${from + i}`, ...score }), partition };
  });
  await log.append(SCORES_TOPIC, records);
}

/** Appends one score to a partition. */
async function tell(partition: number, score: Pick<AccountScore, 'accountId' | 'version'> & Partial<AccountScore>): Promise<void> {
  const rest = { modelVersion: 'm', asOf: 1, points: 1, score: 1, engaged: true, contacts: 1, lastTouchAt: 1 };
  await log.append(SCORES_TOPIC, [{ key: null, value: encodeAccountScore({ ...rest, ...score }), partition }]);
}

const idsOf = (events: readonly ScoreEvent[]): readonly string[] => events.map(({ published }) => published.accountId);
const positionsOf = (id: string): readonly number[] =>
  id
    .slice(id.lastIndexOf(':') + 1)
    .split('.')
    .map((offset) => Number.parseInt(offset, 36));
const withPositions = (id: string, positions: readonly number[]): string =>
  `${id.slice(0, id.lastIndexOf(':'))}:${positions.map((offset) => offset.toString(36)).join('.')}`;

describe('the feed of scores', () => {
  it('has read all that was published before it says that it has started', async () => {
    for (let block = 0; block < 20; block++) await publish(block % PARTITIONS, Math.floor(block / PARTITIONS) * 100, 100);
    const feed = await startFeed();
    expect(positionsOf(feed.currentId)).toEqual([1000, 1000]);
  });

  it('gives each missed score once, with an id to go on from, whatever the order in which it has read the partitions', async () => {
    await publish(0, 0, 30);
    await publish(1, 0, 30);
    const feed = await startFeed();
    const start = withPositions(feed.currentId, [20, 5]);
    const { missed, isComplete } = feed.resume(start)!;
    expect(isComplete).toBe(true);
    expect(missed).toHaveLength(35);
    for (const [index, { id }] of missed.entries()) {
      expect(idsOf(feed.resume(id)!.missed).toSorted()).toEqual(idsOf(missed.slice(index + 1)).toSorted());
    }
    expect(missed.at(-1)!.id).toBe(feed.currentId);
  });

  it('hands over what comes, each with the id after it', async () => {
    const feed = await startFeed();
    const seen: ScoreEvent[] = [];
    const unfollow = feed.follow((event) => seen.push(event));
    await publish(1, 0, 3);
    await publish(0, 0, 1);
    await expect.poll(() => seen.length).toBe(4);
    expect(idsOf(seen)).toEqual(['1-0', '1-1', '1-2', '0-0']);
    expect(seen.map(({ id }) => positionsOf(id))).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 3],
    ]);
    unfollow();
    await publish(0, 1, 1);
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([2, 3]);
    expect(seen).toHaveLength(4);
  });

  it('keeps the latest twenty thousand, and says when some that were missed are gone', async () => {
    const feed = await startFeed();
    const { currentId } = feed;
    await publish(0, 0, 10);
    for (let from = 0; from < 20_000; from += 5000) await publish(1, from, 5000);
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([10, 20_000]);
    const fromTheStart = feed.resume(currentId)!;
    expect(fromTheStart.isComplete).toBe(false);
    expect(fromTheStart.missed).toHaveLength(20_000);
    expect(feed.resume(withPositions(currentId, [9, 0]))!.isComplete).toBe(false);
    expect(feed.resume(withPositions(currentId, [10, 0]))!.isComplete).toBe(true);
  });

  it('begins so much before the end when it starts, shared by the partitions', async () => {
    for (let from = 0; from < 15_000; from += 5000) await publish(0, from, 5000);
    await publish(1, 0, 10);
    const feed = await startFeed();
    expect(feed.resume(withPositions(feed.currentId, [4999, 0]))!.isComplete).toBe(false);
    const { missed, isComplete } = feed.resume(withPositions(feed.currentId, [5000, 0]))!;
    expect(isComplete).toBe(true);
    expect(missed).toHaveLength(10_010);
  });

  it('waits a little for what a reader has seen already, as one that another process told it', async () => {
    const feed = await startFeed();
    const ahead = withPositions(feed.currentId, [0, 2]);
    const reached = feed.reaches(ahead);
    await publish(1, 0, 5);
    await reached;
    expect(idsOf(feed.resume(ahead)!.missed)).toEqual(['1-2', '1-3', '1-4']);
    const never = withPositions(feed.currentId, [1, 5]);
    await feed.reaches(never);
    expect(feed.resume(never)).toBeNull();
    await feed.reaches('no id');
  });

  const strange: readonly (readonly [string, (id: string) => string])[] = [
    ['nothing', () => ''],
    ['no id', () => 'abc'],
    ['another topic', (id) => `x${id}`],
    ['fewer partitions', (id) => id.slice(0, id.lastIndexOf('.'))],
    ['more partitions', (id) => `${id}.0`],
    ['what is still to come', (id) => withPositions(id, [0, 1])],
    ['numbers beyond all offsets', (id) => id.replace(/\w+$/, 'zzzzzzzzzzz')],
    ['negative numbers', (id) => id.replace(/\w+$/, '-1')],
    ['capitals', (id) => id.replace(/\w+$/, 'A')],
  ];
  it.each(strange)('knows no place for %s', async (_case, idOf) => {
    const feed = await startFeed();
    expect(feed.resume(feed.currentId)).toEqual({ missed: [], isComplete: true });
    expect(feed.resume(idOf(feed.currentId))).toBeNull();
  });
});

const FORMER = { accountId: 'acme', version: 5, asOf: 100, modelVersion: 'm' };

describe('scores of a former owner', () => {
  it.each([
    ['an older version', { version: 4, asOf: 200 }, false],
    ['an older version under another model', { version: 4, asOf: 200, modelVersion: 'n' }, false],
    ['the same version, computed before', { asOf: 99 }, false],
    ['the same once more', {}, false],
    ['the same version, computed later', { asOf: 101 }, true],
    ['the same version under another model, computed before', { asOf: 99, modelVersion: 'n' }, true],
    ['a newer version, computed before', { version: 6, asOf: 50 }, true],
    ['an older version of another account', { accountId: 'other', version: 1 }, true],
  ])('%s', async (_description, late, isTold) => {
    const feed = await startFeed();
    const seen: ScoreEvent[] = [];
    feed.follow((event) => seen.push(event));
    await tell(0, FORMER);
    await tell(0, { ...FORMER, ...late });
    await tell(0, { accountId: 'last', version: 9 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([3, 0]);
    expect(seen).toHaveLength(isTold ? 3 : 2);
    // Who comes back is told neither, and is not held up at it.
    const { isComplete, missed } = feed.resume(withPositions(feed.currentId, [0, 0]))!;
    expect({ isComplete, missed: missed.length }).toEqual({ isComplete: true, missed: seen.length });
    expect(await metrics.text()).toContain(`touchstone_stream_scores_dropped_total ${isTold ? 0 : 1}`);
  });

  it('are known for what they are also after a restart, by what was told last before it', async () => {
    await tell(1, FORMER);
    const feed = await startFeed();
    await tell(1, { ...FORMER, version: 4 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([0, 2]);
    expect(feed.resume(withPositions(feed.currentId, [0, 0]))!.missed).toHaveLength(1);
  });

  it('are told from news by the ledger where the account was told too long ago to be remembered', async () => {
    const ledgers = appliedUpTo(FAR);
    const { accounts } = ledgers.of(0)!;
    accounts.change(accounts.intern(Buffer.from('acme'), 0, 4), 7, 1);
    const feed = await startFeed(ledgers);
    await tell(0, { ...FORMER, version: 6 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([1, 0]);
    // The owner may stay behind the ledgers here for as long as touches come: what it publishes next is news all the same.
    accounts.change(0, 30, 1);
    await tell(0, { ...FORMER, version: 7 });
    await tell(0, { ...FORMER, version: 9 });
    await tell(0, { ...FORMER, version: 8 });
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([4, 0]);
    const { missed } = feed.resume(withPositions(feed.currentId, [0, 0]))!;
    expect(missed.map(({ published }) => (JSON.parse(published.json) as AccountScore).version)).toEqual([7, 9]);
  });
});

describe('a score whose version is not applied here yet', () => {
  it('waits, with its partition, and comes as soon as it is', async () => {
    const ledgers = appliedUpTo(10);
    const feed = await startFeed(ledgers);
    const seen: ScoreEvent[] = [];
    feed.follow((event) => seen.push(event));
    for (const [partition, version] of [
      [0, 9],
      [0, 10],
      [0, 3],
      [1, 4],
    ] as const) {
      await tell(partition, { accountId: `${partition}-${version}`, version });
    }
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([1, 1]);
    await expect.poll(() => metrics.text()).toContain('touchstone_stream_partitions_held 1');
    expect(idsOf(seen).toSorted()).toEqual(['0-9', '1-4']);
    ledgers.of(0)!.position = 11;
    await expect.poll(() => positionsOf(feed.currentId)).toEqual([3, 1]);
    expect(idsOf(seen).slice(2)).toEqual(['0-10', '0-3']);
    expect(await metrics.text()).toContain('touchstone_stream_partitions_held 0');
  });

  it('is read all the same if it was published before the start, when nobody is answered yet', async () => {
    await tell(0, { accountId: 'acme', version: 5 });
    const feed = await startFeed(new LedgerSet());
    expect(positionsOf(feed.currentId)).toEqual([1, 0]);
  });

  it('is passed over when the log has never had that version: it is of a log before this one', async () => {
    await tell(0, { accountId: 'acme', version: 1000 });
    await tell(0, { accountId: 'bolt', version: 4 });
    const ledgers = appliedUpTo(5);
    const feed = await startFeed(ledgers, 5);
    ledgers.of(0)!.position = 6;
    const seen: ScoreEvent[] = [];
    feed.follow((event) => void seen.push(event));
    await tell(0, { accountId: 'acme', version: 5 });
    await expect.poll(() => idsOf(seen)).toEqual(['acme']);
    expect(seen[0]!.published.json).toContain('"version":5');
  });

  it('does not hold up the end', async () => {
    const feed = await startFeed(appliedUpTo(0));
    await tell(0, { accountId: 'acme', version: 5 });
    await expect.poll(() => metrics.text()).toContain('touchstone_stream_partitions_held 1');
    await feed.stop();
    expect(positionsOf(feed.currentId)).toEqual([0, 0]);
  });
});
