import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeAccountScore } from '@touchstone/codec';
import { openEmbeddedLog, type EmbeddedLog } from '@touchstone/event-log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScoreFeed, type ScoreEvent } from './score-feed.ts';

const PARTITIONS = 2;
const TOPIC = 'scores';

let directory: string;
let log: EmbeddedLog;
const feeds: ScoreFeed[] = [];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-feed-'));
  log = await openEmbeddedLog({ directory, topics: { [TOPIC]: { partitions: PARTITIONS } }, sweepIntervalMs: 0 });
});
afterEach(async () => {
  for (const feed of feeds.splice(0)) await feed.stop();
  await log.close();
  rmSync(directory, { recursive: true });
});

async function startFeed(): Promise<ScoreFeed> {
  const feed = new ScoreFeed(log, TOPIC);
  feeds.push(feed);
  await feed.start((cause) => {
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
  await log.append(TOPIC, records);
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
